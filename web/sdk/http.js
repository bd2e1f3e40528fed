import { ParleyError, fromProblem } from './errors.js'

const encoder = new TextEncoder()

/** @param {string} text  @returns {number} bytes as UTF-8 */
export const byteLength = text => encoder.encode(text).length

/**
 * A channel's name or any other value as part of a path or query, with the colon left readable.
 * @param {string} value
 */
export const inPath = value => encodeURIComponent(value).replaceAll('%3A', ':')

/**
 * HTTP to one Parley server: JSON in, JSON out, ParleyError on every failure, and counts of what went by.
 */
export class Http {
  /** Bearer token, where the cookie of the page does not do. @type {string | null} */
  token
  /** Called when the server made a guest for us on the spot. @type {() => void} */
  onGuest = () => {}
  #base
  #fetch
  #clock
  #timeouts
  #stats
  #sameOrigin

  /**
   * @param {{ url: string, token?: string | null, fetch: typeof globalThis.fetch, clock: import('./types.js').Clock,
   *   timeouts: import('./types.js').Timeouts, stats: import('./types.js').Stats }} options
   */
  constructor({ url, token = null, fetch, clock, timeouts, stats }) {
    this.#base = url.replace(/\/+$/, '')
    this.token = token
    this.#fetch = fetch
    this.#clock = clock
    this.#timeouts = timeouts
    this.#stats = stats
    this.#sameOrigin = typeof location !== 'undefined' && new URL(url).origin === location.origin
  }

  /** @param {string} path */
  url(path) {
    return this.#base + path
  }

  /** @param {string} path */
  socketUrl(path) {
    return this.#base.replace(/^http/, 'ws') + path
  }

  /**
   * Keeps the token of a new session, unless the page's cookie carries it: in memory only, as a script that can read a
   * stored token can steal it.
   * @param {string | null} token
   */
  adopt(token) {
    if (token === null) this.token = null
    else if (this.token !== null || !this.#sameOrigin) this.token = token
  }

  /**
   * One request, its answer read whole. `body` is the parsed JSON, null for 204 and 304.
   * @param {string} method
   * @param {string} path
   * @param {{ body?: unknown, headers?: Record<string, string>, signal?: AbortSignal, timeout?: number }} [options]
   * @returns {Promise<{ status: number, headers: Headers, body: any }>}
   */
  async request(method, path, { body, headers, signal, timeout = this.#timeouts.request } = {}) {
    const abort = new AbortController()
    const stop = () => abort.abort()
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    const timer = this.#clock.setTimeout(stop, timeout)
    try {
      const response = await this.open(method, path, { body, headers, signal: abort.signal })
      const text = await response.text()
      this.#stats.bytesIn += byteLength(text)
      if (response.status === 304) return { status: 304, headers: response.headers, body: null }
      if (!response.ok) throw refusal(response, text)
      const guest = response.headers.get('Parley-Token')
      if (guest) {
        this.adopt(guest)
        this.onGuest()
      }
      return { status: response.status, headers: response.headers, body: text === '' ? null : parse(text, response.status) }
    } catch (error) {
      throw this.#failure(error, signal)
    } finally {
      this.#clock.clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  /**
   * One request, its answer's body still to be read. Whoever reads the body counts its bytes.
   * @param {string} method
   * @param {string} path
   * @param {{ body?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} [options]
   */
  async open(method, path, { body, headers = {}, signal } = {}) {
    const all = { ...headers }
    if (this.token !== null) all.Authorization = `Bearer ${this.token}`
    if (body !== undefined) all['Content-Type'] = 'application/json'
    const payload = body === undefined ? undefined : JSON.stringify(body)
    this.#stats.requests++
    this.#stats.bytesOut += byteLength(`${method} ${path} HTTP/1.1\r\n\r\n${payload ?? ''}`) + headerBytes(Object.entries(all))
    const response = await this.#fetch.call(globalThis, this.url(path), { method, headers: all, body: payload, signal, cache: 'no-store', credentials: 'same-origin' })
    this.#stats.bytesIn += byteLength(`HTTP/1.1 ${response.status} \r\n\r\n`) + headerBytes(response.headers)
    return response
  }

  /**
   * @param {unknown} error
   * @param {AbortSignal} [signal]
   */
  #failure(error, signal) {
    if (error instanceof ParleyError) return error
    const why = signal?.aborted ? 'The request was given up.'
      : error instanceof Error && error.name === 'AbortError' ? 'The server did not answer in time.'
      : 'The server could not be reached.'
    return new ParleyError('network', why, { cause: error })
  }
}

/**
 * The error of an answer that is not 2xx.
 * @param {Response} response
 * @param {string} text
 */
export function refusal(response, text) {
  let problem = null
  try {
    problem = JSON.parse(text)
  } catch {
    // Not Parley's: fromProblem goes by the status.
  }
  return fromProblem(problem, { status: response.status, retryAfter: retryAfter(response.headers) })
}

/**
 * Retry-After in seconds (RFC 9110, 10.2.3; only its form in seconds, as Parley sends it), or null.
 * @param {Headers} headers
 */
export function retryAfter(headers) {
  const value = headers.get('Retry-After')
  return value !== null && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : null
}

/**
 * @param {string} text
 * @param {number} status
 */
function parse(text, status) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ParleyError('unexpected', 'What came back is not from Parley.', { status, cause })
  }
}

/** @param {Iterable<[string, string]>} headers */
function headerBytes(headers) {
  let bytes = 0
  for (const [name, value] of headers) bytes += name.length + value.length + 4
  return bytes
}
