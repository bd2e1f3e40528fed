// Making and updating elements. Everything becomes text nodes and attributes: nothing here can turn text into markup.

import { Phrase, bind } from './i18n.js'

/** @typedef {Node | string | number | Phrase | null | undefined | false} Child */
/** @typedef {Record<string, any>} Props */

/**
 * Makes an element. Props: `class`, attributes (true sets an empty one; null, undefined and false leave it out), `on…` listeners,
 * and `ref`, which is called with the element. Phrases follow the language.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag)
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === 'ref') value(el)
    else if (name.startsWith('on')) el.addEventListener(name.slice(2), value)
    else if (name === 'value' && 'value' in el) el.value = value
    else attribute(el, name, value)
  }
  el.append(
    ...children
      .flat()
      .filter(present)
      .map(child => node(el, child)),
  )
  return el
}

/** @param {Child} child @returns {child is Node | string | number | Phrase} */
const present = child => child !== null && child !== undefined && child !== false

/** @param {Element} parent @param {Node | string | number | Phrase} child @returns {Node} */
function node(parent, child) {
  if (child instanceof Node) return child
  const text = document.createTextNode(child instanceof Phrase ? '' : String(child))
  if (child instanceof Phrase) bind(parent, text, () => void (text.data = String(child)))
  return text
}

/**
 * Sets or removes an attribute.
 * @param {Element} el
 * @param {string} name
 * @param {string | number | boolean | Phrase | null | undefined} value
 */
export function attribute(el, name, value) {
  if (value instanceof Phrase) return bind(el, name, () => el.setAttribute(name, String(value)))
  bind(el, name, null)
  if (value === null || value === undefined || value === false) el.removeAttribute(name)
  else el.setAttribute(name, value === true ? '' : String(value))
}

/** Replaces the content of el. @param {Element} el @param {...(Child | Child[])} children */
export function fill(el, ...children) {
  el.replaceChildren(
    ...children
      .flat()
      .filter(present)
      .map(child => node(el, child)),
  )
}

/** Sets the text of el, leaving it alone where it says so already. @param {Element} el @param {string | number | Phrase} text */
export function setText(el, text) {
  if (text instanceof Phrase) return bind(el, 'text', () => void (el.textContent = String(text)))
  bind(el, 'text', null)
  if (el.textContent !== String(text)) el.textContent = String(text)
}

const svg = 'http://www.w3.org/2000/svg'
const sprite = new URL('../icons/sprite.svg', import.meta.url).pathname

/** An icon of the sprite; decoration, so hidden from screen readers. @param {string} name @param {string} [extra] class */
export function icon(name, extra = '') {
  const el = document.createElementNS(svg, 'svg')
  el.setAttribute('class', `icon ${extra}`.trim())
  el.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(svg, 'use')
  use.setAttribute('href', `${sprite}#${name}`)
  el.append(use)
  return el
}

/**
 * A button with an icon and a label that is read aloud and shown on hover.
 * @param {string} name
 * @param {Phrase} label
 * @param {Props} props
 */
export const iconButton = (name, label, props) =>
  h('button', { type: 'button', ...props, class: `icon-button ${props.class ?? ''}`.trim(), 'aria-label': label, title: label }, icon(name))

/**
 * Makes parent's children those of items, in order, keeping the elements of keys that stay (and with them focus and state).
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {(item: T, old: Element | undefined) => Element} render  returns old, updated, or a new element
 */
export function reconcile(parent, items, key, render) {
  /** @type {Map<string, Element>} */
  const old = new Map()
  for (const child of parent.children) old.set(/** @type {HTMLElement} */ (child).dataset.key ?? '', child)
  /** @type {Element | null} */
  let next = parent.firstElementChild
  for (const item of items) {
    const k = key(item)
    const before = old.get(k)
    const el = /** @type {HTMLElement} */ (render(item, before))
    el.dataset.key = k
    old.delete(k)
    if (before && before !== el) {
      if (next === before) next = before.nextElementSibling
      before.remove()
    }
    if (el === next) next = next.nextElementSibling
    else parent.insertBefore(el, next)
  }
  for (const [, el] of old) el.remove()
}
