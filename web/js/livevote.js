// One vote, kept up to date: the tally of the highest version seen, and one's own ballot.

import { codeOf } from './errors.js'
import { Emitter } from './emitter.js'
import { observe } from './serverclock.js'

/** @typedef {import('../sdk/types.js').Vote} Vote */
/** @typedef {import('../sdk/types.js').Message} Message */
/** @typedef {import('../sdk/parley.js').Parley} Parley */

/** Emits `change`. */
export class LiveVote extends Emitter {
  /** @type {Vote | null} */
  vote = null
  /** What one has just chosen, until the server has answered. @type {number[] | null} */
  casting = null
  /** @type {{ close(): void } | null} */
  #subscription = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #refetch

  /** @param {Parley} client @param {string} code */
  constructor(client, code) {
    super()
    this.client = client
    this.code = code.toUpperCase()
  }

  /** Loads the vote. */
  async load() {
    this.take(await this.client.vote(this.code))
  }

  /** Follows the tally. */
  listen() {
    this.#subscription ??= this.client.subscribe(`vote:${this.code}`, {
      after: String(this.vote?.version ?? 0),
      onMessage: (/** @type {Message} */ message) => {
        if (message.type !== 'tally') return
        observe(message.at)
        this.#tally(message.data)
      },
      onGap: () => void this.load().catch(() => {}),
      onEnded: () => void (this.#subscription = null),
    })
  }

  close() {
    this.#subscription?.close()
    this.#subscription = null
    clearTimeout(this.#refetch)
  }

  /** Takes the vote as the asker sees it, unless something newer is known. @param {Vote} vote */
  take(vote) {
    if (this.vote && vote.version < this.vote.version) {
      this.vote = { ...this.vote, ballot: vote.ballot, mine: vote.mine }
      this.#later() // what only the asker sees must be of the newest version too
    } else {
      this.vote = vote
    }
    this.emit('change')
  }

  /** @param {Vote} tally */
  #tally(tally) {
    if (this.vote && tally.version <= this.vote.version) return
    const before = this.vote
    const who = new Map(before?.options.map(option => [option.id, option.who]))
    const options = tally.options.map(option => ({ ...option, who: tally.visible ? who.get(option.id) : undefined }))
    this.vote = { ...before, ...tally, options }
    if (!before || (tally.visible && tally.named)) this.#later()
    this.emit('change')
    this.emit('tally', tally)
  }

  /** Reads the vote as the asker sees it, soon and at most once a second. */
  #later() {
    this.#refetch ??= setTimeout(() => {
      this.#refetch = undefined
      this.load().catch(() => {})
    }, 1000)
  }

  /** @param {number[]} options */
  async cast(options) {
    this.casting = options
    this.emit('change')
    try {
      const vote = await this.client.cast(this.code, options)
      this.casting = null
      this.take(vote)
    } catch (error) {
      this.casting = null
      if (['vote_closed', 'already_voted', 'bad_options'].includes(codeOf(error))) this.load().catch(() => {})
      this.emit('change')
      throw error
    }
  }

  /** Changes the vote, as its owner. @param {Record<string, unknown>} change */
  async update(change) {
    this.take(await this.client.updateVote(this.code, change))
  }

  /** What is chosen on the screen. */
  get ballot() {
    return this.casting ?? this.vote?.ballot ?? []
  }

  /** Whether one has voted, as far as the server has said. */
  get voted() {
    return (this.vote?.ballot?.length ?? 0) > 0
  }
}

/**
 * What there is to draw for each option: its share of the voters, and whether it leads.
 * @param {Vote} vote
 */
export function shares(vote) {
  const most = Math.max(0, ...vote.options.map(option => option.count ?? 0))
  return vote.options.map(option => ({
    option,
    count: option.count ?? 0,
    share: vote.voters > 0 ? (option.count ?? 0) / vote.voters : 0,
    leads: most > 0 && option.count === most,
  }))
}
