// One room or direct conversation: its messages as they are now, what is on its way, what is unread, who types, who is here.

import { parley } from './client.js'
import { retryAt } from './errors.js'
import { Emitter } from './emitter.js'
import { observe } from './serverclock.js'

/** @typedef {import('../sdk/types.js').Message} Message */
/** @typedef {import('../sdk/types.js').Person} Person */
/** @typedef {import('../sdk/types.js').Conversation} Info */
/** @typedef {{ id: string, text: string, at: string, failed: boolean, error?: unknown, until: number }} Pending */

/** @typedef {{ messages: Message[], first: number, last: number, older: boolean }} Part  of the past; first and last are seqs, shown or not */

const page = 50
const around = 25 // messages that are loaded behind one that is jumped to
const typingLasts = 6000
const unreadMost = 100

/** Whether a message is shown: edits and deletions are seen in what they changed. @param {Message} message */
const shows = message => message.type !== 'edit' && message.type !== 'delete'

/** Emits `messages`, `unread`, `typing`, `here`, `info`, and `ended` with the reason's code. */
export class Conversation extends Emitter {
  /** @type {Message[]} what is shown, ascending */
  messages = []
  /** What is shown instead, while one looks at a part of the past that is not loaded up to the newest. @type {Part | null} */
  part = null
  /** @type {Pending[]} */
  pending = []
  /** Whether there are older messages than those loaded. */
  older = true
  /** Whether the newest page is loaded. */
  loaded = false
  /** seq before which some messages cannot be had any more; 0: none. */
  gapBefore = 0
  /** @type {Map<string, { name: string, until: number }>} */
  typing = new Map()
  /** @type {Map<string, string>} names by id */
  here = new Map()
  hereCount = 0
  name = ''
  topic = ''
  private = false
  /** The other person of a direct conversation. @type {Person | null} */
  with = null
  /** Where the log stood when the list was read. */
  position = 'end'
  /** seq up to which one has read. */
  read = 0
  unread = 0

  /** @type {{ close(): void, position: any } | null} */
  #subscription = null
  /** @type {Promise<void> | null} */
  #loading = null
  #first = 0 // seq of the oldest message loaded, shown or not
  #marked = 0

  /** @param {Info} info @param {Person} me */
  constructor(info, me) {
    super()
    this.channel = info.channel
    this.kind = info.kind
    this.me = me
    /** Whether it is in one's list: a joined room, or an opened direct conversation. */
    this.joined = false
    this.update(info)
  }

  /** Takes the facts of the list. @param {Info} info */
  update(info) {
    this.name = info.name
    this.topic = info.topic ?? ''
    this.private = info.private ?? false
    this.with = info.with ?? null
    this.position = info.position
    this.read = Math.max(this.read, info.read)
    this.unread = info.unread
    this.emit('info')
    this.emit('unread')
  }

  /** The id of the room, or of the other person. */
  get id() {
    return this.kind === 'room' ? this.channel.slice('room:'.length) : (this.with?.id ?? '')
  }

  get path() {
    return (this.kind === 'room' ? '/r/' : '/d/') + encodeURIComponent(this.id)
  }

