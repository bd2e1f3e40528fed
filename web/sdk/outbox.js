import { Backoff } from './backoff.js'
import { ParleyError, isPassing } from './errors.js'
import { inPath } from './http.js'
import { WebSocketLink } from './websocket.js'

/** @typedef {{ type: string, data: unknown, id: string }} Entry */

/**
 * Publishing. Each message has a key, and is sent again with that key until it is answered or refused; because of the key it
 * has one effect. In one channel messages go out one after the other, so that they are committed in the order they
 * were published in, whatever has to be repeated.
 */
export class Outbox {
  #env
  #connection
  #closed = new AbortController()
  /** The last one of each channel. @type {Map<string, Promise<unknown>>} */
  #tails = new Map()
  /** Under way, by channel and key. @type {Map<string, Promise<import('./types.js').Receipt>>} */
  #underWay = new Map()

  /** @param {import('./types.js').Env} env  @param {import('./connection.js').Connection} connection */
  constructor(env, connection) {
    this.#env = env
    this.#connection = connection
  }

  /**
   * @param {string} channel
   * @param {Entry} entry
   * @returns {Promise<import('./types.js').Receipt>}
   */
  publish(channel, entry) {
    const key = `${channel} ${entry.id}`
    const same = this.#underWay.get(key)
    if (same) return same
    const before = this.#tails.get(channel) ?? Promise.resolve()
    const deadline = this.#env.clock.now() + this.#env.timeouts.giveUpAfter
    const receipt = before.then(() => this.#deliver(channel, entry, deadline))
    const tail = receipt.catch(() => {}).then(() => {
      this.#underWay.delete(key)
      if (this.#tails.get(channel) === tail) this.#tails.delete(channel)
    })
    this.#underWay.set(key, receipt)
    this.#tails.set(channel, tail)
    return receipt
  }

  /**
   * Sends something passing, once. Resolves to whether it went out.
   * @param {string} channel
   * @param {string} type
   * @param {unknown} data
   */
  async signal(channel, type, data) {
    const socket = this.#socket()
    if (socket) {
      socket.send({ op: 'signal', channel, type, data })
      return true
    }
    try {
      await this.#env.http.request('POST', `/v1/channels/${inPath(channel)}/signals`, { body: { type, data } })
      return true
    } catch {
      return false
    }
  }

  close() {
    this.#closed.abort()
  }

  /** @param {string} channel  @param {Entry} entry  @param {number} deadline */
  async #deliver(channel, entry, deadline) {
    const { clock, timeouts, random } = this.#env
    const backoff = new Backoff({ min: timeouts.retryMin, max: timeouts.retryMax, random })
    for (;;) {
      if (this.#closed.signal.aborted) throw new ParleyError('closed', 'This connection was closed.')
      try {
        return await this.#send(channel, entry)
      } catch (error) {
        if (this.#closed.signal.aborted || !isPassing(error)) throw error
        const delay = backoff.next(/** @type {ParleyError} */ (error).retryAfter)
        if (clock.now() + delay > deadline) {
          throw new ParleyError('network', 'The message could not be delivered in time.', { cause: error })
        }
        await this.#pause(delay)
      }
    }
  }

  /** @param {string} channel  @param {Entry} entry */
  async #send(channel, { type, data, id }) {
    const socket = this.#socket()
    if (socket) return socket.command({ op: 'publish', channel, type, data, id })
    const { body } = await this.#env.http.request('POST', `/v1/channels/${inPath(channel)}/messages`, {
      body: { type, data }, headers: { 'Idempotency-Key': id }, signal: this.#closed.signal,
    })
    return body
  }

  /**
   * The WebSocket, where it is open and we are somebody there. Nobody publishes by HTTP: only there can the server make a
   * guest of him on the spot.
   */
  #socket() {
    const link = this.#connection.link
    return link instanceof WebSocketLink && link.user ? link : null
  }

  /**
   * Waits, but no longer than until the connection is open again.
   * @param {number} ms
   */
  #pause(ms) {
    const { clock } = this.#env
    const wasOpen = this.#connection.state === 'open'
    return new Promise(resolve => {
      const end = () => {
        clock.clearTimeout(timer)
        off()
        this.#closed.signal.removeEventListener('abort', end)
        resolve(undefined)
      }
      const timer = clock.setTimeout(end, ms)
      const off = this.#connection.onChange(() => {
        if (!wasOpen && this.#connection.state === 'open') end()
      })
      this.#closed.signal.addEventListener('abort', end)
    })
  }
}
