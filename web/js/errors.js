// What went wrong, in the reader's words.

import { ParleyError } from '../sdk/parley.js'
import { hasText, phrase, t } from './i18n.js'

/** The stable code of an error. @param {unknown} error */
export const codeOf = error => (error instanceof ParleyError ? error.code : 'unexpected')

/** When what was refused may be tried again, as Date.now() counts; 0 if there is no need to wait. @param {unknown} error */
export function retryAt(error) {
  const wait = error instanceof ParleyError ? Number(error.retryAfter) || 0 : 0
  return wait > 0 ? Date.now() + wait * 1000 : 0
}

/**
 * A sentence for the error. With a time to wait for it counts down, if it is made again every second.
 * @param {unknown} error
 * @param {number} [until]  from retryAt
 */
export function describe(error, until = 0) {
  const code = codeOf(error)
  return phrase(() => {
    const wait = Math.ceil((until - Date.now()) / 1000)
    if (wait > 0) return t('wait', { n: wait })
    const key = `error.${code}`
    if (hasText(key)) return t(key)
    return error instanceof ParleyError && error.detail ? error.detail : t('error.unexpected')
  })
}
