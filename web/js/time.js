// Dates, durations and numbers as the reader's language writes them, and the server's clock.

import { languageTag, t } from './i18n.js'

/** @param {Intl.DateTimeFormatOptions} options @param {Date} date */
const format = (options, date) => new Intl.DateTimeFormat(languageTag(), options).format(date)

/** 14:05 @param {string | Date} at */
export const clock = at => format({ timeStyle: 'short' }, new Date(at))
/** 31 January 2026, 14:05 @param {string | Date} at */
export const full = at => format({ dateStyle: 'full', timeStyle: 'short' }, new Date(at))

/** A key that two moments of one local day share. @param {string} at */
export function dayKey(at) {
  const d = new Date(at)
  return `${d.getFullYear()}-${d.getMonth()}-${d.getDate()}`
}

/** Today, Yesterday, or the date. @param {string} at */
export function day(at) {
  const date = new Date(at)
  const today = new Date()
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1)
  if (dayKey(at) === dayKey(today.toISOString())) return t('time.today')
  if (dayKey(at) === dayKey(yesterday.toISOString())) return t('time.yesterday')
  const sameYear = date.getFullYear() === today.getFullYear()
  return format({ weekday: 'long', month: 'long', day: 'numeric', year: sameYear ? undefined : 'numeric' }, date)
}

/** A short date and time. @param {string} at */
export const moment = at => format({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }, new Date(at))

/** @param {number} n @param {Intl.NumberFormatOptions} [options] */
export const number = (n, options) => new Intl.NumberFormat(languageTag(), options).format(n)
/** @param {number} share  0 to 1 */
export const percent = share => number(share, { style: 'percent', maximumFractionDigits: 0 })

/** 1.2 kB @param {number} n */
export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB']
  let unit = 0
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000
    unit++
  }
  return `${number(n, { maximumFractionDigits: n < 100 && unit > 0 ? 1 : 0 })}\u00a0${units[unit]}`
}

/** @param {number} ms */
export const milliseconds = ms => `${number(ms, { maximumFractionDigits: 0 })}\u00a0ms`

/** 2 d 3 h, 1:05:09, 4:30 @param {number} ms */
export function remaining(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000))
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  if (s >= 86400) return t('time.daysHours', { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) })
  if (s >= 3600) return `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`
  return `${Math.floor(s / 60)}:${two(s % 60)}`
}

/**
 * Runs fn now and then every second until el has left the document.
 * @param {Element} el
 * @param {() => void} fn
 */
export function everySecond(el, fn) {
  fn()
  let seen = false
  let unseen = 0
  const timer = setInterval(() => {
    if (el.isConnected) seen = true
    else if (seen || ++unseen > 30) return clearInterval(timer)
    fn()
  }, 1000)
}
