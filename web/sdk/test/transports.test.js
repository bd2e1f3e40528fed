// The SDK against a server over real sockets: each transport, faults, changes of transport.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Parley, transports } from '../parley.js'
import { startServer } from './server.js'
import { NodeWebSocket, frantic, hurried, seeded, until } from './tools.js'

let server
before(async () => (server = await startServer()))
after(() => server.close())

const clients = new Set()
function client(options = {}) {
  const p = new Parley({ url: server.url, token: 'ann', WebSocket: NodeWebSocket, timeouts: hurried, ...options })
  clients.add(p)
  return p
}
/** A test with a calm server and clients that are closed after it. */
const scene = (name, fn) => test(name, async () => {
  server.calm()
  server.seen.requests.length = 0
  try {
    await fn(`room:${name.replace(/[^a-z0-9]/gi, '-')}`)
  } finally {
    server.calm()
    for (const p of clients) p.close()
    clients.clear()
    await until(() => server.seen.streams.size === 0, 'every connection to be closed')
  }
})
const say = (channel, n) => {
  for (let i = 0; i < n; i++) server.logs.append(channel, { data: { text: `${i}` } })
}
const seqs = messages => messages.map(m => m.seq)
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

for (const transport of transports) {
  scene(`${transport}: the past, then live, once and in order`, async channel => {
    say(channel, 30)
    const got = []
    const p = client({ transport })
    const sub = p.subscribe(channel, { after: '0', onMessage: m => got.push(m) })
    await until(() => got.length === 30)
    for (let i = 0; i < 5; i++) {
      say(channel, 2)
      await until(() => got.length === 32 + 2 * i)
    }
    assert.deepEqual(seqs(got), numbers(1, 40))
    assert.equal(sub.position, server.logs.position(channel, 40))
    assert.equal(p.connection.state, 'open')
    assert.equal(p.connection.transport, transport)
    assert.equal(p.connection.stats.messages, 40)
  })

  scene(`${transport}: from the end, nothing of the past`, async channel => {
    say(channel, 3)
    const got = []
    const p = client({ transport })
    const sub = p.subscribe(channel, { onMessage: m => got.push(m) })
    await until(() => sub.position !== 'end')
    say(channel, 2)
    await until(() => got.length === 2)
    assert.deepEqual(seqs(got), [4, 5])
  })

  scene(`${transport}: publish and receive one's own`, async channel => {
    const got = []
    const p = client({ transport })
    p.subscribe(channel, { onMessage: m => got.push(m), after: '0' })
    await until(() => p.connection.state === 'open')
    const receipts = await Promise.all(['a', 'b', 'c'].map(text => p.sendText(channel, text)))
    assert.deepEqual(seqs(receipts), [1, 2, 3])
    await until(() => got.length === 3)
    assert.deepEqual(got.map(m => [m.data.text, m.from.name]), [['a', 'ann'], ['b', 'ann'], ['c', 'ann']])
    const posts = server.seen.requests.filter(r => r.startsWith('POST')).length
    assert.equal(posts, transport === 'websocket' ? 0 : 3)
  })

  scene(`${transport}: a channel that may not be read ends alone`, async channel => {
    server.faults.forbidden.add(`${channel}-secret`)
    const got = []
    const ended = []
    const p = client({ transport })
    const secret = p.subscribe(`${channel}-secret`, { after: '0', onEnded: e => ended.push(e) })
    p.subscribe(channel, { after: '0', onMessage: m => got.push(m) })
    say(channel, 1)
    await until(() => got.length === 1 && ended.length === 1)
    assert.deepEqual(ended, [{ channel: `${channel}-secret`, code: 'forbidden', detail: 'forbidden' }])
    assert.equal(secret.closed, true)
  })

  scene(`${transport}: retention, rollback and deletion are said aloud`, async channel => {
    say(channel, 20)
    server.logs.forget(channel, 10)
    const got = []
    const gaps = []
    const ended = []
    const p = client({ transport })
    const sub = p.subscribe(channel, { after: '5', onMessage: m => got.push(m.seq), onGap: g => gaps.push(g), onEnded: e => ended.push(e) })
    await until(() => got.length === 10)
    assert.deepEqual(got, numbers(11, 20))
    assert.equal(gaps[0].reason, 'retention')
    server.logs.lose(channel, 5)
    say(channel, 2)
    server.breakAll()
    await until(() => gaps.length === 2)
    assert.equal(gaps[1].reason, 'rollback')
    await until(() => sub.position === server.logs.position(channel, 17))
    server.logs.delete(channel)
    await until(() => ended.length === 1)
    assert.equal(gaps[2].reason, 'deleted')
    assert.equal(ended[0].code, 'channel_deleted')
  })

  scene(`${transport}: 230 channels`, async channel => {
    const got = new Set()
    const p = client({ transport })
    for (let i = 0; i < 230; i++) {
      say(`${channel}-${i}`, 1)
      p.subscribe(`${channel}-${i}`, { after: '0', onMessage: (_, name) => got.add(name) })
    }
    await until(() => got.size === 230)
  })

  scene(`${transport}: comes back after the server was away`, async channel => {
    const got = []
    const p = client({ transport })
    p.subscribe(channel, { after: '0', onMessage: m => got.push(m.seq) })
    say(channel, 1)
    await until(() => got.length === 1)
    server.faults.down = true
    server.breakAll()
    await until(() => p.connection.state === 'waiting')
    assert.ok(p.connection.retryAt >= Date.now() - 1000)
    say(channel, 3)
    const receipt = p.sendText(channel, 'while away')
    await sleep(50)
    server.faults.down = false
    assert.equal((await receipt).seq, 5)
    await until(() => got.length === 5)
    assert.deepEqual(got, numbers(1, 5))
  })
}

