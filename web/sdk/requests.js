import { ParleyError } from './errors.js'
import { GroupedLink } from './grouped.js'
import { retryAfter } from './http.js'

/**
 * What long poll and poll have in common: one answer a request, `304` where nothing is new.
 */
export class RequestLink extends GroupedLink {
  /** @type {Map<string[], { etag: string, query: string }>} the last answer's, by group */
  #tags = new Map()

  /**
   * One request for these channels. The answer is applied before this returns.
   * @param {string[]} channels
   * @param {number} wait  seconds that the server may hold it
   * @param {AbortSignal} signal
   * @returns {Promise<{ more: boolean, retryAfter: number | null }>} whether there is more to read at once; what
   *   cadence the server advises, in seconds
   */
  async read(channels, wait, signal) {
    const { http, subscriptions, timeouts } = this.env
    const query = this.query(channels)
    const last = this.#tags.get(channels)
    // The tag stands for the positions after that answer; it says nothing about any others.
    const headers = last?.query === query ? { 'If-None-Match': last.etag } : undefined
    const answer = await http.request('GET', `/v1/messages?${query}${wait > 0 ? `&wait=${wait}` : ''}`, {
      headers, signal, timeout: timeouts.request + wait * 1000,
    })
    signal.throwIfAborted()
    const batches = answer.status === 304 ? [] : answer.body?.batches
    if (!Array.isArray(batches)) throw new ParleyError('unexpected', 'What came back is not from Parley.', { status: answer.status })
    this.prove({})
    let more = false
    for (const batch of batches) {
      if (signal.aborted) break
      subscriptions.receive(batch)
      if (batch.more || batch.gap) more = true
    }
    signal.throwIfAborted()
    const etag = answer.headers.get('ETag')
    if (etag !== null) this.#tags.set(channels, { etag, query: this.query(channels) })
    return { more, retryAfter: retryAfter(answer.headers) }
  }

  /**
   * @param {number} ms
   * @param {AbortSignal} signal
   */
  pause(ms, signal) {
    const { clock } = this.env
    return new Promise((resolve, reject) => {
      const stop = () => {
        clock.clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = clock.setTimeout(() => {
        signal.removeEventListener('abort', stop)
        resolve(undefined)
      }, ms)
      signal.addEventListener('abort', stop, { once: true })
    })
  }
}
