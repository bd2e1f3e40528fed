// The SDK against the real server, straight and through a proxy that breaks things.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Parley, transports } from '../parley.js'
import { startProxy } from './proxy.js'
import { startParley } from './realserver.js'
import { NodeWebSocket, frantic, hurried, seeded, until } from './tools.js'

let server
let proxy
before(async () => {
  server = await startParley(['--rate-publish', 'off', '--rate-address', 'off', '--rate-guest', 'off', '--rate-ballot', 'off'])
  proxy = await startProxy(server.port)
})
after(async () => {
  await proxy?.close()
  await server?.close()
})

const clients = new Set()
let people = 0
async function person(options = {}) {
  const p = new Parley({ url: server.url, WebSocket: NodeWebSocket, timeouts: hurried, ...options })
  clients.add(p)
  await p.signIn(`Guest ${++people}`)
  return p
}
const scene = (name, fn) => test(name, async () => {
  try {
    await fn()
  } finally {
    proxy.calm()
    for (const p of clients) p.close()
    clients.clear()
  }
})
const newRoom = async p => (await p.createRoom({ name: `Room ${++people}` })).channel
const texts = messages => messages.filter(m => m.type === 'text').map(m => m.data.text)
const numbers = n => Array.from({ length: n }, (_, i) => `${i}`)

/** All that a channel has, by the history, which no live connection had a hand in. */
async function whole(p, channel) {
  let messages = []
  for (let before = 'end'; ;) {
    const batch = await p.history(channel, before, 100)
    messages = [...batch.messages, ...messages]
    if (!batch.more) return messages
    before = String(batch.messages[0].seq)
  }
}

for (const transport of transports) {
  scene(`${transport}: the past, then live; from the end; one's own`, async () => {
    const p = await person({ transport })
    const channel = await newRoom(p)
    for (const text of numbers(5)) await p.sendText(channel, text)
    const got = []
    const late = []
    const sub = p.subscribe(channel, { after: '0', onMessage: m => got.push(m) })
    const end = p.subscribe(channel, { onMessage: m => late.push(m) })
    await until(() => texts(got).length === 5 && end.position !== 'end')
    assert.equal(p.connection.transport, transport)
    const receipts = await Promise.all(['a', 'b', 'c'].map(text => p.sendText(channel, text)))
    await until(() => texts(late).length === 3)
    assert.deepEqual(texts(got), [...numbers(5), 'a', 'b', 'c'])
    assert.deepEqual(texts(late), ['a', 'b', 'c'])
    assert.deepEqual(got, await whole(p, channel))
    assert.equal(receipts[2].seq, got.at(-1).seq)
    assert.equal(sub.position, receipts[2].position)
  })

  scene(`${transport}: a private room of others ends alone`, async () => {
    const owner = await person()
    const secret = await owner.createRoom({ name: `Secret ${++people}`, private: true })
    const p = await person({ transport })
    const channel = await newRoom(p)
    const got = []
    const ended = []
    p.subscribe(secret.channel, { after: '0', onEnded: e => ended.push(e.code) })
    p.subscribe(channel, { after: '0', onMessage: m => got.push(m) })
    await p.sendText(channel, 'x')
    await until(() => texts(got).length === 1 && ended.length === 1)
    assert.match(ended[0], /forbidden|no_room|no_channel/)
  })

  scene(`${transport}: kill -9 and restart, nothing missed or doubled`, async () => {
    const p = await person({ transport })
    const q = await person()
    const channel = await newRoom(p)
    const got = []
    p.subscribe(channel, { after: '0', onMessage: m => got.push(m) })
    await q.sendText(channel, '0')
    await until(() => texts(got).length === 1)
    await server.kill()
    const sent = [q.sendText(channel, '1'), q.sendText(channel, '2')]
    await until(() => transport === 'poll' || p.connection.state !== 'open')
    await server.start()
    await Promise.all(sent)
    await until(() => texts(got).length === 3)
    assert.deepEqual(got, await whole(p, channel))
    assert.deepEqual(texts(got), numbers(3))
  })

  scene(`${transport}: a deleted room is said aloud`, async () => {
    const p = await person({ transport })
    const channel = await newRoom(p)
    const gaps = []
    const ended = []
    p.subscribe(channel, { after: '0', onGap: g => gaps.push(g.reason), onEnded: e => ended.push(e.channel) })
    await until(() => p.connection.state === 'open')
    await p.deleteRoom(channel.replace('room:', ''))
    await until(() => ended.length === 1)
    assert.ok(gaps.every(reason => reason === 'deleted'))
  })

  scene(`${transport}: a vote, live`, async () => {
    const owner = await person()
    const vote = await owner.createVote({ question: 'Tea?', options: ['yes', 'no'] })
    const p = await person({ transport })
    const tallies = []
    p.subscribe(vote.channel, { after: '0', onMessage: m => m.type === 'tally' && tallies.push(m.data) })
    await until(() => p.connection.state === 'open')
    const mine = await p.cast(vote.code, 1)
    assert.deepEqual(mine.ballot, [1])
    await owner.cast(vote.code, [2])
    await p.cast(vote.code, [2])
    await until(() => tallies.at(-1)?.voters === 2 && tallies.at(-1).options[1].count === 2)
    const versions = tallies.map(t => t.version)
    assert.deepEqual(versions, [...new Set(versions)].sort((a, b) => a - b))
  })
}

