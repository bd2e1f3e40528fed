// A person's or room's mark: initials on a colour that is the same everywhere.

import { h } from './dom.js'

/** A number that only depends on the text (FNV-1a). @param {string} text */
export function hash(text) {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0
  return value
}

/** One or two letters for a name. @param {string} name */
export function initials(name) {
  const words = name
    .trim()
    .split(/[\s\-_.]+/u)
    .filter(word => /[\p{L}\p{N}]/u.test(word))
  const first = (/** @type {string} */ word) => [...word].find(c => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(c)) ?? ''
  if (!words.length) return [...name.trim()][0] ?? '?'
  const letters = words.length > 1 ? first(words[0]) + first(words[words.length - 1]) : first(words[0])
  return /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}]+$/u.test(letters) ? letters.toLocaleUpperCase() : [...letters][0]
}

/** @param {{ id: string, name: string }} who @param {string} [extra] class */
export function avatar(who, extra = '') {
  const el = h('span', { class: `avatar ${extra}`.trim(), 'aria-hidden': 'true' }, initials(who.name))
  el.style.setProperty('--hue', String((hash(who.id) % 24) * 15))
  return el
}
