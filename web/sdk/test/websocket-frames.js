// The least of RFC 6455 that the test server needs: unfragmented frames, both ways.
import { createHash } from 'node:crypto'

/** Answers the handshake. @returns {{ send(text: string): void, close(code?: number): void }} */
export function acceptWebSocket(request, socket, { onText, onClose }) {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
  socket.setNoDelay(true)
  let buffer = Buffer.alloc(0)
  const write = (opcode, payload) => !socket.destroyed && socket.write(frame(opcode, payload))
  socket.on('data', chunk => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const next = parse(buffer)
      if (!next) return
      buffer = buffer.subarray(next.length)
      if (next.opcode === 1) onText(next.payload.toString())
      else if (next.opcode === 8) {
        write(8, next.payload)
        socket.end()
      } else if (next.opcode === 9) write(10, next.payload)
    }
  })
  socket.on('error', () => {})
  socket.on('close', onClose)
  return {
    send: text => write(1, Buffer.from(text)),
    close: (code = 1001) => {
      write(8, Buffer.from([code >> 8, code & 255]))
      socket.end()
    },
  }
}

function frame(opcode, payload) {
  const { length } = payload
  const head = length < 126 ? Buffer.from([0x80 | opcode, length]) : length < 65536 ? Buffer.alloc(4) : Buffer.alloc(10)
  if (length >= 126) {
    head[0] = 0x80 | opcode
    head[1] = length < 65536 ? 126 : 127
    if (length < 65536) head.writeUInt16BE(length, 2)
    else head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, payload])
}

function parse(buffer) {
  if (buffer.length < 2) return null
  let size = buffer[1] & 127
  let at = 2
  if (size === 126) {
    if (buffer.length < 4) return null
    size = buffer.readUInt16BE(2)
    at = 4
  } else if (size === 127) {
    if (buffer.length < 10) return null
    size = Number(buffer.readBigUInt64BE(2))
    at = 10
  }
  const length = at + 4 + size
  if (buffer.length < length) return null
  const mask = buffer.subarray(at, at + 4)
  const payload = Buffer.from(buffer.subarray(at + 4, length)).map((byte, i) => byte ^ mask[i & 3])
  return { opcode: buffer[0] & 15, payload, length }
}
