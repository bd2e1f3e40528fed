// A small server that speaks docs/protocol.md over real sockets, and misbehaves on command.
import { createServer } from 'node:http'
import { Logs } from './log.js'
import { acceptWebSocket } from './websocket-frames.js'

const problem = (status, code, more = {}) => ({ type: `urn:parley:error:${code}`, title: code, status, detail: code, code, ...more })

/** What may go wrong. Probabilities are 0 to 1, for each request, answer or batch. */
const calm = {
  down: false, // nothing is answered
  stripUpgrade: false, // a proxy that knows no WebSocket
  bufferSse: false, // a proxy that holds back what has not ended
  muteSockets: false, // WebSockets open, and nothing comes
  drop: 0, // a connection breaks
  lose: 0, // a publish is done, its answer lost
  busy: 0, // a publish is answered 503
  delay: 0, // ms, at most, before an answer
  mangle: 0, // a batch is repeated, overlaps, is split, or comes before the one it follows
  retryAfter: '0.02', // advised cadence of polls
  heartbeat: 15,
  forbidden: new Set(), // channels that may not be read
}

/** Sends, without an object only what was held back, as long as `shut` says so: nothing is lost in the middle of a connection. */
function held(send, shut) {
  const kept = []
  return object => {
    if (object) kept.push(object)
    while (kept.length > 0 && !shut()) send(kept.shift())
  }
}