scene('requests: rooms, direct, conversations, votes, errors', async () => {
  const ann = await person()
  const bob = await person()
  const me = await bob.session()
  assert.equal((await ann.rename(`Ann ${people}`)).name, `Ann ${people}`)
  assert.ok((await ann.users(me.name.slice(0, -1))).some(u => u.id === me.id))
  const room = await ann.createRoom({ name: `Den ${people}`, private: true, topic: 't' })
  assert.equal((await ann.updateRoom(room.id, { topic: 'u' })).topic, 'u')
  await assert.rejects(bob.join(room.id), error => error.name === 'ParleyError' && error.status >= 403 && error.status <= 404)
  const { invite } = await ann.invite(room.id)
  await bob.join(room.id, { invite })
  assert.equal((await bob.members(room.id)).length, 2)
  assert.ok((await bob.rooms()).some(r => r.id === room.id))
  const direct = await ann.direct(me.id)
  const { seq } = await ann.sendText(direct.channel, 'psst')
  const [first] = await bob.conversations()
  assert.deepEqual([first.channel, first.kind, first.unread], [direct.channel, 'direct', 1])
  const other = await ann.sendText(direct.channel, '嘘 & psst?')
  const page = await bob.search('psst', { channel: direct.channel, limit: 1 })
  assert.deepEqual(page.results.map(r => [r.channel, r.position, r.message.seq]), [[direct.channel, other.position, other.seq]])
  const rest = await bob.search('psst', { channel: direct.channel, before: page.next })
  assert.deepEqual([rest.results.map(r => r.message.seq), rest.next], [[seq], undefined])
  assert.deepEqual((await ann.search('嘘')).results.map(r => r.message.data.text), ['嘘 & psst?'])
  await assert.rejects(ann.search('?'), { code: 'bad_request', status: 400 })
  await bob.markRead(direct.channel, other.seq)
  assert.equal((await bob.conversations())[0].unread, 0)
  await bob.leave(room.id)
  assert.equal((await ann.room(room.id)).members, 1)
  await ann.revokeInvites(room.id)
  const vote = await ann.createVote({ question: 'Tea?', options: ['yes', 'no'], room: 'lobby', closes_in: 600 })
  assert.equal((await ann.updateVote(vote.code, { open: false })).open, false)
  await assert.rejects(bob.cast(vote.code, 1), { code: 'vote_closed', status: 409 })
  assert.ok((await ann.votes()).some(v => v.code === vote.code))
  assert.equal((await fetch(ann.exportUrl(vote.code, 'csv'))).status, 200)
  assert.equal((await fetch(ann.qrUrl(vote.code))).status, 200)
  assert.equal(typeof (await ann.presence('room:lobby')).count, 'number')
  await assert.rejects(ann.vote('AAAAA'), { code: 'no_vote', status: 404 })
  await assert.rejects(ann.signIn(me.name), { code: 'name_taken', status: 409 })
  await assert.rejects(ann.sendText('room:lobby', ''), { status: 422 })
  await bob.signOut()
  assert.equal(await bob.session(), null)
})

