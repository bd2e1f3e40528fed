// The state machine with links that do as the test says, and a clock that goes when told to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connection } from '../connection.js'
import { ParleyError } from '../errors.js'
import { FakeClock, seeded } from './tools.js'

const timeouts = {
  request: 15_000, wait: 25, hello: { websocket: 4000, sse: 4000, longpoll: 8000, poll: 15_000 }, poll: 2000, ping: 4000,
  retryMin: 1000, retryMax: 30_000, climbMin: 10_000, climbMax: 600_000, stable: 30_000, giveUpAfter: 60_000,
}

/** A world in which `works(kind)` says what happens to a link: 'hello', 'fail' or nothing. */
function world({ transport = 'auto', works = () => undefined, remembered = null, random = () => 0.5, token = null } = {}) {
  const clock = new FakeClock()
  const tried = []
  const live = new Set()
  const w = {
    clock, tried, live, works, remembered,
    get last() { return tried.at(-1) },
    kinds: () => tried.map(link => link.kind),
  }
  const make = (kind, events) => {
    const link = {
      kind, user: undefined, checks: 0, syncs: 0,
      start() {
        live.add(link)
        const fate = w.works(kind)
        if (fate === 'hello') link.hello()
        else if (fate === 'fail') link.fail()
      },
      hello: (hello = {}) => { link.user = hello.user; events.hello(hello) },
      fail: (more = {}) => { live.delete(link); events.down({ error: new ParleyError('network', 'test'), ...more }) },
      sync: () => link.syncs++, rewind() {}, check: () => link.checks++, close: () => live.delete(link),
    }
    tried.push(link)
    return link
  }
  const subscriptions = { size: 1, receive() {} }
  w.connection = new Connection({ clock, timeouts, random, subscriptions, http: { token }, stats: {} }, {
    transport, make, memory: { get: () => w.remembered, set: kind => (w.remembered = kind) },
  })
  w.subscriptions = subscriptions
  w.connection.changed()
  return w
}

test('tries the best first and is open at its hello, not before', () => {
  const w = world()
  assert.deepEqual([w.connection.state, w.connection.info.transport], ['connecting', 'websocket'])
  w.last.hello()
  assert.equal(w.connection.state, 'open')
  assert.equal(w.remembered, 'websocket')
  assert.equal(w.clock.pending, 0)
})

test('no hello in time, or a failure: the next one down', () => {
  const w = world()
  w.clock.advance(3999)
  assert.deepEqual(w.kinds(), ['websocket'])
  w.clock.advance(1)
  assert.deepEqual(w.kinds(), ['websocket', 'sse'])
  w.last.fail()
  assert.deepEqual(w.kinds(), ['websocket', 'sse', 'longpoll'])
  w.last.hello()
  assert.deepEqual([w.connection.state, w.connection.info.transport], ['open', 'longpoll'])
  assert.equal(w.live.size, 1)
})

test('a hello that comes too late is not heard', () => {
  const w = world()
  const first = w.last
  w.clock.advance(4000)
  first.hello()
  assert.equal(w.connection.state, 'connecting')
})

test('nothing works: waits, longer each time, and starts again at the top', () => {
  const w = world({ works: () => 'fail', remembered: 'longpoll' })
  assert.deepEqual(w.kinds(), ['longpoll', 'poll'])
  assert.equal(w.connection.state, 'waiting')
  assert.equal(w.connection.info.retryAt, w.clock.now() + 500)
  w.clock.advance(500)
  assert.deepEqual(w.kinds().slice(2), ['websocket', 'sse', 'longpoll', 'poll'])
  assert.equal(w.connection.info.retryAt, w.clock.now() + 1000)
  w.clock.advance(1000)
  assert.equal(w.connection.info.retryAt, w.clock.now() + 2000)
})

test('patience grows with the rounds that failed: a slow network is not a barred one', () => {
  const w = world({ works: () => 'fail' })
  w.works = () => undefined
  w.clock.advance(500)
  const slow = w.last
  w.clock.advance(7999)
  assert.equal(w.last, slow)
  slow.hello()
  assert.equal(w.connection.state, 'open')
})

