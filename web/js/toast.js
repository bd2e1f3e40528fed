// Short notices at the edge of the page.

import { describe, retryAt } from './errors.js'
import { h, icon, setText } from './dom.js'
import { everySecond } from './time.js'

/** @typedef {import('./i18n.js').Phrase} Phrase */

/** @type {HTMLElement | undefined} */
let stack

/** @param {Phrase | string} text @param {'info' | 'good' | 'bad'} [kind] @param {number} [lasts] milliseconds */
export function toast(text, kind = 'info', lasts = 4500) {
  if (!stack) stack = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite', popover: 'manual' })
  if (!stack.isConnected) document.body.append(stack)
  // The top layer, so that a notice shows above an open dialog; shown anew to be the topmost.
  if (stack.matches(':popover-open')) stack.hidePopover()
  stack.showPopover()
  const line = h('span', null, text)
  const el = h('div', { class: `toast ${kind}` }, icon(kind === 'bad' ? 'alert' : kind === 'good' ? 'check' : 'info'), line)
  stack.append(el)
  setTimeout(() => {
    el.remove()
    if (!stack?.childElementCount) stack?.hidePopover()
  }, lasts)
  return line
}

/** Shows an error, counting down where it says how long to wait. @param {unknown} error */
export function fail(error) {
  const until = retryAt(error)
  const line = toast(describe(error, until), 'bad', Math.max(6000, until ? until - Date.now() : 0))
  if (until) everySecond(line, () => setText(line, describe(error, until)))
}
