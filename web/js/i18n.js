// The reader's language, switchable without a reload. Text is put into the page as a Phrase, which knows how to make itself
// anew; when the language changes every bound element in the document is refreshed in place.

import en from '../i18n/en.js'
import zh from '../i18n/zh.js'

/** @typedef {'en' | 'zh'} Language */
/** @typedef {keyof typeof en} Key */
/** @typedef {string | Record<string, string>} Entry  a text, or one text per plural category */
/** @typedef {Record<string, string | number | Phrase>} Values */

/** @type {Record<Language, { tag: string, name: string, texts: Record<Key, Entry> }>} */
const languages = {
  en: { tag: 'en', name: 'English', texts: en },
  zh: { tag: 'zh-CN', name: '简体中文', texts: zh },
}

const remembered = 'parley.language'

/** @type {Language} */
let current = initial()
/** @type {Set<() => void>} */
const listeners = new Set()
document.documentElement.lang = languages[current].tag

/** @returns {Language} */
function initial() {
  const stored = localStorage.getItem(remembered)
  if (stored === 'en' || stored === 'zh') return stored
  return (navigator.languages?.[0] ?? navigator.language ?? 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** The language in use. */
export const language = () => current
/** The BCP 47 tag for Intl: the language in use, as it is written in the reader's country where the browser says so. */
export const languageTag = () => navigator.languages?.find(tag => tag.split('-')[0] === current) ?? languages[current].tag
/** What there is to choose from. */
export const choices = () => /** @type {Language[]} */ (Object.keys(languages)).map(id => ({ id, name: languages[id].name }))

/**
 * Switches the language, remembers it, and refreshes all bound text.
 * @param {Language} next
 */
export function setLanguage(next) {
  if (next === current) return
  current = next
  localStorage.setItem(remembered, next)
  document.documentElement.lang = languages[next].tag
  for (const el of document.querySelectorAll('[data-i18n]')) bound.get(el)?.forEach(update => update())
  for (const listener of listeners) listener()
}

/** Calls listener after each switch. @param {() => void} listener */
export function onLanguage(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/**
 * The text of key in the current language; {name} is filled from values, and `n` chooses the plural form.
 * @param {Key} key
 * @param {Values} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  /** @type {Entry} */
  const entry = languages[current].texts[key] ?? key
  const text = typeof entry === 'string' ? entry : (entry[new Intl.PluralRules(languageTag()).select(Number(values.n))] ?? entry.other)
  return text.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name]
    return typeof value === 'number' ? new Intl.NumberFormat(languageTag()).format(value) : value === undefined ? all : String(value)
  })
}

/** Whether there is a text for a key that is only known at run time. @param {string} key @returns {key is Key} */
export const hasText = key => Object.hasOwn(en, key)

/** Text that can be made again in another language. */
export class Phrase {
  /** @param {() => string} make */
  constructor(make) {
    this.make = make
  }
  toString() {
    return this.make()
  }
}

/** The phrase of a key. @param {Key} key @param {Values} [values] */
export const tr = (key, values) => new Phrase(() => t(key, values))
/** A phrase made by a function, for dates and numbers. @param {() => string} make */
export const phrase = make => new Phrase(make)

/** @type {WeakMap<Element, Map<unknown, () => void>>} */
const bound = new WeakMap()

/**
 * Runs update now and after each switch of language, while el is in the document. A later binding of the same slot replaces it.
 * @param {Element} el
 * @param {unknown} slot
 * @param {(() => void) | null} update  null unbinds
 */
export function bind(el, slot, update) {
  let slots = bound.get(el)
  if (!update) return void slots?.delete(slot)
  if (!slots) bound.set(el, (slots = new Map()))
  slots.set(slot, update)
  el.setAttribute('data-i18n', '')
  update()
}
