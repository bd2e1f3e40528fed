import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff } from '../backoff.js'

test('ceilings double up to the greatest, and the delay is a random part of them', () => {
  const top = new Backoff({ min: 1000, max: 30_000, random: () => 1 })
  assert.deepEqual(Array.from({ length: 8 }, () => top.next()), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  top.reset()
  assert.equal(top.next(), 1000)
  const half = new Backoff({ min: 1000, random: () => 0.5 })
  assert.deepEqual([half.next(), half.next()], [500, 1000])
  for (let i = 0; i < 5000; i++) assert.ok(half.next() <= 15_000)
})

test('what the server asks for is never undercut', () => {
  for (const random of [() => 0, () => 0.99]) {
    const backoff = new Backoff({ min: 1000, random })
    for (const seconds of [0, 2.4, 60]) {
      const delay = backoff.next(seconds)
      assert.ok(delay >= seconds * 1000 && delay < seconds * 1000 + 1000)
    }
  }
})