test('tries better ones while the present one works, at growing distances', () => {
  const w = world({ works: kind => (kind === 'longpoll' ? 'hello' : 'fail') })
  const rounds = []
  for (let s = 0; s < 400; s++) {
    const before = w.tried.length
    w.clock.advance(1000)
    if (w.tried.length > before) rounds.push([s + 1, w.kinds().slice(before).join()])
    assert.deepEqual([w.connection.state, w.connection.info.transport], ['open', 'longpoll'])
  }
  assert.deepEqual(rounds, [[10, 'websocket,sse'], [30, 'websocket,sse'], [70, 'websocket,sse'], [150, 'websocket,sse'], [310, 'websocket,sse']])
})

test('climbs when the better one says hello; the present one is closed only then', () => {
  const w = world({ works: kind => (kind === 'sse' ? 'hello' : undefined) })
  w.clock.advance(4000)
  const sse = w.last
  assert.equal(w.connection.info.transport, 'sse')
  w.clock.advance(10_000)
  assert.equal(w.last.kind, 'websocket')
  assert.ok(w.live.has(sse))
  assert.equal(w.connection.state, 'open')
  w.last.hello()
  assert.ok(!w.live.has(sse))
  assert.equal(w.connection.info.transport, 'websocket')
})

test('what worked before is tried again soon: more likely the server was away', () => {
  const w = world({ works: kind => 'hello' })
  w.clock.advance(60_000)
  w.works = kind => (kind === 'poll' ? 'hello' : 'fail')
  w.last.fail()
  w.clock.advance(1000)
  assert.equal(w.connection.info.transport, 'poll')
  w.works = () => 'hello'
  w.clock.advance(2500)
  assert.equal(w.connection.info.transport, 'websocket')
})

test('three short lives in a row: the next one down', () => {
  const w = world({ works: () => 'hello' })
  for (let life = 0; life < 3; life++) {
    assert.equal(w.connection.info.transport, 'websocket')
    w.clock.advance(5000)
    w.last.fail()
    w.clock.advance(4000)
  }
  assert.equal(w.connection.info.transport, 'sse')
})

test('a long life is forgiven its end', () => {
  const w = world({ works: () => 'hello' })
  for (let life = 0; life < 10; life++) {
    w.clock.advance(31_000)
    w.last.fail()
    assert.equal(w.connection.info.retryAt, w.clock.now() + 500)
    w.clock.advance(500)
    assert.equal(w.connection.info.transport, 'websocket')
  }
})

test('the server says when to come back', () => {
  const w = world({ works: () => 'hello' })
  w.works = () => undefined
  w.last.fail({ retryAfter: 7 })
  assert.ok(w.connection.info.retryAt >= w.clock.now() + 7000)
  const count = w.tried.length
  w.connection.wake()
  assert.equal(w.tried.length, count, 'not even then')
  w.clock.advance(8000)
  assert.equal(w.tried.length, count + 1)
  // Refused with a time, before any hello: no other transport is tried.
  w.last.fail({ retryAfter: 3 })
  assert.equal(w.tried.length, count + 1)
  assert.equal(w.connection.state, 'waiting')
})

test('waking up ends a wait, and checks what is open', () => {
  const w = world({ works: () => 'fail' })
  w.works = () => 'hello'
  w.connection.wake()
  assert.equal(w.connection.state, 'open')
  w.connection.wake()
  assert.equal(w.last.checks, 1)
})

test('use: the present one stays until the new one says hello', () => {
  const w = world()
  w.last.hello()
  const socket = w.last
  w.connection.use('poll')
  assert.deepEqual([w.connection.state, w.connection.info.transport, w.connection.info.forced], ['open', 'websocket', 'poll'])
  assert.ok(w.live.has(socket))
  w.last.hello()
  assert.equal(w.connection.info.transport, 'poll')
  assert.deepEqual([...w.live].map(link => link.kind), ['poll'])
  assert.equal(w.remembered, 'websocket', 'what is forced is not remembered')
  w.clock.advance(3_600_000)
  assert.equal(w.last.kind, 'poll', 'and nothing better is tried')
  w.connection.use('auto')
  assert.equal(w.last.kind, 'websocket')
  assert.equal(w.connection.state, 'open')
})

