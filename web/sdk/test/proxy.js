// A proxy as there are in the world: it may know no WebSocket, hold back what has not ended, or break what goes through.
import { readFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'

/** Serves `files(path)` itself where that gives a file, and passes on the rest to 127.0.0.1:port. */
export async function startProxy(port, { files = _path => null } = {}) {
  const faults = { stripUpgrade: false, bufferSse: false, drop: 0 }
  const sockets = new Set()
  const keep = socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const chance = p => Math.random() < p

  const server = createServer(async (request, response) => {
    const file = files(request.url)
    if (file) {
      response.setHeader('Content-Type', file.type)
      response.end(file.text ?? await readFile(file.path))
      return
    }
    if (chance(faults.drop)) return request.socket.destroy()
    const onward = httpRequest({ port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers })
    onward.on('error', () => request.socket.destroy())
    onward.on('response', answer => {
      answer.on('error', () => response.destroy())
      // Lost after it was carried out: the client cannot know.
      if (chance(faults.drop)) return request.socket.destroy()
      response.writeHead(answer.statusCode, answer.headers)
      if (faults.bufferSse && answer.headers['content-type']?.startsWith('text/event-stream')) {
        response.flushHeaders()
        answer.resume()
      } else {
        answer.pipe(response)
        answer.on('data', () => chance(faults.drop) && request.socket.destroy())
      }
    })
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  })
  server.on('connection', keep)
  server.on('upgrade', (request, socket) => {
    if (faults.stripUpgrade) return socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    const onward = connect(port, '127.0.0.1')
    keep(onward)
    const head = [`${request.method} ${request.url} HTTP/1.1`]
    for (let i = 0; i < request.rawHeaders.length; i += 2) head.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`)
    onward.write(head.join('\r\n') + '\r\n\r\n')
    socket.pipe(onward).pipe(socket)
    for (const half of [socket, onward]) half.on('data', () => chance(faults.drop) && (socket.destroy(), onward.destroy()))
    socket.on('close', () => onward.destroy())
    onward.on('close', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    faults,
    calm: () => Object.assign(faults, { stripUpgrade: false, bufferSse: false, drop: 0 }),
    breakAll: () => sockets.forEach(socket => socket.destroy()),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
