import { Backoff } from './backoff.js'
import { isOffline } from './page.js'
import { call } from './subscriptions.js'

/** @typedef {import('./types.js').Transport} Transport */
/** @typedef {import('./types.js').Link} Link */

/** Best first. @type {Transport[]} */
export const transports = ['websocket', 'sse', 'longpoll', 'poll']

/** So many connections in a row that die young, and the next lower transport is taken. */
const maxShortLives = 3

/** A better transport that has worked before is tried again this soon (ms): more likely the server was away than the way is barred. */
const soon = 2000

/**
 * Which transport is in use. It chooses, falls back and climbs back:
 *
 * - A *round* tries transports in order until one says hello, that is, until a byte of the server's has come through it. A
 *   round that finds none is followed by a wait (full jitter) and another round.
 * - The *current* link is the one that has said hello. While it works, a round of the better transports is tried now and
 *   then; the current link goes on delivering until the better one has said hello.
 * - What dies young three times in a row is as bad as what does not open.
 *
 * It needs to know nothing of positions: those are in Subscriptions, which every link feeds and reads.
 */
export class Connection {
  /** @type {Link | null} */
  #current = null
  /** The link being tried. @type {Link | null} */
  #candidate = null
  /** The link of a session that is no longer ours. @type {Link | null} */
  #stale = null
  /** What this round will try next. @type {Transport[]} */
  #queue = []
  /** @type {'auto' | Transport} */
  #preferred
  #closed = false
  /** Whether the wait is the server's wish. */
  #imposed = false
  /** @type {number | null} */
  #retryAt = null
  #retryTimer = null
  #helloTimer = null
  #climbTimer = null
  #climbDelay
  #openedAt = 0
  #failedRounds = 0
  /** @type {Record<Transport, number>} */
  #shortLives = { websocket: 0, sse: 0, longpoll: 0, poll: 0 }
  /** @type {Set<Transport>} */
  #worked = new Set()
  #backoff
  #env
  #make
  #memory
  /** @type {Set<() => void>} */
  #listeners = new Set()
  #told = ''

  /**
   * @param {import('./types.js').Env} env
   * @param {{ transport: 'auto' | Transport, make: (kind: Transport, events: import('./types.js').LinkEvents) => Link,
   *   memory: { get: () => string | null, set: (kind: string) => void } }} options
   */
  constructor(env, { transport, make, memory }) {
    this.#env = env
    this.#preferred = transport
    this.#make = make
    this.#memory = memory
    this.#climbDelay = env.timeouts.climbMin
    this.#backoff = new Backoff({ min: env.timeouts.retryMin, max: env.timeouts.retryMax, random: env.random })
  }

