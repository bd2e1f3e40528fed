import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamParser } from '../event-stream.js'
import { seeded } from './tools.js'

const bytes = text => new TextEncoder().encode(text)
const parse = text => new EventStreamParser().push(bytes(text))

test('what the standard says, line by line', () => {
  const cases = [
    ['one event', 'data: a\n\n', [{ event: 'message', data: 'a', id: '' }]],
    ['named, with id', 'event: batch\nid: 4-x\ndata: {}\n\n', [{ event: 'batch', data: '{}', id: '4-x' }]],
    ['several data lines are joined', 'data: a\ndata:b\ndata\ndata:  c\n\n', [{ event: 'message', data: 'a\nb\n\n c', id: '' }]],
    ['an event without data is none', 'event: x\n\ndata: a\n\n', [{ event: 'message', data: 'a', id: '' }]],
    ['an id stays', 'id: 7\ndata: a\n\ndata: b\n\n', [{ event: 'message', data: 'a', id: '7' }, { event: 'message', data: 'b', id: '7' }]],
    ['an id with NUL is ignored', 'id: 7\nid: 8\0\ndata: a\n\n', [{ event: 'message', data: 'a', id: '7' }]],
    ['comments and unknown fields are passed over', ': hello\nfoo: bar\ndata: a\n\n', [{ event: 'message', data: 'a', id: '' }]],
    ['CR, LF and CR LF end lines', 'data: a\r\rdata: b\r\n\r\ndata: c\n\n', ['a', 'b', 'c'].map(data => ({ event: 'message', data, id: '' }))],
    ['CR LF is one line end', 'event: x\r\ndata: a\r\ndata: b\r\n\r\n', [{ event: 'x', data: 'a\nb', id: '' }]],
    ['a byte order mark is no text', '\ufeffdata: a\n\n', [{ event: 'message', data: 'a', id: '' }]],
    ['an unfinished event is none', 'data: a\n', []],
  ]
  for (const [name, text, events] of cases) assert.deepEqual(parse(text), events, name)
})

test('however the bytes are cut, the events are the same', () => {
  const text = ': c\r\nevent: batch\r\nid: 1-é\r\ndata: {"text":"héllo 你好 👋"}\r\n\r\ndata: a\rdata: b\r\rdata:\n\ndata: x\n\n'
  const whole = bytes(text)
  const expected = parse(text)
  assert.equal(expected.length, 4)
  for (let cut = 0; cut <= whole.length; cut++) {
    const parser = new EventStreamParser()
    assert.deepEqual([...parser.push(whole.slice(0, cut)), ...parser.push(whole.slice(cut))], expected, `cut at ${cut}`)
  }
  const random = seeded(1)
  for (let round = 0; round < 200; round++) {
    const parser = new EventStreamParser()
    const events = []
    for (let at = 0; at < whole.length;) {
      const next = at + 1 + Math.floor(random() * 4)
      events.push(...parser.push(whole.slice(at, next)))
      at = next
    }
    assert.deepEqual(events, expected)
  }
})
