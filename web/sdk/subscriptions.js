import { ParleyError } from './errors.js'
import { inPath } from './http.js'
import { judge, seqOf } from './position.js'

/** @typedef {import('./types.js').SubscribeOptions} SubscribeOptions */

/** One reader of one channel: where it is, and whom it tells. */
export class Subscription {
  /** @param {string} channel  @param {SubscribeOptions} options  @param {(sub: Subscription) => void} onClose */
  constructor(channel, options, onClose) {
    this.channel = channel
    /** Where this reader is: give it to `after` to go on from here. `end` until the server has said where that is. */
    this.position = String(options.after ?? 'end')
    this.closed = false
    /** @internal */
    this.handlers = options
    this.#onClose = onClose
  }

  #onClose

  close() {
    if (this.closed) return
    this.closed = true
    this.#onClose(this)
  }
}

/** All subscriptions to one channel. They share what the connection reads, each takes from it what it has not. */
class Feed {
  /** @type {Set<Subscription>} */
  subs = new Set()
  /** Highest seq that is read or being read from here; a subscription behind it needs a rewind. */
  reached = 0
  /** Rewinds since something could be applied. */
  holes = 0
  /** A subscription's mark differs from the batch's: its past is not this log's. */
  forked = false
  /** A rewind that is under way. @type {any} */
  rewind = null

  get unresolved() {
    return [...this.subs].filter(sub => sub.position === 'end')
  }

  /** The earliest position of any of them. */
  get after() {
    /** @type {string | null} */
    let first = null
    for (const { position } of this.subs) {
      if (position !== 'end' && (first === null || seqOf(position) < seqOf(first))) first = position
    }
    return first ?? 'end'
  }
}

/**
 * Positions and the batch rule: the part that makes it irrelevant through which connection, how often and in what order
 * something arrives. Any number of links may feed it.
 */
export class Subscriptions {
  /** Channels or positions have changed. @type {() => void} */
  onChange = () => {}
  /** A channel has to be read again from its wanted position. @type {(channel: string) => void} */
  onRewind = () => {}
  /** A channel is wanted that was not: whoever reads it, as it was wanted a moment ago, is not where it has to be. @type {(channel: string) => void} */
  onFresh = () => {}
  /** @type {Map<string, Feed>} */
  #feeds = new Map()
  #http
  #clock
  #stats

  /** @param {{ http: import('./http.js').Http, clock: import('./types.js').Clock, stats: import('./types.js').Stats }} env */
  constructor({ http, clock, stats }) {
    this.#http = http
    this.#clock = clock
    this.#stats = stats
  }

