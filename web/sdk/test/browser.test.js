// The SDK in a real browser, with its own WebSocket, fetch, cookies and events, against the real server.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { transports } from '../parley.js'
import { startProxy } from './proxy.js'
import { startParley } from './realserver.js'
import { frantic, hurried, seeded, until } from './tools.js'

const page = `<!doctype html><script type="module">
  import { Parley } from '/sdk/parley.js'
  window.begin = async (name, channel, options) => {
    window.p = new Parley(options)
    await p.signIn(name)
    window.got = []
    window.states = []
    p.onConnection(c => states.push(c.state))
    window.sub = p.subscribe(channel, { after: '0', onMessage: m => got.push(m) })
  }
  window.ready = true
</script>`
const files = path => path === '/test' ? { type: 'text/html', text: page }
  : path.startsWith('/sdk/') ? { type: 'text/javascript', path: fileURLToPath(new URL(`../${path.slice(5)}`, import.meta.url)) } : null

let server
let proxy
let browser
before(async () => {
  server = await startParley(['--rate-publish', 'off', '--rate-address', 'off', '--rate-guest', 'off'])
  proxy = await startProxy(server.port, { files })
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-background-networking'],
  })
})
after(async () => {
  await browser?.close()
  await proxy?.close()
  await server?.close()
})

let number = 0
/** A test with a page, a name and a channel of its own. */
const scene = (name, fn) => test(name, async () => {
  const context = await browser.newContext()
  try {
    const tab = await context.newPage()
    tab.on('pageerror', error => console.error('in the page:', error))
    await open(tab)
    await fn(tab, `room:${await newRoom(context)}`, `Ann ${++number}`, context)
  } finally {
    proxy.calm()
    await context.close()
  }
})
async function open(tab) {
  await tab.goto(`${proxy.url}/test`)
  await tab.waitForFunction('window.ready')
}
async function newRoom(context) {
  await context.request.post(`${proxy.url}/v1/session`, { data: { name: `Owner ${++number}` } })
  const answer = await context.request.post(`${proxy.url}/v1/rooms`, { data: { name: `Room ${number}` } })
  await context.request.delete(`${proxy.url}/v1/session`)
  return (await answer.json()).id
}
const begin = (tab, name, channel, options = {}) => tab.evaluate(([n, c, o]) => window.begin(n, c, o), [name, channel, { timeouts: hurried, ...options }])
const connection = tab => tab.evaluate('p.connection')
const texts = tab => tab.evaluate(`got.filter(m => m.type === 'text').map(m => m.data.text)`)
const isOpen = (tab, transport) => until(async () => {
  const { state, transport: now } = await connection(tab)
  return state === 'open' && now === transport
}, `open by ${transport}`)

for (const transport of transports) {
  scene(`${transport}: publishes and receives`, async (tab, channel, name) => {
    await begin(tab, name, channel, { transport })
    await isOpen(tab, transport)
    await tab.evaluate(c => Promise.all(['a', 'b', 'c'].map(text => window.p.sendText(c, text))), channel)
    await until(async () => (await texts(tab)).length === 3)
    assert.deepEqual(await texts(tab), ['a', 'b', 'c'])
    assert.equal(await tab.evaluate(`got.find(m => m.type === 'text').from.name`), name)
    const { stats } = await connection(tab)
    assert.ok(stats.bytesIn > 100 && stats.bytesOut > 100 && stats.requests > 0 && stats.messages >= 3, JSON.stringify(stats))
  })
}

scene('the cookie speaks for the WebSocket, also after another sign-in', async (tab, channel, name) => {
  await begin(tab, name, channel, { timeouts: {} })
  await isOpen(tab, 'websocket')
  assert.equal(await tab.evaluate('p.token'), null)
  await tab.evaluate(c => window.p.sendText(c, 'x'), channel)
  await tab.evaluate('p.signOut()')
  await tab.evaluate(n => window.p.signIn(n), `${name} B`)
  await tab.evaluate(c => window.p.sendText(c, 'y'), channel)
  await until(async () => (await texts(tab)).length === 2)
  assert.deepEqual(await tab.evaluate(`got.filter(m => m.type === 'text').map(m => m.from.name)`), [name, `${name} B`])
  assert.deepEqual(await tab.evaluate('[...new Set(states)].filter(s => s !== "connecting")'), ['open'])
})

scene('finds its way through proxies, remembers it, and climbs back', async (tab, channel, name) => {
  Object.assign(proxy.faults, { stripUpgrade: true })
  await begin(tab, name, channel)
  await isOpen(tab, 'sse')
  Object.assign(proxy.faults, { bufferSse: true })
  await open(tab)
  await begin(tab, name, channel)
  await isOpen(tab, 'longpoll')
  const remembered = await tab.evaluate('Object.values(sessionStorage)')
  assert.deepEqual(remembered, ['longpoll'])
  proxy.calm()
  await isOpen(tab, 'websocket')
  assert.deepEqual(await tab.evaluate('Object.values(sessionStorage)'), ['websocket'])
})

scene('offline is seen, and its end is not waited for', async (tab, channel, name, context) => {
  await begin(tab, name, channel, { transport: 'sse', timeouts: { ...hurried, retryMin: 3_600_000, retryMax: 3_600_000 } })
  await isOpen(tab, 'sse')
  await context.setOffline(true)
  proxy.breakAll()
  await until(async () => (await connection(tab)).state === 'offline')
  await context.setOffline(false)
  await isOpen(tab, 'sse')
})

for (const seed of [1, 2]) {
  scene(`seed ${seed}: once and in order through random faults and changes of transport`, async (tab, channel, name) => {
    const random = seeded(seed)
    await begin(tab, name, channel, { timeouts: frantic })
    proxy.faults.drop = 0.03
    await tab.evaluate('window.sent = []')
    let own = 0
    for (let i = 0; i < 120; i++) {
      if (random() < 0.4) await tab.evaluate(([c, text]) => void window.sent.push(window.p.sendText(c, text)), [channel, `${own++}`])
      if (random() < 0.15) await tab.evaluate(kind => window.p.useTransport(kind), ['auto', ...transports][Math.floor(random() * 5)])
      if (random() < 0.04) proxy.breakAll()
      if (random() < 0.05) proxy.faults.stripUpgrade = !proxy.faults.stripUpgrade
      if (random() < 0.05) proxy.faults.bufferSse = !proxy.faults.bufferSse
      await sleep(random() * 15)
    }
    proxy.calm()
    await tab.evaluate('Promise.all(sent)')
    await until(async () => (await texts(tab)).length >= own)
    assert.deepEqual(await texts(tab), Array.from({ length: own }, (_, i) => `${i}`))
    const seqs = await tab.evaluate('got.map(m => m.seq)')
    assert.deepEqual(seqs, seqs.map((_, i) => i + 1))
  })
}