  /** @returns {import('./types.js').ConnectionInfo} */
  get info() {
    return {
      state: this.state,
      transport: this.#current?.kind ?? this.#candidate?.kind ?? null,
      forced: this.#preferred === 'auto' ? null : this.#preferred,
      retryAt: this.#retryAt,
      stats: { ...this.#env.stats },
    }
  }

  /** @returns {import('./types.js').State} */
  get state() {
    if (this.#closed) return 'closed'
    if (this.#current) return 'open'
    if (this.#retryAt !== null) return isOffline() ? 'offline' : 'waiting'
    return 'connecting'
  }

  /** The current link. */
  get link() {
    return this.#current
  }

  /**
   * Calls fn after each change of state, transport, forced or retryAt.
   * @param {() => void} fn
   * @returns {() => void} stops it
   */
  onChange(fn) {
    this.#listeners.add(fn)
    return () => this.#listeners.delete(fn)
  }

  /** The subscriptions have changed. The first one opens the connection. */
  changed() {
    if (this.#closed) return
    this.#current?.sync()
    this.#candidate?.sync()
    if (this.#env.subscriptions.size > 0 && !this.#current && !this.#candidate && this.#retryAt === null) this.#round(this.#plan())
  }

  /** @param {string} channel */
  rewind(channel) {
    this.#current?.rewind(channel)
    this.#candidate?.rewind(channel)
  }

  /**
   * Changes the transport. The present one goes on delivering until the new one has said hello.
   * @param {'auto' | Transport} name
   */
  use(name) {
    if (this.#closed || name === this.#preferred) return
    this.#preferred = name
    this.#climbDelay = this.#env.timeouts.climbMin
    for (const kind of transports) this.#shortLives[kind] = 0
    this.#abandon()
    if (this.#env.subscriptions.size > 0 || this.#current) {
      const better = name === 'auto' && this.#current ? this.#better(this.#current.kind) : null
      if (better) this.#round(better)
      else if (this.#current?.kind !== name || this.#current === this.#stale) this.#round(this.#plan())
    }
    this.#changed()
  }

  /**
   * The session has changed: connect again as whoever this is now. The present link, still somebody else's, goes on
   * delivering until the new one has said hello, but carries nothing out any more.
   */
  renew() {
    if (this.#closed || (!this.#current && !this.#candidate)) return
    this.#abandon()
    this.#stale = this.#current
    if (this.#current) this.#current.user = null
    this.#round(this.#current ? [this.#current.kind] : this.#plan())
  }

  /** The page has woken up, or the network is back: do not wait any longer, and trust nothing. */
  wake() {
    if (this.#closed) return
    if (this.#retryAt !== null) {
      if (!this.#imposed) this.#retry()
    } else {
      this.#current?.check()
    }
    this.#changed()
  }

  /** Something may look different, such as whether we are offline. */
  look() {
    this.#changed()
  }

  close() {
    if (this.#closed) return
    this.#abandon()
    this.#current?.close()
    this.#current = null
    this.#closed = true
    this.#changed()
  }

  /** What a new round tries. @returns {Transport[]} */
  #plan() {
    if (this.#preferred !== 'auto') return [this.#preferred]
    const remembered = transports.indexOf(/** @type {Transport} */ (this.#memory.get()))
    // After a round in vain what worked once is no better than the others.
    let start = this.#failedRounds > 0 ? 0 : Math.max(0, remembered)
    while (start < transports.length - 1 && this.#shortLives[transports[start]] >= maxShortLives) start++
    return transports.slice(start)
  }

  /** @param {Transport} kind */
  #better(kind) {
    return transports.slice(0, transports.indexOf(kind))
  }

  /** Ends whatever is being waited for or tried. */
  #abandon() {
    const { clock } = this.#env
    clock.clearTimeout(this.#retryTimer)
    clock.clearTimeout(this.#helloTimer)
    clock.clearTimeout(this.#climbTimer)
    this.#retryAt = null
    this.#queue = []
    this.#candidate?.close()
    this.#candidate = null
  }

  /** @param {Transport[]} kinds */
  #round(kinds) {
    this.#queue = [...kinds]
    this.#next({})
  }

  /** @param {{ retryAfter?: number }} last  why the one before was given up */
  #next(last) {
    const kind = this.#queue.shift()
    if (kind !== undefined) return this.#try(kind)
    const unwanted = this.#preferred !== 'auto' && this.#current?.kind !== this.#preferred
    if (this.#current && (unwanted || this.#current === this.#stale)) {
      // Somebody insists on a transport that does not work: show it, instead of quietly using another. And nobody reads
      // on with a session that has ended.
      this.#current.close()
      this.#current = null
    }
    if (this.#current) return this.#planClimb()
    this.#failedRounds++
    this.#wait(last.retryAfter)
  }

  /** @param {Transport} kind */
  #try(kind) {
    /** @type {Link} */
    const link = this.#make(kind, {
      hello: hello => this.#hello(link, hello),
      object: object => this.#env.subscriptions.receive(object),
      down: down => this.#down(link, down),
    })
    this.#candidate = link
    const patience = this.#env.timeouts.hello[kind] * Math.min(4, 2 ** this.#failedRounds)
    this.#helloTimer = this.#env.clock.setTimeout(() => {
      link.close()
      this.#lost(link, {})
    }, patience)
    link.start()
    this.#changed()
  }

  /** @param {Link} link  @param {import('./types.js').Hello} hello */
  #hello(link, hello) {
    if (link !== this.#candidate) return
    if (this.#isStranger(link, hello)) {
      link.close()
      return this.#lost(link, {})
    }
    const { clock } = this.#env
    clock.clearTimeout(this.#helloTimer)
    const before = this.#current
    this.#current = link
    this.#candidate = null
    this.#queue = []
    before?.close()
    this.#openedAt = clock.now()
    this.#failedRounds = 0
    this.#worked.add(link.kind)
    if (this.#preferred === 'auto') this.#memory.set(link.kind)
    this.#planClimb()
    this.#changed()
  }

  /**
   * A browser's WebSocket cannot carry a token, only the cookie. Where the server therefore takes us for nobody, the other
   * transports, which can, are the better choice.
   * @param {Link} link
   * @param {import('./types.js').Hello} hello
   */
  #isStranger(link, hello) {
    return link.kind === 'websocket' && this.#preferred === 'auto' && this.#env.http.token !== null && hello.user === null
  }

  /** @param {Link} link  @param {import('./types.js').Down} down */
  #down(link, down) {
    // The server itself has spoken: another transport would be told the same, unless it is too many connections, for a
    // poll is none.
    if (link === this.#candidate && down.retryAfter !== undefined && down.error.code !== 'too_many_connections') this.#queue = []
    this.#lost(link, down)
  }

  /** @param {Link} link  @param {{ retryAfter?: number }} down */
  #lost(link, down) {
    if (link === this.#candidate) {
      this.#env.clock.clearTimeout(this.#helloTimer)
      this.#candidate = null
      return this.#next(down)
    }
    if (link !== this.#current) return
    this.#current = null
    this.#env.clock.clearTimeout(this.#climbTimer)
    this.#judgeLife(link.kind, down)
    // One that is being tried goes on; if it fails, the wait comes then.
    if (this.#candidate) this.#changed()
    else this.#wait(down.retryAfter)
  }

  /** @param {Transport} kind  @param {{ retryAfter?: number }} down */
  #judgeLife(kind, down) {
    const { clock, timeouts } = this.#env
    if (clock.now() - this.#openedAt >= timeouts.stable) {
      this.#shortLives[kind] = 0
      this.#backoff.reset()
      this.#climbDelay = timeouts.climbMin
    } else if (down.retryAfter === undefined && ++this.#shortLives[kind] >= maxShortLives) {
      this.#worked.delete(kind)
    }
  }

  /** @param {number} [retryAfter]  seconds */
  #wait(retryAfter) {
    const { clock, subscriptions } = this.#env
    if (subscriptions.size === 0) return this.#changed()
    const delay = this.#backoff.next(retryAfter)
    this.#imposed = retryAfter !== undefined
    this.#retryAt = clock.now() + delay
    this.#retryTimer = clock.setTimeout(() => this.#retry(), delay)
    this.#changed()
  }

  #retry() {
    this.#env.clock.clearTimeout(this.#retryTimer)
    this.#retryAt = null
    this.#round(this.#plan())
  }

  /** Plans the next try of something better than the current link. */
  #planClimb() {
    const { clock, timeouts, random } = this.#env
    clock.clearTimeout(this.#climbTimer)
    if (this.#preferred !== 'auto' || !this.#current) return
    const better = this.#better(this.#current.kind)
    if (better.length === 0) return
    const workedBefore = better.some(kind => this.#worked.has(kind)) && this.#climbDelay === timeouts.climbMin
    const delay = workedBefore ? Math.min(soon, this.#climbDelay) : this.#climbDelay
    this.#climbDelay = Math.min(timeouts.climbMax, this.#climbDelay * 2)
    this.#climbTimer = clock.setTimeout(() => {
      if (!this.#candidate && this.#current) this.#round(this.#better(this.#current.kind))
    }, delay * (0.75 + random() / 2))
  }

  #changed() {
    const { stats: _, ...info } = this.info
    const now = JSON.stringify(info)
    if (now === this.#told) return
    this.#told = now
    for (const fn of [...this.#listeners]) call(fn)
  }
}
