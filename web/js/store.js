// What the person has: their session, conversations, the rooms there are, and their votes.

import { parley } from './client.js'
import { codeOf } from './errors.js'
import { Conversation } from './conversation.js'
import { Emitter } from './emitter.js'

/** @typedef {import('../sdk/types.js').User} Me */
/** @typedef {import('../sdk/types.js').Room} Room */
/** @typedef {import('../sdk/types.js').Vote} Vote */
/** @typedef {import('../sdk/types.js').Conversation} Info */
/** @typedef {import('../sdk/types.js').Message} Message */

/** Emits `lists`, `unread`, `arrived` with {conversation, message}, `ended` with {conversation, code}. */
class Store extends Emitter {
  /** @type {Me | null} */
  me = null
  /** @type {Map<string, Conversation>} by channel */
  conversations = new Map()
  /** @type {Room[]} */
  rooms = []
  /** @type {Vote[]} */
  votes = []

  /** @type {{ close(): void } | null} */
  #inbox = null

  /** Finds out who is speaking; null for a first visit. */
  async resume() {
    try {
      this.me = (await parley.session()) ?? null
    } catch (error) {
      if (codeOf(error) !== 'no_session') throw error
    }
    return this.me
  }

  /** A first visit: a name, and one is in the lobby. @param {string} name */
  async signIn(name) {
    this.me = await parley.signIn(name)
    await parley.join('lobby').catch(() => {}) // an administrator may have deleted it
  }

  /** @param {string} name */
  async rename(name) {
    const me = await parley.rename(name)
    if (this.me) Object.assign(this.me, me)
    this.emit('lists')
  }

  /** Loads the lists and follows them, from before they were read: what changes meanwhile is told again and not missed. */
  async start() {
    const inbox = `user:${/** @type {Me} */ (this.me).id}`
    const { to } = await parley.history(inbox, 'end', 1)
    await this.refresh()
    this.#inbox ??= parley.subscribe(inbox, {
      after: to,
      onMessage: (/** @type {Message} */ message) => this.#inform(message),
      onSignal: (/** @type {any} */ signal) => {
        if (signal.type === 'read') this.conversations.get(signal.data.channel)?.setRead(signal.data.seq)
      },
      onGap: () => void this.refresh().catch(() => {}),
    })
  }

  /** Reads all lists anew. */
  async refresh() {
    const [conversations, rooms, votes] = await Promise.all([parley.conversations(), parley.rooms(), parley.votes()])
    this.rooms = rooms
    this.votes = votes
    const listed = new Set(conversations.map((/** @type {Info} */ c) => c.channel))
    for (const info of conversations) this.#add(info)
    for (const conversation of this.conversations.values())
      if (conversation.joined && !listed.has(conversation.channel)) this.#remove(conversation)
    this.emit('lists')
  }

  /** Reads the lists that no event announces. */
  async refreshRooms() {
    ;[this.rooms, this.votes] = await Promise.all([parley.rooms(), parley.votes()])
    this.emit('lists')
  }

  /** @param {Message} message of one's inbox */
  #inform({ type, data }) {
    if (type === 'conversation') {
      this.#add(data)
      this.emit('lists')
      this.refreshRooms().catch(() => {})
    } else if (type === 'left') {
      const conversation = this.conversations.get(data.channel)
      if (conversation) {
        this.#remove(conversation)
        this.emit('ended', { conversation, code: data.deleted ? 'channel_deleted' : 'left' })
      }
      this.refreshRooms().catch(() => {})
    }
  }

  /** @param {Info} info */
  #add(info) {
    let conversation = this.conversations.get(info.channel)
    if (!conversation) {
      conversation = this.#make(info)
      this.conversations.set(info.channel, conversation)
    } else if (!conversation.joined) {
      conversation.update({ ...info, unread: Math.max(info.unread, conversation.unread) })
    }
    conversation.joined = true
    conversation.listen()
    return conversation
  }

  /** @param {Info} info */
  #make(info) {
    const conversation = new Conversation(info, /** @type {Me} */ (this.me))
    conversation.on('unread', () => this.emit('unread'))
    conversation.on('info', () => this.emit('lists'))
    conversation.on('sent', () => {
      if (!conversation.joined) this.refresh().catch(() => {}) // speaking joins
    })
    conversation.on('arrived', message => {
      if (message.type === 'vote') this.refreshRooms().catch(() => {})
      if (message.type === 'text') this.#bump(conversation)
      this.emit('arrived', { conversation, message })
    })
    conversation.on('ended', code => {
      this.#remove(conversation)
      this.emit('ended', { conversation, code })
    })
    return conversation
  }

  /** Moves a direct conversation to the top of its list. @param {Conversation} conversation */
  #bump(conversation) {
    if (conversation.kind !== 'direct' || this.conversations.get(conversation.channel) !== conversation) return
    const rest = [...this.conversations].filter(([channel]) => channel !== conversation.channel)
    this.conversations = new Map([[conversation.channel, conversation], ...rest])
    this.emit('lists')
  }

  /** @param {Conversation} conversation */
  #remove(conversation) {
    conversation.joined = false
    conversation.close()
    this.conversations.delete(conversation.channel)
    this.emit('lists')
  }

  /** The room's conversation, also of a public room one is not in. @param {string} id */
  async room(id) {
    const known = this.conversations.get(`room:${id}`)
    if (known) return known
    const room = await parley.room(id)
    if (room.joined) await this.refresh()
    return this.conversations.get(room.channel) ?? this.#visit(room)
  }

  /** A conversation with a room without being in it. @param {Room} room */
  #visit(room) {
    const conversation = this.#make({ ...room, kind: 'room', position: 'end', read: 0, unread: 0 })
    this.conversations.set(room.channel, conversation)
    return conversation
  }

  /** The conversation with a person, by id or name. @param {string} user */
  async direct(user) {
    for (const known of this.conversations.values()) if (known.kind === 'direct' && known.with?.id === user) return known
    const { channel, with: other } = await parley.direct(user)
    const known = this.conversations.get(channel)
    if (known) return known
    const conversation = this.#make({
      channel,
      kind: 'direct',
      name: other.name,
      topic: '',
      private: false,
      with: other,
      position: 'end',
      read: 0,
      unread: 0,
    })
    this.conversations.set(channel, conversation)
    return conversation
  }

  /** @param {string} id @param {string} [invite] */
  async join(id, invite) {
    await parley.join(id, { invite })
    await this.refresh()
  }

  /** @param {string} id */
  async leave(id) {
    await parley.leave(id)
    await this.refresh()
  }

  /** Forgets a conversation that is not in the list and not on the screen. @param {string} channel */
  dropVisit(channel) {
    const conversation = this.conversations.get(channel)
    if (conversation && !conversation.joined) this.#remove(conversation)
  }

  /** @param {'room' | 'direct'} kind */
  listed(kind) {
    return [...this.conversations.values()].filter(c => c.kind === kind)
  }

  /** Public rooms one is not in. */
  otherRooms() {
    return this.rooms.filter(room => !this.conversations.has(room.channel))
  }

  /** The facts of a room. @param {string} channel */
  factsOf(channel) {
    return this.rooms.find(room => room.channel === channel)
  }

  get unread() {
    let sum = 0
    for (const conversation of this.conversations.values()) sum += conversation.unread
    return sum
  }
}

export const store = new Store()
