import { ParleyError, fromProblem } from './errors.js'
import { byteLength } from './http.js'

/** @typedef {import('./types.js').Link} Link */

/**
 * WebSocket: one connection for all channels, and for publishing too.
 * @implements {Link}
 */
export class WebSocketLink {
  /** @type {import('./types.js').Transport} */
  kind = 'websocket'
  /** @type {import('./types.js').User | null | undefined} */
  user = undefined
  /** @type {WebSocket | null} */
  #socket = null
  #env
  #events
  #closed = false
  #ready = false
  #ref = 0
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: ParleyError) => void, timer: any }>} */
  #pending = new Map()
  /** Channels the server has been told of. @type {Map<string, { answered: boolean, again: boolean }>} */
  #told = new Map()
  /** @type {Set<string>} channels whose `end` is being asked for */
  #resolving = new Set()
  #heartbeat = 15_000
  #heard = 0
  #watch = null
  #check = null

  /** @param {import('./types.js').Env} env  @param {import('./types.js').LinkEvents} events */
  constructor(env, events) {
    this.#env = env
    this.#events = events
  }

  start() {
    const { http, stats, WebSocket } = this.#env
    if (!WebSocket) return this.#down('WebSocket is not available here.')
    const url = http.socketUrl('/v1/connect')
    stats.requests++
    try {
      // Browsers cannot set headers here and ignore the third argument; the `ws` package for Node takes it.
      const options = http.token === null ? undefined : { headers: { Authorization: `Bearer ${http.token}` } }
      this.#socket = new /** @type {any} */ (WebSocket)(url, [], options)
    } catch (error) {
      return this.#down(`WebSocket is not possible here: ${error}`)
    }
    const socket = /** @type {WebSocket} */ (this.#socket)
    stats.bytesOut += byteLength(`GET ${url} HTTP/1.1\r\n\r\n`) + 150
    socket.onmessage = event => this.#receive(String(event.data))
    socket.onclose = event => this.#down(event.reason || `The connection was closed (${event.code}).`)
    socket.onerror = () => {}
  }

  /** Tells the server the difference between what is wanted and what it knows. */
  sync() {
    if (!this.#ready || this.#closed) return
    const { subscriptions } = this.#env
    const wanted = new Map(subscriptions.wanted().map(({ channel, after }) => [channel, after]))
    for (const channel of [...this.#told.keys()]) {
      if (wanted.has(channel)) continue
      this.#told.delete(channel)
      this.command({ op: 'unsubscribe', channel }).catch(() => {})
    }
    const unresolved = new Set(subscriptions.unresolved())
    for (const [channel, after] of wanted) {
      if (!this.#told.has(channel)) this.#subscribe(channel, after)
      else if (unresolved.has(channel) && this.#told.get(channel)?.answered) this.#resolve(channel)
    }
  }

  /** @param {string} channel */
  rewind(channel) {
    const told = this.#told.get(channel)
    if (!told) return
    if (!told.answered) {
      told.again = true
      return
    }
    this.#told.delete(channel)
    this.command({ op: 'unsubscribe', channel }).catch(() => {})
    this.sync()
  }

  check() {
    if (!this.#ready || this.#check !== null) return
    const { clock, timeouts } = this.#env
    const asked = clock.now()
    this.command({ op: 'ping' }).catch(() => {})
    this.#check = clock.setTimeout(() => {
      this.#check = null
      if (this.#heard < asked) this.#down('The connection is dead.')
    }, timeouts.ping)
  }

  /**
   * Sends a command and awaits its answer. Rejects with code `network` when the connection breaks before it.
   * @param {Record<string, unknown>} command
   * @returns {Promise<any>}
   */
  command(command) {
    return new Promise((resolve, reject) => {
      const ref = ++this.#ref
      const timer = this.#env.clock.setTimeout(() => {
        this.#pending.delete(ref)
        reject(new ParleyError('network', 'The server did not answer in time.'))
      }, this.#env.timeouts.request)
      this.#pending.set(ref, { resolve, reject, timer })
      this.send({ ...command, ref })
    })
  }

  /**
   * Sends a command that is answered only when it fails, and whose failure nobody minds.
   * @param {Record<string, unknown>} command
   */
  send(command) {
    const text = JSON.stringify(command)
    this.#env.stats.bytesOut += frameBytes(byteLength(text)) + 4
    if (this.#socket?.readyState === 1) this.#socket.send(text)
  }

  close() {
    if (this.#closed) return
    this.#closed = true
    this.#ready = false
    const { clock } = this.#env
    clock.clearTimeout(this.#watch)
    clock.clearTimeout(this.#check)
    if (this.#socket) {
      this.#socket.onmessage = this.#socket.onclose = null
      this.#socket.close()
    }
    for (const { reject, timer } of this.#pending.values()) {
      clock.clearTimeout(timer)
      reject(new ParleyError('network', 'The connection was closed before the answer came.'))
    }
    this.#pending.clear()
  }

  /**
   * @param {string} detail
   * @param {number} [retryAfter]
   */
  #down(detail, retryAfter) {
    if (this.#closed) return
    this.close()
    this.#events.down({ error: new ParleyError('network', detail), retryAfter })
  }

  /** @param {string} text */
  #receive(text) {
    this.#heard = this.#env.clock.now()
    this.#env.stats.bytesIn += frameBytes(byteLength(text))
    let object
    try {
      object = JSON.parse(text)
    } catch {
      return this.#down('What came back is not from Parley.')
    }
    if (object.hello) this.#hello(object.hello)
    else if (object.bye) this.#down('The server is leaving.', object.bye.retry_after)
    else if ('ref' in object || 'error' in object) this.#answer(object)
    else if (object.channel) {
      // The server has forgotten it, so it has to be told again if anybody still wants it.
      if (object.ended || object.gap?.reason === 'deleted') this.#told.delete(object.channel)
      this.#events.object(object)
    }
  }

  /** @param {import('./types.js').Hello} hello */
  #hello(hello) {
    this.user = hello.user ?? null
    if (hello.heartbeat) this.#heartbeat = hello.heartbeat * 1000
    this.#ready = true
    this.#listen()
    this.#events.hello(hello)
    this.sync()
  }

  /** @param {any} answer */
  #answer(answer) {
    const pending = this.#pending.get(answer.ref)
    if (!pending) return
    this.#pending.delete(answer.ref)
    this.#env.clock.clearTimeout(pending.timer)
    if (answer.error) pending.reject(fromProblem(answer.error))
    else pending.resolve(answer.result)
  }

  /** @param {string} channel  @param {string} after */
  async #subscribe(channel, after) {
    const told = { answered: false, again: false }
    this.#told.set(channel, told)
    const current = () => this.#told.get(channel) === told
    try {
      const result = await this.command({ op: 'subscribe', channel, after })
      if (!current()) return
      told.answered = true
      if (after === 'end') this.#env.subscriptions.resolved(channel, result.position)
      if (told.again) this.rewind(channel)
      // Subscriptions made while this was under way.
      else this.sync()
    } catch (error) {
      if (!current() || !(error instanceof ParleyError)) return
      this.#told.delete(channel)
      if (error.status >= 400 && error.status < 500 && error.status !== 429) {
        this.#env.subscriptions.end({ channel, code: error.code, detail: error.detail })
      } else {
        this.#down(error.detail, error.retryAfter ?? undefined)
      }
    }
  }

  /** @param {string} channel */
  async #resolve(channel) {
    if (this.#resolving.has(channel)) return
    this.#resolving.add(channel)
    try {
      await this.#env.subscriptions.resolve(channel)
    } catch (error) {
      this.#down(String(error))
    } finally {
      this.#resolving.delete(channel)
    }
  }

  /** Silence is suspicious: first ask, then leave. */
  #listen() {
    const { clock } = this.#env
    const silent = clock.now() - this.#heard
    if (silent >= 2.5 * this.#heartbeat) return this.#down('The connection fell silent.')
    if (silent >= 1.3 * this.#heartbeat) this.command({ op: 'ping' }).catch(() => {})
    this.#watch = clock.setTimeout(() => this.#listen(), this.#heartbeat / 3)
  }
}

/**
 * A frame's size by its payload's (RFC 6455, 5.2), unmasked.
 * @param {number} length
 */
function frameBytes(length) {
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10)
}
