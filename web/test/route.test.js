import './page.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from '../js/router.js'

test('an address may name one message', () => {
  const at = (pathname, hash) => parse({ pathname, search: '', hash })
  assert.deepEqual(at('/r/lobby', '#m=42'), { name: 'room', id: 'lobby', invite: '', message: 42 })
  assert.deepEqual(at('/d/bob', '#m=1'), { name: 'direct', id: 'bob', message: 1 })
  for (const hash of ['', '#', '#m=', '#m=0', '#m=-1', '#m=1.5', '#m=x', '#m=99999999999999999999', '#people']) {
    assert.deepEqual(at('/d/bob', hash), { name: 'direct', id: 'bob' }, hash)
  }
})
