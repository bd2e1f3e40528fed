// The batch rule against a model: a log, and a connection that delivers pieces of it in any order, any number of times.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../position.js'
import { Subscriptions } from '../subscriptions.js'
import { FakeClock, seeded } from './tools.js'

function make() {
  const clock = new FakeClock()
  const stats = { messages: 0, lastDelay: null }
  const subscriptions = new Subscriptions({ http: null, clock, stats })
  const rewinds = []
  subscriptions.onRewind = channel => rewinds.push(channel)
  return { clock, stats, subscriptions, rewinds }
}
const position = seq => (seq === 0 ? '0' : `${seq}-mark${seq}`)
const message = seq => ({ seq, id: `m${seq}`, type: 'text', from: null, at: '2026-01-31T09:30:00.000Z', data: {} })
const batch = (from, to) => ({
  channel: 'room:a', from: position(from), to: position(to), messages: Array.from({ length: to - from }, (_, i) => message(from + 1 + i)),
})

test('judge', () => {
  const cases = [
    ['5-x', '5-x', '9-y', 'apply'], ['5', '5-x', '9-y', 'apply'], ['5-x', '5', '9-y', 'apply'], ['0', '0', '2-y', 'apply'],
    ['5-x', '5-z', '9-y', 'hole'], ['7-x', '5-x', '9-y', 'part'], ['9-y', '5-x', '9-y', 'drop'], ['9-z', '5-x', '9-y', 'hole'],
    ['10-x', '5-x', '9-y', 'drop'], ['4-x', '5-x', '9-y', 'hole'], ['5-x', '5-x', '5-x', 'apply'],
  ]
  for (const [at, from, to, verdict] of cases) assert.equal(judge(at, { from, to }), verdict, `${at} in ${from}..${to}`)
})

test('any pieces in any order: each message once, in order', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed)
    const { clock, subscriptions, rewinds } = make()
    const got = []
    const sub = subscriptions.add('room:a', { after: '0', onMessage: m => got.push(m.seq) })
    const tail = 40
    for (let i = 0; i < 60; i++) {
      const from = Math.floor(random() * tail)
      subscriptions.receive(batch(from, from + Math.floor(random() * (tail - from + 1))))
      assert.deepEqual(got, Array.from({ length: got.length }, (_, n) => n + 1), `seed ${seed}`)
      assert.equal(sub.position, position(got.length))
      clock.advance(random() * 300)
      // A link does as it is told: it reads from the wanted position, some messages.
      if (rewinds.length > 0 && random() < 0.7) {
        rewinds.length = 0
        const after = parseInt(subscriptions.after('room:a'), 10)
        subscriptions.receive(batch(after, Math.min(tail, after + 5)))
      }
    }
    for (let i = 0; got.length < tail && i < 100; i++) {
      subscriptions.receive(batch(got.length, tail))
      clock.advance(60_000)
    }
    assert.equal(got.length, tail)
  }
})

test('a hole asks for a rewind, and soon stops asking when that does not help', () => {
  const { clock, subscriptions, rewinds } = make()
  subscriptions.add('room:a', { after: position(2) })
  for (let i = 0; i < 10_000; i++) {
    subscriptions.receive(batch(5, 6))
    clock.advance(10)
  }
  assert.ok(rewinds.length >= 5 && rewinds.length <= 15, `${rewinds.length} rewinds in 100 s`)
})

test('a hole that fills itself needs no second rewind', () => {
  const { clock, subscriptions, rewinds } = make()
  const got = []
  subscriptions.add('room:a', { after: '0', onMessage: m => got.push(m.seq) })
  subscriptions.receive(batch(3, 5))
  subscriptions.receive(batch(0, 5))
  clock.advance(1000)
  assert.deepEqual(got, [1, 2, 3, 4, 5])
  assert.deepEqual(rewinds, [])
})

test('another mark at the same seq asks the server, which knows of the rollback', () => {
  const { clock, subscriptions, rewinds } = make()
  const gaps = []
  const sub = subscriptions.add('room:a', { after: '5-other', onGap: g => gaps.push(g) })
  subscriptions.receive(batch(5, 7))
  clock.advance(1)
  assert.deepEqual(rewinds, ['room:a'])
  const gap = { from: '5-other', reason: 'rollback', resume: position(3), tail: position(7) }
  subscriptions.receive({ channel: 'room:a', gap })
  assert.deepEqual(gaps, [{ channel: 'room:a', ...gap }])
  assert.equal(sub.position, position(3))
})

test('a gap that speaks to a reader further on is not ours', () => {
  const { subscriptions } = make()
  const gaps = []
  const sub = subscriptions.add('room:a', { after: position(8), onGap: g => gaps.push(g) })
  subscriptions.receive({ channel: 'room:a', gap: { from: position(2), reason: 'retention', resume: position(6), tail: position(9) } })
  assert.deepEqual(gaps, [])
  assert.equal(sub.position, position(8))
  // What it lacks is a part of this one.
  const rest = { reason: 'retention', resume: position(11), tail: position(12) }
  subscriptions.receive({ channel: 'room:a', gap: { from: position(2), ...rest } })
  assert.deepEqual(gaps, [{ channel: 'room:a', from: position(8), ...rest }])
  assert.equal(sub.position, position(11))
})

test('a deletion is told from where the reader is, though another request heard of it', () => {
  const { subscriptions } = make()
  const gaps = []
  subscriptions.add('room:a', { after: position(8), onGap: g => gaps.push(g) })
  subscriptions.receive({ channel: 'room:a', gap: { from: position(2), reason: 'deleted' } })
  assert.deepEqual(gaps, [{ channel: 'room:a', from: position(8), reason: 'deleted' }])
})

test('only the newest of a vote: a batch may leave out messages', () => {
  const { subscriptions } = make()
  const got = []
  const sub = subscriptions.add('room:a', { after: position(2), onMessage: m => got.push(m.seq) })
  subscriptions.receive({ ...batch(2, 9), messages: [message(9)] })
  subscriptions.receive({ ...batch(5, 12), messages: [message(12)] })
  assert.deepEqual(got, [9, 12])
  assert.equal(sub.position, position(12))
})

test('closing inside a handler stops at once', () => {
  const { subscriptions } = make()
  const got = []
  const sub = subscriptions.add('room:a', { after: '0', onMessage: m => (got.push(m.seq), m.seq === 2 && sub.close()) })
  subscriptions.receive(batch(0, 5))
  assert.deepEqual(got, [1, 2])
  assert.equal(subscriptions.size, 0)
})

test('onBatch gets only what is new', () => {
  const { subscriptions } = make()
  const batches = []
  subscriptions.add('room:a', { after: position(2), onBatch: b => batches.push(b) })
  subscriptions.receive(batch(0, 4))
  subscriptions.receive(batch(0, 4))
  assert.deepEqual(batches, [{ ...batch(2, 4) }])
})

test('a channel that is wanted again is read again from where it is wanted', () => {
  const { subscriptions } = make()
  const fresh = []
  subscriptions.onFresh = channel => fresh.push(subscriptions.after(channel))
  const sub = subscriptions.add('room:a', { after: '7-mark7' })
  sub.close()
  subscriptions.add('room:a', { after: '3-mark3' }) // before a link has noticed anything
  subscriptions.add('room:a', { after: '3-mark3' })
  assert.deepEqual(fresh, ['7-mark7', '3-mark3'])
})