scene('typing and who is here', async () => {
  const p = await person({ transport: 'websocket' })
  const q = await person({ transport: 'sse' })
  const channel = await newRoom(p)
  const signals = { p: [], q: [] }
  p.subscribe(channel, { onSignal: s => signals.p.push(s) })
  await until(() => signals.p.some(s => s.type === 'here'))
  q.subscribe(channel, { onSignal: s => signals.q.push(s) })
  await until(() => signals.q.some(s => s.type === 'here') && signals.p.some(s => s.type === 'join'))
  assert.equal(await p.signal(channel, 'typing'), true)
  await until(() => signals.q.some(s => s.type === 'typing'))
  assert.equal(await q.signal(channel, 'typing'), true)
  await until(() => signals.p.some(s => s.type === 'typing'))
})

scene('auto finds its way through proxies', async () => {
  const kinds = [[{}, 'websocket'], [{ stripUpgrade: true }, 'sse'], [{ stripUpgrade: true, bufferSse: true }, 'longpoll']]
  for (const [faults, expected] of kinds) {
    proxy.calm()
    Object.assign(proxy.faults, faults)
    const p = await person({ url: proxy.url, timeouts: { ...hurried, climbMin: 60_000, hello: { sse: faults.bufferSse ? 1000 : 10_000 } } })
    p.subscribe('room:lobby', {})
    await until(() => p.connection.state === 'open')
    assert.equal(p.connection.transport, expected)
  }
})

scene('nobody yet: the first publish makes a guest, and the connection is that guest’s from then on', async () => {
  const p = new Parley({ url: server.url, WebSocket: NodeWebSocket, timeouts: hurried, transport: 'websocket' })
  clients.add(p)
  p.subscribe('room:lobby', {})
  await until(() => p.connection.state === 'open')
  await p.sendText('room:lobby', 'hello')
  assert.match((await p.session()).name, /^Guest/)
})

const seeds = process.env.SEEDS ? process.env.SEEDS.split(',').map(Number) : [1, 2, 3]
for (const seed of seeds) {
  scene(`seed ${seed}: every message once and in order, through a breaking proxy and a kill -9`, async () => {
    const random = seeded(seed)
    const q = await person()
    const channel = await newRoom(q)
    const p = await person({ url: proxy.url, random: seeded(seed + 1000), timeouts: frantic })
    const got = []
    const gaps = []
    p.subscribe(channel, { after: '0', onMessage: m => got.push(m), onGap: g => gaps.push(g) })
    proxy.faults.drop = 0.05
    const own = []
    const others = []
    for (let i = 0; i < 150; i++) {
      if (random() < 0.5) others.push(q.sendText(channel, `other ${others.length}`))
      if (random() < 0.3) own.push(p.sendText(channel, `own ${own.length}`))
      if (random() < 0.1) p.useTransport(['auto', ...transports][Math.floor(random() * 5)])
      if (random() < 0.03) proxy.breakAll()
      if (random() < 0.05) proxy.faults.stripUpgrade = !proxy.faults.stripUpgrade
      if (random() < 0.05) proxy.faults.bufferSse = !proxy.faults.bufferSse
      if (i === 75) await server.kill().then(() => server.start())
      await sleep(random() * 15)
    }
    proxy.calm()
    await Promise.all([...own, ...others])
    const all = await whole(q, channel)
    await until(() => got.length >= all.length, 'all messages')
    await sleep(50)
    assert.deepEqual(got, all)
    assert.deepEqual(gaps, [])
    assert.deepEqual(texts(all).filter(t => t.startsWith('own')), own.map((_, i) => `own ${i}`))
    assert.deepEqual(texts(all).filter(t => t.startsWith('other')), others.map((_, i) => `other ${i}`))
  })
}
