/** A page hidden for less than this has missed nothing. In ms. */
const shortSleep = 5000

/**
 * Tells when the page wakes up: the network is back, the page is shown again after a while, or comes out of the
 * back/forward cache. Timers may have slept and connections died meanwhile. Outside a page it tells nothing.
 * @param {() => void} onWake
 * @param {() => void} onOffline
 * @param {import('./types.js').Clock} clock
 * @returns {() => void} stops telling
 */
export function watchPage(onWake, onOffline, clock) {
  if (typeof document === 'undefined' || typeof addEventListener === 'undefined') return () => {}
  let hiddenAt = clock.now()
  const abort = new AbortController()
  const options = { signal: abort.signal }
  addEventListener('online', onWake, options)
  addEventListener('offline', onOffline, options)
  addEventListener('pageshow', event => event.persisted && onWake(), options)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') hiddenAt = clock.now()
    else if (clock.now() - hiddenAt > shortSleep) onWake()
  }, options)
  return () => abort.abort()
}

/** Whether the browser knows that there is no network. False does not mean that there is one. */
export const isOffline = () => typeof navigator !== 'undefined' && navigator.onLine === false

/**
 * What worked last, for the next page of this tab. Storage may be forbidden or absent: then nothing is remembered.
 * @param {string} url
 */
export function memory(url) {
  const key = `parley.transport ${url}`
  return {
    get() {
      try {
        return sessionStorage.getItem(key)
      } catch {
        return null
      }
    },
    /** @param {string} value */
    set(value) {
      try {
        sessionStorage.setItem(key, value)
      } catch {
        // Forbidden, full, or not a browser.
      }
    },
  }
}