scene('several subscriptions to one channel have each its own position', async channel => {
  for (const transport of transports) {
    const name = `${channel}-${transport}`
    say(name, 10)
    const p = client({ transport })
    const a = []
    const b = []
    const c = []
    p.subscribe(name, { after: '7', onMessage: m => a.push(m.seq) })
    await until(() => a.length === 3)
    const end = p.subscribe(name, { onMessage: m => b.push(m.seq) })
    const first = p.subscribe(name, { after: '2', onMessage: m => c.push(m.seq) })
    await until(() => end.position !== 'end' && c.length === 8)
    say(name, 2)
    await until(() => a.length === 5 && b.length === 2 && c.length === 10)
    assert.deepEqual([a, b, c], [numbers(8, 12), [11, 12], numbers(3, 12)])
    first.close()
    end.close()
    say(name, 1)
    await until(() => a.length === 6)
    assert.deepEqual([b.length, c.length], [2, 10])
    p.close()
  }
})

scene('several subscriptions made at once, before the server has answered the first', async channel => {
  for (const transport of transports) {
    for (const order of [['10', '2'], ['7', '2', 'end'], ['end', '2', '7'], ['2', 'end', '7']]) {
      const name = `${channel}-${transport}-${order.join('-')}`
      say(name, 10)
      const p = client({ transport })
      p.subscribe(`${name}-other`, {})
      await until(() => p.connection.state === 'open')
      server.faults.delay = 30
      const got = Object.fromEntries(order.map(after => [after, []]))
      const expected = order.map(after => [after, numbers(after === 'end' ? 11 : Number(after) + 1, 11)])
      const subs = []
      for (const after of order) {
        subs.push(p.subscribe(name, { after, onMessage: m => got[after].push(m.seq) }))
        await sleep(1)
      }
      const all = seq => subs.every(sub => parseInt(sub.position, 10) === seq)
      await until(() => all(10), `${name}: all of the past`)
      say(name, 1)
      await until(() => all(11), `${name}: all`)
      assert.deepEqual(got, Object.fromEntries(expected))
      p.close()
    }
  }
})

scene('auto: behind a proxy without WebSocket it is SSE', async channel => {
  server.faults.stripUpgrade = true
  const p = client({ timeouts: { ...hurried, hello: {} } })
  p.subscribe(channel, {})
  await until(() => p.connection.state === 'open')
  assert.equal(p.connection.transport, 'sse')
})