  /** Starts receiving what is new; where nothing says from where on, after the newest page is loaded. */
  listen() {
    if (this.position === 'end') return
    this.#subscription ??= parley.subscribe(this.channel, {
      after: this.position,
      onMessage: (/** @type {Message} */ message) => {
        observe(message.at)
        this.#apply(message, true)
      },
      onSignal: (/** @type {any} */ signal) => this.#signal(signal),
      onGap: (/** @type {any} */ gap) => this.#gap(gap.gap ?? gap),
      onEnded: (/** @type {any} */ reason) => {
        this.#subscription = null
        this.emit('ended', (reason?.ended ?? reason)?.code ?? 'channel_deleted')
      },
    })
  }

  /** Stops receiving. */
  close() {
    this.#subscription?.close()
    this.#subscription = null
    this.here.clear()
    this.typing.clear()
  }

  /** Loads the newest page, once. */
  load() {
    return (this.#loading ??= this.#page('end').then(
      () => {
        this.loaded = true
        this.emit('messages')
      },
      error => {
        this.#loading = null
        throw error
      },
    ))
  }

  /** What is shown, ascending. */
  get shown() {
    return this.part?.messages ?? this.messages
  }

  /** Whether there are older messages than those shown. */
  get olderThanShown() {
    return this.part?.older ?? this.older
  }

  /** Makes a message one of those shown; false if it is not there. @param {number} seq */
  async show(seq) {
    await this.load()
    if (seq >= this.#first) this.part = null
    else if (!this.part || seq < this.part.first || seq > this.part.last) {
      const batch = await parley.history(this.channel, String(seq + around + 1), page)
      const last = batch.messages.at(-1)?.seq ?? 0
      this.part = { messages: [], first: last + 1, last, older: true }
      this.#takeOlder(this.part, batch)
      this.#join()
    }
    this.emit('messages')
    return this.shown.some(message => message.seq === seq)
  }

  /** Shows the newest again. */
  home() {
    if (!this.part) return
    this.part = null
    this.emit('messages')
  }

  /** Loads one more page behind the part of the past that is shown. */
  async loadNewer() {
    const { part } = this
    if (!part) return
    const batch = await parley.history(this.channel, String(part.last + page + 1), page)
    if (this.part !== part) return
    const newer = batch.messages.filter((/** @type {Message} */ message) => message.seq > part.last)
    part.messages.push(...newer.filter(shows))
    part.last = newer.at(-1)?.seq ?? this.#first // where nothing is left between
    this.#join()
    this.emit('messages')
  }

  /** @param {Part} part @param {import('../sdk/types.js').Batch} batch */
  #takeOlder(part, batch) {
    part.messages.unshift(...batch.messages.filter(message => shows(message) && message.seq < part.first))
    part.first = Math.min(part.first, batch.messages[0]?.seq ?? part.first)
    part.older = Boolean(batch.more) && batch.messages.length > 0
  }

  /** Where the part of the past reaches what is loaded, they are one. */
  #join() {
    const { part } = this
    if (!part || part.last < this.#first - 1) return
    for (const message of part.messages) this.#insert(message)
    this.#first = Math.min(this.#first, part.first)
    this.older = part.older
    this.part = null
  }

  /** Loads one more page of the past, and more where that page had nothing to show. */
  async loadOlder() {
    const { part } = this
    if (part) {
      const before = part.messages.length
      do this.#takeOlder(part, await parley.history(this.channel, String(part.first), page))
      while (part.older && part.messages.length === before)
      return this.emit('messages')
    }
    if (!this.loaded || !this.older) return
    const before = this.messages.length
    do await this.#page(String(this.#first))
    while (this.older && this.messages.length === before)
    this.emit('messages')
  }

  /** @param {string} before */
  async #page(before) {
    const batch = await parley.history(this.channel, before, page)
    for (const message of batch.messages) this.#apply(message, false)
    if (batch.messages.length) this.#first = Math.min(this.#first || Infinity, batch.messages[0].seq)
    this.older = Boolean(batch.more) && batch.messages.length > 0
    if (this.position !== 'end') return
    this.position = batch.to
    this.listen()
  }

  /** @param {Message} message @param {boolean} live */
  #apply(message, live) {
    const { type, from, data } = message
    if (!shows(message)) {
      if (live) this.#amend(message)
      return
    }
    if (!this.#insert(message)) return
    if (from?.id === this.me.id) this.pending = this.pending.filter(p => p.id !== message.id)
    if (!live) return
    if (type === 'topic') {
      this.name = data.name ?? this.name
      this.topic = data.topic ?? this.topic
      this.emit('info')
    }
    if (from) this.typing.delete(from.id)
    if (this.joined && type === 'text' && from?.id !== this.me.id && message.seq > this.read) {
      this.unread = Math.min(unreadMost, this.unread + 1)
      this.emit('unread')
    }
    this.emit('messages')
    this.emit('arrived', message)
  }

  /** Puts a message at its place; false if it was there. @param {Message} message */
  #insert(message) {
    let i = this.messages.length
    while (i > 0 && this.messages[i - 1].seq > message.seq) i--
    if (i > 0 && this.messages[i - 1].seq === message.seq) return false
    this.messages.splice(i, 0, message)
    return true
  }

  /** @param {Message} event an edit or deletion */
  #amend({ type, at, data }) {
    for (const messages of [this.messages, this.part?.messages ?? []]) {
      const i = messages.findIndex(m => m.seq === data.seq)
      if (i >= 0) messages[i] = { ...messages[i], data: type === 'edit' ? { text: data.text, edited: at } : { deleted: true } }
    }
    this.emit('messages')
  }

  /** @param {{ from?: string, reason: string, resume?: string }} gap */
  #gap(gap) {
    if (gap.reason === 'deleted') return // `ended` follows
    // The past on the screen may not be the log's any more, so it is read anew, with a line where something is missing.
    this.messages = []
    this.part = null
    this.#first = 0
    this.gapBefore = Number.parseInt(gap.resume ?? '0', 10) + 1
    this.#loading = null
    this.load().catch(() => {})
  }

  /** @param {{ type: string, from?: Person, data?: any }} signal */
  #signal({ type, from, data }) {
    if (type === 'typing' && from && from.id !== this.me.id) {
      this.typing.set(from.id, { name: from.name, until: Date.now() + typingLasts })
      setTimeout(() => this.emit('typing'), typingLasts + 50)
      this.emit('typing')
    } else if (type === 'here') {
      this.setHere(data.here, data.count)
    } else if (type === 'join' && from) {
      if (!this.here.has(from.id)) this.hereCount++
      this.here.set(from.id, from.name)
      this.emit('here')
    } else if (type === 'leave' && from) {
      if (this.here.delete(from.id)) this.hereCount--
      this.typing.delete(from.id)
      this.emit('here')
      this.emit('typing')
    }
  }

  /** @param {Person[]} people @param {number} count */
  setHere(people, count) {
    this.here = new Map(people.map(p => [p.id, p.name]))
    this.hereCount = count
    this.emit('here')
  }

  /** Asks who is here, for transports that carry no signals. */
  async refreshHere() {
    const { here, count } = await parley.presence(this.channel)
    this.setHere(here, count)
  }

  /** The names of those who are typing now. */
  typingNames() {
    const now = Date.now()
    return [...this.typing.values()].filter(who => who.until > now).map(who => who.name)
  }

  /** Shows the text at once, and sends it. @param {string} text */
  send(text) {
    const pending = { id: crypto.randomUUID(), text, at: new Date().toISOString(), failed: false, until: 0 }
    this.pending.push(pending)
    return this.#transmit(pending)
  }

  /** @param {Pending} pending */
  retry(pending) {
    pending.failed = false
    return this.#transmit(pending)
  }

  /** @param {Pending} pending */
  discard(pending) {
    this.pending = this.pending.filter(p => p !== pending)
    this.emit('messages')
  }

  /** @param {Pending} pending */
  async #transmit(pending) {
    this.emit('messages')
    try {
      const sent = await parley.sendText(this.channel, pending.text, { id: pending.id })
      observe(sent.at)
      this.#insert({ seq: sent.seq, id: pending.id, type: 'text', from: this.me, at: sent.at, data: { text: pending.text } })
      this.pending = this.pending.filter(p => p !== pending)
      this.emit('sent')
    } catch (error) {
      Object.assign(pending, { failed: true, error, until: retryAt(error) })
    }
    this.emit('messages')
  }

  /** @param {number} seq @param {string} text */
  edit(seq, text) {
    return parley.publish(this.channel, { type: 'edit', data: { seq, text } })
  }

  /** @param {number} seq */
  delete(seq) {
    return parley.publish(this.channel, { type: 'delete', data: { seq } })
  }

  /** The last text of one's own that can be edited. */
  lastOwn() {
    return this.messages.findLast(m => m.type === 'text' && m.from?.id === this.me.id && !m.data.deleted)
  }

  /** Says that all there is has been read. */
  markRead() {
    const last = this.messages.at(-1)?.seq ?? 0
    this.setRead(last)
    if (!this.joined || last <= this.#marked) return
    this.#marked = last
    parley.markRead(this.channel, last).catch(() => (this.#marked = 0))
  }

  /** Takes what has been read, here or on another of one's screens. @param {number} seq */
  setRead(seq) {
    if (seq <= this.read && this.unread === 0) return
    this.read = Math.max(this.read, seq)
    this.unread = this.messages.filter(m => m.type === 'text' && m.seq > this.read && m.from?.id !== this.me.id).length
    this.emit('unread')
  }
}
