// A menu that opens at a button: arrow keys move, Enter chooses, Escape and a click elsewhere close.

import { h, icon } from './dom.js'

/** @typedef {import('./i18n.js').Phrase} Phrase */
/**
 * @typedef {object} Item
 * @property {Phrase | string} label
 * @property {string} [icon]
 * @property {() => void} [run]
 * @property {boolean} [checked]  given: one of several choices
 * @property {Phrase | string} [note]  a second line
 * @property {boolean} [danger]
 * @property {boolean} [separate]  a line above
 */

/**
 * Opens a menu.
 * @param {HTMLElement} anchor
 * @param {Item[]} items
 * @param {{ head?: Node, label?: Phrase }} [options]
 */
export function openMenu(anchor, items, { head, label } = {}) {
  const buttons = items.map(item =>
    h(
      'button',
      {
        type: 'button',
        class: `menu-item ${item.danger ? 'danger' : ''} ${item.separate ? 'separate' : ''}`.trim(),
        role: item.checked === undefined ? 'menuitem' : 'menuitemradio',
        'aria-checked': item.checked === undefined ? null : String(item.checked),
        tabindex: -1,
        onclick: () => {
          close()
          item.run?.()
        },
      },
      item.icon && icon(item.icon),
      h('span', { class: 'menu-text' }, h('span', null, item.label), item.note && h('span', { class: 'menu-note' }, item.note)),
      item.checked !== undefined && icon('check', item.checked ? '' : 'invisible'),
    ),
  )
  const list = h('div', { role: 'menu', 'aria-label': label, onkeydown: keys }, buttons)
  const menu = h('div', { class: 'menu', popover: 'auto' }, head, list)
  /** @param {KeyboardEvent} event */
  function keys(event) {
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement))
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (event.key === 'Tab') close()
    if (to === undefined) return
    event.preventDefault()
    buttons.at(to % buttons.length)?.focus()
  }
  const close = () => menu.hidePopover()
  menu.addEventListener('toggle', event => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'closed') return
    anchor.setAttribute('aria-expanded', 'false')
    if (menu.contains(document.activeElement) || document.activeElement === document.body) anchor.focus()
    menu.remove()
  })
  // Beside its button in the tree, so that it is inside an open dialog and next in the order of reading.
  anchor.after(menu)
  anchor.setAttribute('aria-expanded', 'true')
  menu.showPopover()
  place(menu, anchor)
  ;(buttons.find(button => button.getAttribute('aria-checked') === 'true') ?? buttons[0])?.focus()
  return close
}

/** Below the anchor, or above where there is more room; inside the window. @param {HTMLElement} menu @param {HTMLElement} anchor */
function place(menu, anchor) {
  const at = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = menu
  const left = at.left + width > innerWidth - 8 ? at.right - width : at.left
  const below = at.bottom + 6
  const top = below + height > innerHeight - 8 ? at.top - height - 6 : below
  menu.style.setProperty('left', `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`)
  menu.style.setProperty('top', `${Math.max(8, top)}px`)
}