test('use: a forced one that fails shows', () => {
  const w = world()
  w.last.hello()
  w.connection.use('sse')
  w.last.fail()
  assert.deepEqual([w.connection.state, w.connection.info.forced, w.live.size], ['waiting', 'sse', 0])
  w.clock.advance(1000)
  assert.equal(w.last.kind, 'sse')
})

test('renew: connects again with the same transport', () => {
  const w = world()
  w.last.hello({ user: { id: 'a' } })
  const old = w.last
  w.connection.renew()
  assert.equal(old.user, null, 'nothing is published as somebody we are no longer')
  assert.equal(w.connection.state, 'open')
  w.last.hello({ user: { id: 'b' } })
  assert.ok(!w.live.has(old))
  assert.equal(w.connection.link, w.last)
})

test('renew while still connecting: begins again, as the handshake was somebody else’s', () => {
  const w = world()
  const first = w.last
  w.connection.renew()
  assert.notEqual(w.last, first)
  assert.equal(w.live.size, 1)
  first.hello({ user: null })
  assert.equal(w.connection.state, 'connecting')
})

test('renew in vain: nobody reads on with the old session', () => {
  const w = world()
  w.last.hello({ user: { id: 'a' } })
  w.works = () => 'fail'
  w.connection.renew()
  assert.deepEqual([w.connection.state, w.live.size], ['waiting', 0])
})

test('too many connections: the others are tried, as a poll is none', () => {
  const w = world()
  for (let i = 0; i < 3; i++) w.last.fail({ retryAfter: 5, error: new ParleyError('too_many_connections', '', { status: 429 }) })
  assert.equal(w.last.kind, 'poll')
  w.last.hello()
  assert.equal(w.connection.state, 'open')
})

test('a WebSocket that takes us for nobody though we have a token: the next one down', () => {
  const w = world({ token: 'secret' })
  w.last.hello({ user: null })
  assert.equal(w.last.kind, 'sse')
  w.last.hello({ user: { id: 'a' } })
  assert.equal(w.connection.info.transport, 'sse')
})

test('nobody subscribes: no connection, no timers', () => {
  const w = world({ works: () => 'hello' })
  w.subscriptions.size = 0
  w.last.fail()
  assert.equal(w.clock.pending, 0)
  w.subscriptions.size = 1
  w.connection.changed()
  assert.equal(w.connection.state, 'open')
})

test('closed is closed', () => {
  const w = world()
  const states = []
  w.connection.onChange(() => states.push(w.connection.state))
  w.connection.close()
  assert.deepEqual(states, ['closed'])
  assert.deepEqual([w.live.size, w.clock.pending], [0, 0])
  w.connection.use('poll')
  w.connection.changed()
  w.connection.wake()
  assert.equal(w.live.size, 0)
})

test('random fates: never more than two links, never stuck, and all well at the end', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed)
    const fate = () => ['hello', 'fail', undefined][Math.floor(random() * 3)]
    const w = world({ works: fate, random })
    for (let step = 0; step < 100; step++) {
      const dice = random()
      const [link] = [...w.live]
      if (dice < 0.2 && link) link.fail(random() < 0.2 ? { retryAfter: random() * 10 } : {})
      else if (dice < 0.3) w.connection.use(['auto', 'websocket', 'sse', 'longpoll', 'poll'][Math.floor(random() * 5)])
      else if (dice < 0.35) w.connection.renew()
      else if (dice < 0.4) w.connection.wake()
      w.clock.advance(random() * 20_000)
      assert.ok(w.live.size <= 2, `seed ${seed}`)
      assert.ok(w.live.size > 0 || w.clock.pending > 0, `seed ${seed}: stuck`)
    }
    w.works = () => 'hello'
    w.connection.use('auto')
    w.clock.advance(3_600_000)
    assert.deepEqual([w.connection.state, w.connection.info.transport, w.live.size], ['open', 'websocket', 1], `seed ${seed}`)
  }
})
