// Channels in memory, as docs/protocol.md describes them: seq, mark, batch, gap.
import { EventEmitter } from 'node:events'

const newMark = () => Math.random().toString(36).slice(2, 10).padEnd(8, '0')

export class Logs extends EventEmitter {
  #channels = new Map()

  constructor() {
    super()
    this.setMaxListeners(0)
  }

  get(channel) {
    if (!this.#channels.has(channel)) this.#channels.set(channel, { entries: [], base: 0, baseMark: '', keys: new Map(), deleted: false })
    return this.#channels.get(channel)
  }

  append(channel, { type = 'text', data = {}, id = newMark(), from = null }) {
    const log = this.get(channel)
    const key = `${from?.id} ${id}`
    if (log.keys.has(key)) return { ...log.keys.get(key), replayed: true }
    const seq = this.tail(channel) + 1
    const mark = newMark()
    const message = { seq, id, type, from, at: new Date().toISOString(), data }
    log.entries.push({ mark, message })
    const receipt = { channel, seq, position: `${seq}-${mark}`, id, at: message.at, durability: 'memory' }
    log.keys.set(key, receipt)
    this.emit('change', channel)
    return receipt
  }

  tail(channel) {
    const log = this.get(channel)
    return log.base + log.entries.length
  }

  position(channel, seq) {
    const log = this.get(channel)
    if (seq === 0) return '0'
    if (seq === log.base) return `${seq}-${log.baseMark}`
    return `${seq}-${log.entries[seq - log.base - 1].mark}`
  }

  /** Retention: the first messages are gone. */
  forget(channel, upTo) {
    const log = this.get(channel)
    log.baseMark = log.entries[upTo - log.base - 1].mark
    log.entries.splice(0, upTo - log.base)
    log.base = upTo
  }

  /** A failover that lost a tail. */
  lose(channel, count) {
    this.get(channel).entries.splice(-count)
    this.emit('change', channel)
  }

  delete(channel) {
    this.get(channel).deleted = true
    this.emit('change', channel)
  }

  messages(channel) {
    return this.get(channel).entries.map(entry => entry.message)
  }

  /** A batch (which may be empty) or a gap. */
  read(channel, after, limit = 100) {
    const log = this.get(channel)
    const tail = this.tail(channel)
    if (log.deleted) return { channel, gap: { from: after, reason: 'deleted' } }
    if (after === 'end') after = this.position(channel, tail)
    const seq = parseInt(after, 10)
    const gap = (reason, resume) => ({ channel, gap: { from: after, reason, resume: this.position(channel, resume), tail: this.position(channel, tail) } })
    if (seq > tail) return gap('rollback', tail)
    if (seq < log.base) return gap('retention', log.base)
    if (after.includes('-') && this.position(channel, seq) !== after) return gap('rollback', log.base)
    return this.slice(channel, seq, Math.min(tail, seq + limit))
  }

  slice(channel, from, to) {
    const log = this.get(channel)
    const batch = {
      channel, from: this.position(channel, from), to: this.position(channel, to),
      messages: log.entries.slice(from - log.base, to - log.base).map(entry => entry.message),
    }
    return to < this.tail(channel) ? { ...batch, more: true } : batch
  }

  before(channel, before, limit) {
    const to = before === 'end' ? this.tail(channel) : parseInt(before, 10) - 1
    const from = Math.max(this.get(channel).base, to - limit)
    const { more: _, ...batch } = this.slice(channel, from, to)
    return from > this.get(channel).base ? { ...batch, more: true } : batch
  }
}