export async function startServer({ random = Math.random } = {}) {
  const logs = new Logs()
  const faults = { ...calm, forbidden: new Set() }
  const seen = { requests: [], streams: new Set() }
  const sockets = new Set()
  const timers = new Set()
  const chance = p => p > 0 && random() < p
  const later = (ms, fn) => {
    const timer = setTimeout(() => (timers.delete(timer), fn()), ms)
    timers.add(timer)
  }
  const slowly = fn => (faults.delay > 0 ? later(random() * faults.delay, fn) : fn())

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://server')
    seen.requests.push(`${request.method} ${url.pathname}${request.headers.accept === 'text/event-stream' ? ' (sse)' : url.searchParams.has('wait') ? ' (wait)' : ''}`)
    if (faults.down || chance(faults.drop)) return request.socket.destroy()
    let text = ''
    for await (const chunk of request) text += chunk
    slowly(() => !response.destroyed && answer(request, url, text, response))
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket) => {
    seen.requests.push('UPGRADE')
    if (faults.down || chance(faults.drop)) return socket.destroy()
    if (faults.stripUpgrade) return socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    webSocket(request, socket)
  })

  const json = (response, status, body, headers = {}) => {
    const text = body === null ? '' : JSON.stringify(body)
    response.writeHead(status, { ...(text && { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' }), ...headers })
    response.end(text)
  }
  const refuse = (response, status, code, headers) => json(response, status, problem(status, code), headers)
  const userOf = request => {
    const token = request.headers.authorization?.replace('Bearer ', '')
    return token ? { id: `u-${token}`, name: token, admin: false } : null
  }

  function answer(request, url, text, response) {
    const { method } = request
    const path = decodeURIComponent(url.pathname)
    const query = url.searchParams
    if (path === '/v1/session') {
      if (method === 'POST') return json(response, 201, { token: JSON.parse(text).name, user: { id: `u-${JSON.parse(text).name}`, name: JSON.parse(text).name } })
      return userOf(request) ? json(response, 200, { user: userOf(request) }) : refuse(response, 401, 'no_session')
    }
    if (path === '/v1/messages') return many(request, query, response)
    const channel = path.match(/^\/v1\/channels\/([^/]+)\/messages$/)?.[1]
    if (!channel) return refuse(response, 404, 'not_found')
    if (method === 'POST') return publish(request, channel, JSON.parse(text), response)
    if (faults.forbidden.has(channel)) return refuse(response, 403, 'forbidden')
    if (query.has('before')) return json(response, 200, logs.before(channel, query.get('before'), Number(query.get('limit') ?? 50)))
    const batch = logs.read(channel, query.get('after') ?? '0', Number(query.get('limit') ?? 100))
    return json(response, 200, batch)
  }

  function publish(request, channel, body, response) {
    if (chance(faults.busy)) return refuse(response, 503, 'overloaded', { 'Retry-After': '0' })
    const from = userOf(request)
    const { replayed, ...receipt } = logs.append(channel, { ...body, id: request.headers['idempotency-key'] ?? body.id, from })
    if (chance(faults.lose)) return request.socket.destroy()
    json(response, 201, receipt, replayed ? { 'Idempotency-Replayed': 'true' } : {})
  }

  /** GET /v1/messages: poll, long poll, SSE. */
  function many(request, query, response) {
    const at = new Map(query.getAll('channel').map(item => item.split('@')))
    if (at.size === 0 || at.size > 100) return refuse(response, 400, 'bad_request')
    for (const channel of at.keys()) if (faults.forbidden.has(channel)) return refuse(response, 403, 'forbidden')
    if (request.headers.accept === 'text/event-stream') return sse(request, at, response)
    const collect = () => {
      const batches = []
      for (const [channel, after] of at) {
        const found = logs.read(channel, after, 7)
        if (found.gap || found.messages.length > 0) batches.push(found)
      }
      return batches
    }
    const send = batches => {
      for (const batch of batches) at.set(batch.channel, batch.to ?? batch.gap.resume)
      const etag = `"${[...at].join(';')}"`
      const headers = { ETag: etag, 'Retry-After': faults.retryAfter }
      if (chance(faults.drop)) return request.socket.destroy()
      if (batches.length === 0 && request.headers['if-none-match'] === etag) return json(response, 304, null, headers)
      json(response, 200, { batches: batches.flatMap(mangled) }, headers)
    }
    const wait = Number(query.get('wait') ?? 0)
    const first = collect()
    if (first.length > 0 || wait === 0) return send(first)
    const end = () => {
      logs.off('change', look)
      clearTimeout(timer)
      timers.delete(timer)
    }
    const look = () => {
      const batches = collect()
      if (batches.length > 0) (end(), send(batches))
    }
    const timer = setTimeout(() => (end(), send([])), wait * 1000)
    timers.add(timer)
    logs.on('change', look)
    response.on('close', end)
  }

  function sse(request, at, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    // What a buffering proxy does: the head may pass, the body waits for an end that never comes.
    response.flushHeaders()
    const send = object => !response.destroyed && response.write(`event: ${Object.keys(object)[0]}\nid: x\ndata: ${JSON.stringify(object)}\n\n`)
    stream(request, at, held(send, () => faults.bufferSse), () => response.destroy(), ended => response.on('close', ended))
  }

  /** What SSE and WebSocket have in common: hello, and then what comes. `at` may be changed meanwhile. */
  function stream(request, at, send, destroy, onEnd) {
    const entry = { at, send, destroy, kind: request.headers.upgrade ? 'websocket' : 'sse' }
    const pump = () => {
      for (const [channel, after] of [...at]) {
        for (let found = logs.read(channel, at.get(channel), 5); found.gap || found.messages.length > 0; found = logs.read(channel, at.get(channel), 5)) {
          if (chance(faults.drop)) return destroy()
          for (const object of mangled(found)) send(object)
          if (found.gap?.reason === 'deleted') {
            at.delete(channel)
            break
          }
          at.set(channel, found.to ?? found.gap.resume)
          if (found.gap?.resume === after) break
        }
      }
    }
    entry.pump = pump
    seen.streams.add(entry)
    const beat = setInterval(() => send({ heartbeat: { at: new Date().toISOString() } }), faults.heartbeat * 1000)
    timers.add(beat)
    logs.on('change', pump)
    onEnd(() => {
      clearInterval(beat)
      logs.off('change', pump)
      seen.streams.delete(entry)
    })
    send({ hello: { heartbeat: faults.heartbeat, node: 'test', user: userOf(request) } })
    pump()
    return entry
  }

  function webSocket(request, socket) {
    const at = new Map()
    let closed = () => {}
    const peer = acceptWebSocket(request, socket, { onText: text => command(JSON.parse(text)), onClose: () => closed() })
    const send = held(object => peer.send(JSON.stringify(object)), () => faults.muteSockets)
    const entry = stream(request, at, send, () => socket.destroy(), fn => (closed = fn))
    entry.closeFrame = code => peer.close(code)
    let busy = Promise.resolve()
    // In order, however slow.
    const command = c => (busy = busy.then(() => new Promise(resolve => slowly(resolve))).then(() => run(c)))
    function run({ op, ref, channel, ...more }) {
      if (chance(faults.drop)) return socket.destroy()
      const ok = result => ref !== undefined && send({ ref, result })
      if (op === 'subscribe') {
        if (faults.forbidden.has(channel)) return send({ ref, error: problem(403, 'forbidden') })
        const position = more.after === undefined || more.after === 'end' ? logs.position(channel, logs.tail(channel)) : String(more.after)
        at.set(channel, position)
        ok({ channel, position })
        entry.pump()
      } else if (op === 'unsubscribe') {
        at.delete(channel)
        ok({ channel })
      } else if (op === 'publish') {
        if (chance(faults.busy)) return send({ ref, error: problem(503, 'overloaded', { retry_after: 0 }) })
        const { replayed: _, ...receipt } = logs.append(channel, { ...more, from: userOf(request) })
        if (chance(faults.lose)) return socket.destroy()
        ok(receipt)
      } else if (op === 'signal') {
        const user = userOf(request)
        for (const other of seen.streams) if (other.at.has(channel)) other.send({ channel, signal: { type: more.type, from: user && { id: user.id, name: user.name }, data: more.data } })
      } else if (op === 'ping') ok({})
    }
  }

  /** A batch as it may come after repairs, failovers and races: never wrong, but not as expected. */
  function mangled(batch) {
    if (!batch.messages || !chance(faults.mangle)) return [batch]
    const { channel } = batch
    const from = parseInt(batch.from, 10)
    const to = parseInt(batch.to, 10)
    const middle = from + Math.floor(random() * (to - from + 1))
    const slice = (a, b) => (({ more: _, ...rest }) => ({ ...rest, ...(batch.more && { more: true }) }))(logs.slice(channel, a, b))
    switch (Math.floor(random() * 5)) {
      case 0: return [batch, batch]
      case 1: return [slice(Math.max(logs.get(channel).base, from - 3), to)]
      case 2: return [slice(from, middle), slice(middle, to)]
      case 3: return [slice(middle, to), slice(from, middle)]
      default: return [slice(middle, to)] // and the part before it never comes by itself
    }
  }

  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    logs, faults, seen,
    calm() {
      Object.assign(faults, calm, { forbidden: new Set() })
      for (const entry of seen.streams) entry.send()
    },
    /** Breaks every connection. */
    breakAll: () => sockets.forEach(socket => socket.destroy()),
    streams: kind => [...seen.streams].filter(entry => entry.kind === kind),
    async close() {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