  /** @param {string} channel  @param {SubscribeOptions} options */
  add(channel, options) {
    const sub = new Subscription(channel, options, closing => this.#remove(closing))
    const feed = this.#feeds.get(channel) ?? new Feed()
    const known = feed.subs.size > 0
    this.#feeds.set(channel, feed)
    feed.subs.add(sub)
    if (!known) {
      feed.reached = seqOf(sub.position)
      this.onFresh(channel)
    } else if (sub.position !== 'end' && seqOf(sub.position) < feed.reached) this.#rewind(channel, feed)
    this.onChange()
    return sub
  }

  /** What has to be read, and from where: the earliest position of the channel's subscriptions. */
  wanted() {
    return [...this.#feeds].map(([channel, feed]) => ({ channel, after: feed.after }))
  }

  /** @param {string} channel */
  after(channel) {
    return this.#feeds.get(channel)?.after ?? null
  }

  get size() {
    return this.#feeds.size
  }

  /** Channels with a subscription that does not know yet where `end` is. */
  unresolved() {
    return [...this.#feeds].filter(([, feed]) => feed.unresolved.length > 0).map(([channel]) => channel)
  }

  /**
   * The server has said where `end` is.
   * @param {string} channel
   * @param {string} position
   */
  resolved(channel, position) {
    const feed = this.#feeds.get(channel)
    const waiting = feed?.unresolved ?? []
    if (!feed || waiting.length === 0) return
    for (const sub of waiting) sub.position = position
    feed.reached = Math.max(feed.reached, seqOf(position))
    // Something newer went by while it did not know where it was, or another one is further back.
    if (seqOf(feed.after) < feed.reached) this.#rewind(channel, feed)
  }

  /**
   * Asks the server where `end` is. The many-channel request leaves out channels with nothing new, so a reader that
   * started it at `end` would not learn where it was, and miss what comes before its next request.
   * @param {string} channel
   * @param {AbortSignal} [signal]
   */
  async resolve(channel, signal) {
    try {
      const { body } = await this.#http.request('GET', `/v1/channels/${inPath(channel)}/messages?after=end&limit=1`, { signal })
      if (body?.gap) this.receive(body)
      else if (typeof body?.to !== 'string') throw new ParleyError('unexpected', 'The server answered no batch.')
      else this.resolved(channel, body.to)
    } catch (error) {
      if (!(error instanceof ParleyError) || !isRefusal(error)) throw error
      this.end({ channel, code: error.code, detail: error.detail })
    }
  }

  /**
   * Takes an object of the stream: batch, gap, signal or ended.
   * @param {any} object
   */
  receive(object) {
    const feed = this.#feeds.get(object.channel)
    if (!feed) return
    if (Array.isArray(object.messages)) this.#batch(feed, object)
    else if (object.gap) this.#gap(feed, object.channel, object.gap)
    else if (object.signal) for (const sub of feed.subs) call(sub.handlers.onSignal, { channel: object.channel, ...object.signal })
    else if (object.ended) this.end({ channel: object.channel, ...object.ended })
  }

  /**
   * Nobody reads this channel here any more.
   * @param {import('./types.js').Ended} ended
   */
  end(ended) {
    const feed = this.#feeds.get(ended.channel)
    if (!feed) return
    for (const sub of [...feed.subs]) {
      sub.close()
      call(sub.handlers.onEnded, ended)
    }
  }

  close() {
    for (const feed of [...this.#feeds.values()]) for (const sub of [...feed.subs]) sub.close()
  }

  /** @param {Feed} feed  @param {import('./types.js').Batch} batch */
  #batch(feed, batch) {
    let hole = false
    feed.reached = Math.max(feed.reached, seqOf(batch.to))
    for (const sub of [...feed.subs]) {
      if (sub.position === 'end' || sub.closed) continue
      const verdict = judge(sub.position, batch)
      if (verdict === 'hole') {
        hole = true
        if (seqOf(sub.position) >= seqOf(batch.from)) feed.forked = true
      } else if (verdict !== 'drop') {
        this.#apply(sub, batch)
      }
    }
    if (hole) this.#rewind(batch.channel, feed)
    else feed.holes = 0
  }

  /** @param {Subscription} sub  @param {import('./types.js').Batch} batch */
  #apply(sub, batch) {
    const own = seqOf(sub.position)
    const messages = batch.messages.filter(message => message.seq > own)
    const from = sub.position
    // Before the handlers: one that throws, or that subscribes or closes, must not see this batch again.
    sub.position = batch.to
    for (const message of messages) {
      if (sub.closed) return
      this.#stats.messages++
      this.#stats.lastDelay = this.#clock.now() - Date.parse(message.at)
      call(sub.handlers.onMessage, message, batch.channel)
    }
    if (!sub.closed && messages.length > 0) call(sub.handlers.onBatch, { ...batch, from, messages })
  }

  /** @param {Feed} feed  @param {string} channel  @param {import('./types.js').Gap} gap */
  #gap(feed, channel, gap) {
    const { reason, resume } = gap
    if (reason === 'deleted' || resume === undefined) {
      // The answer may be to an older request than what the reader has by now.
      for (const sub of [...feed.subs])
        call(sub.handlers.onGap, { channel, ...gap, from: sub.position === 'end' ? gap.from : sub.position })
      this.end({ channel, code: 'channel_deleted', detail: 'This channel has been deleted.' })
      return
    }
    let hole = false
    for (const sub of [...feed.subs]) {
      if (sub.position === 'end' || sub.closed) continue
      const at = seqOf(sub.position)
      const sameStart = at === seqOf(gap.from)
      // A gap speaks to the reader at its `from`. One further on is past it, unless what it lacks is inside.
      if (reason === 'retention' && at >= seqOf(resume)) continue
      if (!sameStart && (reason === 'rollback' || at < seqOf(gap.from))) {
        hole = true
        feed.forked ||= reason === 'rollback'
        continue
      }
      const from = at > seqOf(gap.from) ? sub.position : gap.from
      sub.position = resume
      call(sub.handlers.onGap, { channel, ...gap, from })
    }
    // After a rollback the log may be shorter than it was.
    feed.reached = reason === 'rollback' ? seqOf(resume) : Math.max(feed.reached, seqOf(resume))
    if (hole) this.#rewind(channel, feed)
    else feed.holes = 0
  }

  /**
   * Reads the channel again. At once the first time; slower where that has not helped, so that a disagreement with the
   * server can never become a storm.
   * @param {string} channel
   * @param {Feed} feed
   */
  #rewind(channel, feed) {
    if (feed.rewind !== null) return
    const delay = feed.holes === 0 ? 0 : Math.min(30_000, 100 * 2 ** Math.min(feed.holes, 10))
    feed.holes++
    feed.rewind = this.#clock.setTimeout(() => {
      feed.rewind = null
      // What came meanwhile may have filled it.
      if (!feed.forked && seqOf(feed.after) >= feed.reached) return
      feed.forked = false
      feed.reached = seqOf(feed.after)
      this.onRewind(channel)
    }, delay)
  }

  /** @param {Subscription} sub */
  #remove(sub) {
    const feed = this.#feeds.get(sub.channel)
    if (!feed?.subs.delete(sub)) return
    if (feed.subs.size === 0) {
      this.#clock.clearTimeout(feed.rewind)
      this.#feeds.delete(sub.channel)
    }
    this.onChange()
  }
}

/**
 * Whether the server has said no to this very request, so that asking again would be answered the same.
 * @param {ParleyError} error
 */
export function isRefusal(error) {
  return error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429 && error.code !== 'unexpected'
}

/**
 * A handler's failure is its own: it is reported as any uncaught error is, and harms no other handler and no connection.
 * @template {any[]} A
 * @param {((...args: A) => void) | undefined} handler
 * @param {A} args
 */
export function call(handler, ...args) {
  try {
    handler?.(...args)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
