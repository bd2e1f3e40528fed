import { ParleyError } from './errors.js'
import { inPath } from './http.js'
import { isRefusal } from './subscriptions.js'

/** @typedef {import('./types.js').Link} Link */

/** Limits of the many-channel request: 100 channels; and the server's 16 KiB of header must hold the URL. */
const maxChannels = 100
const maxQuery = 8000

/** So many changes of the subscriptions as come within this become one new request. In ms. */
const settle = 20

/**
 * What SSE, long poll and poll have in common: requests for up to 100 channels each, started again when the wanted channels
 * change. A subclass says in `run` how one group of channels is read.
 * @implements {Link}
 */
export class GroupedLink {
  /** @type {import('./types.js').User | null | undefined} */
  user = undefined
  #timer = null
  /** @type {Map<string, AbortController>} by the group's channels */
  #runs = new Map()
  /** @type {Set<string>} */
  #dirty = new Set()
  #started = false
  #closed = false
  #proven = false

  /**
   * @param {import('./types.js').Transport} kind
   * @param {import('./types.js').Env} env
   * @param {import('./types.js').LinkEvents} events
   */
  constructor(kind, env, events) {
    this.kind = kind
    this.env = env
    this.events = events
  }

  start() {
    this.#started = true
    this.#regroup()
  }

  sync() {
    if (!this.#started || this.#closed || this.#timer !== null) return
    this.#timer = this.env.clock.setTimeout(() => this.#regroup(), settle)
  }

  /** @param {string} channel */
  rewind(channel) {
    this.#dirty.add(channel)
    this.sync()
  }

  check() {
    for (const { channel } of this.env.subscriptions.wanted()) this.#dirty.add(channel)
    this.sync()
  }

  close() {
    this.#closed = true
    this.env.clock.clearTimeout(this.#timer)
    for (const abort of this.#runs.values()) abort.abort()
    this.#runs.clear()
  }

  /**
   * Reads these channels until the signal is aborted; any failure is thrown.
   * @param {string[]} _channels
   * @param {AbortSignal} _signal
   * @returns {Promise<never>}
   */
  run(_channels, _signal) {
    throw new Error('a subclass says how to read')
  }

  /**
   * The query for these channels from where they are now.
   * @param {string[]} channels
   */
  query(channels) {
    return channels.map(channel => `channel=${inPath(channel)}@${this.env.subscriptions.after(channel) ?? 'end'}`).join('&')
  }

  /**
   * A byte of the server's has arrived.
   * @param {import('./types.js').Hello} hello
   */
  prove(hello) {
    if (this.#closed || this.#proven) return
    this.#proven = true
    this.user = hello.user
    this.events.hello(hello)
  }

  #regroup() {
    this.#timer = null
    for (const channel of this.env.subscriptions.unresolved()) this.#dirty.add(channel)
    const groups = split(this.env.subscriptions.wanted())
    for (const [key, abort] of this.#runs) {
      if (groups.has(key) && !groups.get(key)?.some(channel => this.#dirty.has(channel))) continue
      this.#runs.delete(key)
      abort.abort()
    }
    this.#dirty.clear()
    for (const [key, channels] of groups) if (!this.#runs.has(key)) this.#start(key, channels)
  }

  /** @param {string} key  @param {string[]} channels */
  async #start(key, channels) {
    const abort = new AbortController()
    this.#runs.set(key, abort)
    try {
      await this.#resolve(channels, abort.signal)
      await this.run(channels, abort.signal)
    } catch (cause) {
      if (abort.signal.aborted || this.#closed) return
      this.#runs.delete(key)
      const error = cause instanceof ParleyError ? cause : new ParleyError('network', 'The connection broke.', { cause })
      if (isRefusal(error) && await this.#sift(channels)) return
      if (!this.#closed) this.#down(error)
    }
  }

  /** @param {ParleyError} error */
  #down(error) {
    this.close()
    this.events.down({ error, retryAfter: error.retryAfter ?? undefined })
  }

  /** @param {string[]} channels  @param {AbortSignal} signal */
  async #resolve(channels, signal) {
    const unresolved = new Set(this.env.subscriptions.unresolved())
    await Promise.all(channels.filter(channel => unresolved.has(channel)).map(channel => this.env.subscriptions.resolve(channel, signal)))
    signal.throwIfAborted()
  }

  /**
   * One channel that may not be read refuses the whole request: find which, end those, and go on with the others.
   * @param {string[]} channels
   * @returns {Promise<boolean>} whether there was one
   */
  async #sift(channels) {
    const { http, subscriptions } = this.env
    let found = false
    await Promise.all(channels.map(async channel => {
      const after = subscriptions.after(channel)
      if (after === null) return
      try {
        await http.request('GET', `/v1/channels/${inPath(channel)}/messages?after=${after}&limit=1`)
      } catch (error) {
        if (!(error instanceof ParleyError) || !isRefusal(error)) return
        found = true
        subscriptions.end({ channel, code: error.code, detail: error.detail })
      }
    }))
    if (found) this.sync()
    return found
  }
}

/**
 * @param {{ channel: string }[]} wanted
 * @returns {Map<string, string[]>} groups that fit into one request each, by their channels
 */
export function split(wanted) {
  /** @type {Map<string, string[]>} */
  const groups = new Map()
  /** @type {string[]} */
  let group = []
  let length = 0
  const full = () => {
    if (group.length > 0) groups.set(group.join(','), group)
    group = []
    length = 0
  }
  for (const { channel } of wanted) {
    // `channel=`, `@`, `&`, and a position: a seq of up to 16 digits and its mark.
    const size = inPath(channel).length + 50
    if (group.length >= maxChannels || length + size > maxQuery) full()
    group.push(channel)
    length += size
  }
  full()
  return groups
}
