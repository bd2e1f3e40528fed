import { ParleyError } from './errors.js'
import { inPath } from './http.js'

/**
 * The requests and answers of the protocol, one method each. All reject with a ParleyError.
 */
export class Rest {
  /** @internal */
  http

  /** @param {import('./http.js').Http} http */
  constructor(http) {
    this.http = http
  }

  /** Called when who we are to the server has changed. */
  sessionChanged() {}

  /** Who we are, or null. @returns {Promise<import('./types.js').User | null>} */
  async session() {
    try {
      return (await this.#get('/v1/session')).user
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'no_session') return null
      throw error
    }
  }

  /**
   * A new guest with this name; with a session already, the same person, renamed if the name differs.
   * @param {string} name  1 to 32 characters
   * @returns {Promise<import('./types.js').User>}
   */
  async signIn(name) {
    const { status, body } = await this.http.request('POST', '/v1/session', { body: { name } })
    if (body.token) this.http.adopt(body.token)
    if (status === 201) this.sessionChanged()
    return body.user
  }

  /** @param {string} name  @returns {Promise<import('./types.js').User>} */
  async rename(name) {
    return (await this.#send('PATCH', '/v1/session', { name })).user
  }

  /** Forgets the guest: the name is free again. */
  async signOut() {
    await this.#send('DELETE', '/v1/session')
    this.http.adopt(null)
    this.sessionChanged()
  }

  /** @param {string} token  of the one-time link  @returns {Promise<import('./types.js').User | undefined>} */
  async claimAdmin(token) {
    const body = await this.#send('POST', '/v1/session/admin', { token })
    this.sessionChanged()
    return body?.user
  }

  /** Up to 20 people whose names start so. @param {string} q  @returns {Promise<import('./types.js').Person[]>} */
  async users(q) {
    return (await this.#get(`/v1/users?q=${encodeURIComponent(q)}`)).users
  }

  /** Public rooms, and the private ones one is in. @returns {Promise<import('./types.js').Room[]>} */
  async rooms() {
    return (await this.#get('/v1/rooms')).rooms
  }

  /** @param {{ name: string, topic?: string, private?: boolean }} room  @returns {Promise<import('./types.js').Room>} */
  createRoom(room) {
    return this.#send('POST', '/v1/rooms', room)
  }

  /** @param {string} id  @returns {Promise<import('./types.js').Room>} */
  room(id) {
    return this.#get(`/v1/rooms/${inPath(id)}`)
  }

  /** @param {string} id  @param {{ name?: string, topic?: string }} change  @returns {Promise<import('./types.js').Room>} */
  updateRoom(id, change) {
    return this.#send('PATCH', `/v1/rooms/${inPath(id)}`, change)
  }

  /** @param {string} id */
  async deleteRoom(id) {
    await this.#send('DELETE', `/v1/rooms/${inPath(id)}`)
  }

  /** @param {string} id  @param {{ invite?: string }} [options]  the invite, for private rooms */
  async join(id, { invite } = {}) {
    await this.#send('PUT', `/v1/rooms/${inPath(id)}/membership`, invite === undefined ? {} : { invite })
  }

  /** @param {string} id */
  async leave(id) {
    await this.#send('DELETE', `/v1/rooms/${inPath(id)}/membership`)
  }

  /** @param {string} id  @returns {Promise<import('./types.js').Person[]>} */
  async members(id) {
    return (await this.#get(`/v1/rooms/${inPath(id)}/members`)).members
  }

  /** @param {string} id  @returns {Promise<{ invite: string, url: string }>} */
  invite(id) {
    return this.#send('POST', `/v1/rooms/${inPath(id)}/invite`)
  }

  /** Makes old invite links void. @param {string} id */
  async revokeInvites(id) {
    await this.#send('DELETE', `/v1/rooms/${inPath(id)}/invite`)
  }

  /** @param {string} user  id or name  @returns {Promise<{ channel: string, with: import('./types.js').Person }>} */
  direct(user) {
    return this.#get(`/v1/direct/${inPath(user)}`)
  }

  /** @returns {Promise<import('./types.js').Conversation[]>} */
  async conversations() {
    return (await this.#get('/v1/conversations')).conversations
  }

  /** @param {string} channel  @param {number} seq  what one has read, never backwards */
  async markRead(channel, seq) {
    await this.#send('PUT', `/v1/channels/${inPath(channel)}/read`, { seq })
  }

  /**
   * The messages just before a position, ascending; `more` says that there are older ones still.
   * @param {string} channel
   * @param {string} [before]
   * @param {number} [limit]  1 to 1,000
   * @returns {Promise<import('./types.js').Batch>}
   */
  history(channel, before = 'end', limit = 50) {
    return this.#get(`/v1/channels/${inPath(channel)}/messages?before=${encodeURIComponent(before)}&limit=${limit}`)
  }

  /**
   * Messages that have all words of a query, the newest first: in one channel, or in all that one is in. `next` says where to go on.
   * @param {string} q  1 to 200 characters
   * @param {{ channel?: string, before?: string, limit?: number }} [options]  limit: 1 to 100, 20 by default
   * @returns {Promise<import('./types.js').SearchPage>}
   */
  search(q, { channel, before, limit } = {}) {
    const query = new URLSearchParams({ q })
    if (channel) query.set('channel', channel)
    if (before) query.set('before', before)
    if (limit) query.set('limit', String(limit))
    return this.#get(`/v1/search?${query}`)
  }

  /** @param {string} channel  @returns {Promise<{ channel: string, here: import('./types.js').Person[], count: number }>} */
  presence(channel) {
    return this.#get(`/v1/channels/${inPath(channel)}/presence`)
  }

  /** @param {import('./types.js').NewVote} vote  @returns {Promise<import('./types.js').Vote>} */
  createVote(vote) {
    return this.#send('POST', '/v1/votes', vote)
  }

  /** @param {string} code  @returns {Promise<import('./types.js').Vote>} */
  vote(code) {
    return this.#get(`/v1/votes/${inPath(code)}`)
  }

  /** @param {string} code  @param {import('./types.js').VoteChange} change  @returns {Promise<import('./types.js').Vote>} */
  updateVote(code, change) {
    return this.#send('PATCH', `/v1/votes/${inPath(code)}`, change)
  }

  /**
   * Casts a ballot, or changes it. May be repeated: one person has one ballot.
   * @param {string} code
   * @param {number | number[]} options
   * @returns {Promise<import('./types.js').Vote>}
   */
  cast(code, options) {
    return this.#send('PUT', `/v1/votes/${inPath(code)}/ballot`, { options: [options].flat() })
  }

  /** Votes one made, took part in, or that are in one's rooms, newest first. @returns {Promise<import('./types.js').Vote[]>} */
  async votes() {
    return (await this.#get('/v1/votes')).votes
  }

  /** Address of a vote's export. @param {string} code  @param {'csv' | 'json'} format */
  exportUrl(code, format) {
    return this.http.url(`/v1/votes/${inPath(code)}.${format}`)
  }

  /** Address of a vote's QR code (SVG). @param {string} code */
  qrUrl(code) {
    return this.http.url(`/v1/votes/${inPath(code)}/qr.svg`)
  }

  /** @param {string} path  @returns {Promise<any>} */
  async #get(path) {
    return (await this.http.request('GET', path)).body
  }

  /** @param {string} method  @param {string} path  @param {unknown} [body]  @returns {Promise<any>} */
  async #send(method, path, body) {
    return (await this.http.request(method, path, { body })).body
  }
}
