// Says things to screen readers, briefly and politely, without moving the focus.

import { h } from './dom.js'

/** @type {HTMLElement | undefined} */
let region

/** @param {string} text */
export function announce(text) {
  if (!region) {
    region = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' })
    document.body.append(region)
  }
  const line = h('p', null, text)
  region.append(line)
  setTimeout(() => line.remove(), 5000)
}