scene('auto: behind one that buffers SSE too it is long poll', async channel => {
  Object.assign(server.faults, { stripUpgrade: true, bufferSse: true })
  const got = []
  const p = client()
  p.subscribe(channel, { after: '0', onMessage: m => got.push(m.seq) })
  await until(() => p.connection.state === 'open')
  assert.equal(p.connection.transport, 'longpoll')
  say(channel, 1)
  await until(() => got.length === 1)
})

scene('auto: WebSockets that open and say nothing are not taken', async channel => {
  server.faults.muteSockets = true
  const p = client({ timeouts: { ...hurried, hello: { websocket: 500 } } })
  p.subscribe(channel, {})
  await until(() => p.connection.state === 'open')
  assert.equal(p.connection.transport, 'sse')
})

scene('auto: climbs back without a break', async channel => {
  Object.assign(server.faults, { stripUpgrade: true, bufferSse: true })
  const got = []
  const states = []
  const p = client()
  p.subscribe(channel, { after: '0', onMessage: m => got.push(m.seq) })
  await until(() => p.connection.transport === 'longpoll' && p.connection.state === 'open')
  p.onConnection(c => states.push(c.state))
  server.faults.stripUpgrade = false
  while (p.connection.transport !== 'websocket') {
    say(channel, 1)
    await sleep(10)
  }
  say(channel, 1)
  await until(() => got.length === server.logs.tail(channel))
  assert.deepEqual(got, numbers(1, got.length))
  assert.deepEqual([...new Set(states)], ['open'])
})

scene('forced: what does not work is not quietly replaced', async channel => {
  const p = client()
  p.subscribe(channel, {})
  await until(() => p.connection.state === 'open')
  server.faults.bufferSse = true
  p.useTransport('sse')
  await until(() => p.connection.state === 'waiting')
  assert.equal(p.connection.forced, 'sse')
  p.useTransport('auto')
  await until(() => p.connection.state === 'open' && p.connection.transport === 'websocket')
  assert.equal(p.connection.forced, null)
})

scene('a dead connection is noticed by its silence', async channel => {
  for (const transport of ['websocket', 'sse']) {
    server.faults.heartbeat = 0.1
    const name = `${channel}-${transport}`
    const got = []
    const p = client({ transport })
    p.subscribe(name, { after: '0', onMessage: m => got.push(m.seq) })
    await until(() => server.streams(transport).length === 1 && p.connection.state === 'open')
    const [dead] = server.streams(transport)
    // Open, and nothing comes any more: as after a firewall has forgotten the connection.
    Object.assign(server.faults, { bufferSse: true, muteSockets: true })
    say(name, 1)
    await until(() => p.connection.state !== 'open')
    Object.assign(server.faults, { bufferSse: false, muteSockets: false })
    await until(() => got.length === 1)
    assert.ok(!server.streams(transport).includes(dead))
    p.close()
  }
})

scene('bye is honoured', async channel => {
  for (const transport of ['websocket', 'sse']) {
    const p = client({ transport })
    p.subscribe(channel, {})
    await until(() => p.connection.state === 'open')
    const [stream] = await until(() => server.streams(transport).length > 0 && server.streams(transport))
    const now = Date.now()
    stream.send({ bye: { retry_after: 0.5 } })
    await until(() => p.connection.state === 'waiting')
    assert.ok(p.connection.retryAt - now >= 500)
    await until(() => p.connection.state === 'open')
    assert.ok(Date.now() - now >= 500)
    p.close()
  }
})

scene('signals and ended reach who is there', async channel => {
  const signals = []
  const ended = []
  const p = client({ transport: 'sse' })
  const sub = p.subscribe(channel, { onSignal: s => signals.push(s), onEnded: e => ended.push(e) })
  const q = client({ transport: 'websocket', token: 'bob' })
  q.subscribe(channel, {})
  await until(() => p.connection.state === 'open' && q.connection.state === 'open' && server.streams('sse').length > 0)
  assert.equal(await q.signal(channel, 'typing'), true)
  await until(() => signals.length === 1)
  assert.deepEqual(signals[0], { channel, type: 'typing', from: { id: 'u-bob', name: 'bob' }, data: {} })
  server.streams('sse')[0].send({ channel, ended: { code: 'forbidden', detail: 'left' } })
  await until(() => ended.length === 1)
  assert.deepEqual(ended, [{ channel, code: 'forbidden', detail: 'left' }])
  assert.equal(sub.closed, true)
})

