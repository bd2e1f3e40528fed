// Arrow keys in a list of links or buttons: one of them is in the order of Tab, the arrows move among them.

/** @param {HTMLElement} root @param {string} selector */
export function listKeys(root, selector) {
  root.addEventListener('keydown', event => {
    const items = /** @type {HTMLElement[]} */ (
      [...root.querySelectorAll(selector)].filter(el => /** @type {HTMLElement} */ (el).offsetParent !== null)
    )
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement))
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (to === undefined || at < 0) return
    event.preventDefault()
    items.at(to % items.length)?.focus()
  })
}
