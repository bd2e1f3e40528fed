import { Connection, transports } from './connection.js'
import { ParleyError } from './errors.js'
import { Http } from './http.js'
import { LongPollLink } from './longpoll.js'
import { Outbox } from './outbox.js'
import { memory, watchPage } from './page.js'
import { PollLink } from './poll.js'
import { Rest } from './rest.js'
import { SseLink } from './sse.js'
import { Subscriptions } from './subscriptions.js'
import { WebSocketLink } from './websocket.js'

export { ParleyError, transports }

/** @typedef {import('./types.js').Transport} Transport */

/** @type {import('./types.js').Timeouts} */
const defaultTimeouts = {
  request: 15_000,
  wait: 25,
  hello: { websocket: 4000, sse: 4000, longpoll: 8000, poll: 15_000 },
  poll: 2000,
  ping: 4000,
  retryMin: 1000,
  retryMax: 30_000,
  climbMin: 10_000,
  climbMax: 600_000,
  stable: 30_000,
  giveUpAfter: 60_000,
}

/** @type {import('./types.js').Clock} */
const realClock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => globalThis.setTimeout(fn, ms),
  clearTimeout: timer => globalThis.clearTimeout(timer),
}

/**
 * A Parley server, as seen from a page or a program: requests, live channels over one connection, and publishing.
 *
 * The connection opens with the first subscription, and finds its own way (WebSocket, SSE, long poll, poll). Subscriptions
 * hold positions, so reconnecting or changing the transport misses nothing and repeats nothing.
 */
export class Parley extends Rest {
  #subscriptions
  #connection
  #outbox
  #random
  #closed = false
  #stopWatching

  /**
   * @param {object} [options]
   * @param {string} [options.url]  the server's origin; default: this page's
   * @param {string | null} [options.token]  a session's token, where the page's cookie does not do
   * @param {'auto' | Transport} [options.transport]
   * @param {typeof globalThis.fetch} [options.fetch]
   * @param {any} [options.WebSocket]  a constructor as browsers have it; Node 20 has none
   * @param {import('./types.js').Clock} [options.clock]
   * @param {() => number} [options.random]
   * @param {Partial<Omit<import('./types.js').Timeouts, 'hello'>> & { hello?: Partial<import('./types.js').Timeouts['hello']> }} [options.timeouts]
   */
  constructor({
    url = globalThis.location?.origin, token = null, transport = 'auto', fetch = globalThis.fetch, WebSocket = globalThis.WebSocket,
    clock = realClock, random = Math.random, timeouts = {},
  } = {}) {
    if (!url) throw new ParleyError('bad_request', 'Outside a page the option url is needed.')
    checkTransport(transport)
    const limits = { ...defaultTimeouts, ...timeouts, hello: { ...defaultTimeouts.hello, ...timeouts.hello } }
    /** @type {import('./types.js').Stats} */
    const stats = { requests: 0, bytesIn: 0, bytesOut: 0, messages: 0, lastDelay: null }
    const http = new Http({ url, token, fetch, clock, timeouts: limits, stats })
    super(http)
    const subscriptions = new Subscriptions({ http, clock, stats })
    /** @type {import('./types.js').Env} */
    const env = { http, subscriptions, clock, timeouts: limits, stats, random, WebSocket }
    this.#random = random
    this.#subscriptions = subscriptions
    this.#connection = new Connection(env, { transport, memory: memory(url), make: (kind, events) => makeLink(kind, env, events) })
    this.#outbox = new Outbox(env, this.#connection)
    subscriptions.onChange = () => this.#connection.changed()
    subscriptions.onRewind = subscriptions.onFresh = channel => this.#connection.rewind(channel)
    http.onGuest = () => this.sessionChanged()
    this.#stopWatching = watchPage(() => this.#connection.wake(), () => this.#connection.look(), clock)
  }

  /** The session's token, where this object keeps it; null where the page's cookie does. */
  get token() {
    return this.http.token
  }

  /**
   * Reads a channel from a position on, live, until it is closed or ended. Several subscriptions to one channel share what is read.
   * @param {string} channel
   * @param {import('./types.js').SubscribeOptions} options
   */
  subscribe(channel, options) {
    this.#mustBeOpen()
    return this.#subscriptions.add(channel, options)
  }

  /**
   * Publishes, and resolves when it is committed. Tries again by itself, with the same key, whatever breaks, for `giveUpAfter`;
   * then rejects with code `network`, and calling again with the same `id` is safe. Rejects at once when refused; with
   * `rate_limited`, try again with the same `id` after `retryAfter` seconds.
   * @param {string} channel
   * @param {{ type: string, data?: unknown, id?: string }} message  without an id one is made
   * @returns {Promise<import('./types.js').Receipt>}
   */
  async publish(channel, { type, data = {}, id = this.newId() }) {
    this.#mustBeOpen()
    return this.#outbox.publish(channel, { type, data, id })
  }

  /**
   * @param {string} channel
   * @param {string} text  1 to 4,000 characters
   * @param {{ id?: string }} [options]
   */
  sendText(channel, text, { id } = {}) {
    return this.publish(channel, { type: 'text', data: { text }, id })
  }

  /**
   * Sends something passing, such as `typing`, to who is there now. Never repeated. Resolves to whether it went out.
   * @param {string} channel
   * @param {string} type
   * @param {unknown} [data]  up to 1 KiB
   * @returns {Promise<boolean>}
   */
  async signal(channel, type, data = {}) {
    return !this.#closed && this.#outbox.signal(channel, type, data)
  }

  /** A key for a message: 120 random bits. */
  newId() {
    const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
    return Array.from({ length: 24 }, () => alphabet[Math.floor(this.#random() * 32)]).join('')
  }

  /** How the connection is now. @returns {import('./types.js').ConnectionInfo} */
  get connection() {
    return this.#connection.info
  }

  /**
   * Calls fn after each change of the connection's state or transport (not of its counts).
   * @param {(connection: import('./types.js').ConnectionInfo) => void} fn
   * @returns {() => void} stops it
   */
  onConnection(fn) {
    return this.#connection.onChange(() => fn(this.#connection.info))
  }

  /**
   * Uses this transport from now on, or with `auto` the best that works. Nothing is missed or repeated by the change.
   * @param {'auto' | Transport} name
   */
  useTransport(name) {
    checkTransport(name)
    this.#connection.use(name)
  }

  /** Ends all subscriptions and what is under way. */
  close() {
    if (this.#closed) return
    this.#closed = true
    this.#stopWatching()
    this.#outbox.close()
    this.#connection.close()
    this.#subscriptions.close()
  }

  /** @override */
  sessionChanged() {
    this.#connection.renew()
  }

  #mustBeOpen() {
    if (this.#closed) throw new ParleyError('closed', 'This Parley object was closed.')
  }
}

/** @param {string} name */
function checkTransport(name) {
  if (name !== 'auto' && !transports.includes(/** @type {Transport} */ (name))) {
    throw new ParleyError('bad_request', `There is no transport ${name}: use auto, ${transports.join(', ')}.`)
  }
}

/**
 * @param {Transport} kind
 * @param {import('./types.js').Env} env
 * @param {import('./types.js').LinkEvents} events
 * @returns {import('./types.js').Link}
 */
function makeLink(kind, env, events) {
  switch (kind) {
    case 'websocket': return new WebSocketLink(env, events)
    case 'sse': return new SseLink(env, events)
    case 'longpoll': return new LongPollLink(env, events)
    case 'poll': return new PollLink(env, events)
  }
}