scene('a publish is refused once and for all, or given up and repeated with its id', async channel => {
  const p = client({ timeouts: { ...hurried, giveUpAfter: 300 } })
  server.faults.busy = 1
  await assert.rejects(p.sendText(channel, 'x', { id: 'same' }), { code: 'network' })
  server.faults.busy = 0
  server.faults.lose = 1
  await assert.rejects(p.sendText(channel, 'x', { id: 'same' }), { code: 'network' })
  server.faults.lose = 0
  assert.equal((await p.sendText(channel, 'x', { id: 'same' })).seq, 1)
  assert.equal(server.logs.tail(channel), 1)
})

scene('errors: what the server says, or network', async () => {
  const p = client({ token: null })
  assert.equal(await p.session(), null)
  await assert.rejects(p.rooms(), { name: 'ParleyError', code: 'not_found', status: 404 })
  server.faults.down = true
  await assert.rejects(p.rooms(), { code: 'network', status: 0 })
})

scene('signing in connects again as somebody', async channel => {
  const p = client({ token: null, transport: 'websocket' })
  p.subscribe(channel, { after: '0' })
  await until(() => p.connection.state === 'open')
  assert.deepEqual(await p.signIn('eve'), { id: 'u-eve', name: 'eve' })
  await until(() => server.seen.requests.filter(r => r === 'UPGRADE').length === 2)
  await p.sendText(channel, 'hi')
  assert.equal(server.logs.messages(channel)[0].from.name, 'eve')
})

scene('a handler that throws harms nobody else', async channel => {
  const thrown = []
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', error => thrown.push(error.message))
  try {
    const got = []
    const p = client()
    p.subscribe(channel, { after: '0', onMessage: m => { got.push(m.seq); throw new Error(`handler ${m.seq}`) } })
    say(channel, 3)
    await until(() => got.length === 3 && thrown.length === 3)
    assert.deepEqual(thrown, ['handler 1', 'handler 2', 'handler 3'])
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of before) process.on('uncaughtException', listener)
  }
})

const seeds = process.env.SEEDS ? process.env.SEEDS.split(',').map(Number) : [1, 2, 3, 4, 5, 6]
for (const seed of seeds) {
  scene(`seed ${seed}: every message once and in order, whatever breaks and whichever transport`, async channel => {
    const random = seeded(seed)
    const p = client({ random: seeded(seed + 1000), timeouts: frantic })
    const got = []
    const late = []
    const gaps = []
    p.subscribe(channel, { after: '0', onMessage: m => got.push(m), onGap: g => gaps.push(g) })
    Object.assign(server.faults, { drop: 0.03, lose: 0.1, busy: 0.1, delay: 15, mangle: 0.4 })
    const sent = []
    let second
    for (let i = 0; i < 150; i++) {
      if (random() < 0.5) say(channel, 1 + Math.floor(random() * 3))
      if (random() < 0.3) sent.push(p.sendText(channel, `own ${sent.length}`))
      if (random() < 0.1) p.useTransport(['auto', ...transports][Math.floor(random() * 5)])
      if (random() < 0.03) server.breakAll()
      if (random() < 0.05) server.faults.stripUpgrade = !server.faults.stripUpgrade
      if (random() < 0.05) server.faults.bufferSse = !server.faults.bufferSse
      if (i === 75) second = p.subscribe(channel, { after: '3', onMessage: m => late.push(m) })
      await sleep(random() * 15)
    }
    server.calm()
    const receipts = await Promise.all(sent)
    const all = server.logs.messages(channel)
    await until(() => got.length >= all.length && late.length >= all.length - 3, 'all messages')
    await sleep(50)
    assert.deepEqual(got, all)
    assert.deepEqual(late, all.slice(3))
    assert.equal(second.position, server.logs.position(channel, all.length))
    assert.deepEqual(gaps, [])
    // Each own publish has one effect, in the order they were made in, and its receipt says where.
    const own = all.filter(m => m.data.text.startsWith('own'))
    assert.deepEqual(own.map(m => m.data.text), sent.map((_, i) => `own ${i}`))
    assert.deepEqual(seqs(receipts), seqs(own))
  })
}
