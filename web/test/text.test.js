import './page.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash, initials } from '../js/avatar.js'
import { parse as command } from '../js/commands.js'
import { split } from '../js/links.js'
import { parse as route } from '../js/router.js'
import { bytes, remaining } from '../js/time.js'

test('links: only http and https, without the punctuation around them', () => {
  for (const [text, ...links] of [
    ['see https://example.org/a.', 'https://example.org/a'],
    ['(https://example.org/a)', 'https://example.org/a'],
    ['https://en.wikipedia.org/wiki/Go_(game)', 'https://en.wikipedia.org/wiki/Go_(game)'],
    ['两个：https://例子.中国/路，和http://b.example', 'https://例子.中国/路', 'http://b.example'],
    ['a https://a.example b https://b.example?x=1&y=2#z', 'https://a.example', 'https://b.example?x=1&y=2#z'],
    ['javascript:alert(1) data:text/html,x file:///etc/passwd'],
    ['https://'],
    ['xhttps://no.example'],
    ['<a href="https://a.example">', 'https://a.example'],
  ]) {
    const pieces = split(text)
    assert.equal(pieces.map(piece => piece.text).join(''), text)
    assert.deepEqual(pieces.filter(piece => piece.href).map(piece => piece.text), links, text)
    for (const { href } of pieces) assert.ok(!href || /^https?:/.test(href), href)
  }
})

test('commands', () => {
  for (const [input, want] of [
    ['hello', { kind: 'text', text: 'hello' }],
    ['  a / b ', { kind: 'text', text: 'a / b' }],
    ['/vote Tea? | yes | no', { kind: 'vote', question: 'Tea?', options: ['yes', 'no'] }],
    ['/vote 喝茶？｜是｜否', { kind: 'vote', question: '喝茶？', options: ['是', '否'] }],
    ['/vote Tea? | yes', { kind: 'vote-dialog', question: 'Tea?', options: ['yes'] }],
    ['/vote', { kind: 'vote-dialog', question: '', options: [] }],
    ['/help', { kind: 'help' }],
    ['/nonsense now', { kind: 'unknown', name: 'nonsense' }],
    ['//vote is a command', { kind: 'text', text: '/vote is a command' }],
    ['/usr/local/bin', { kind: 'text', text: '/usr/local/bin' }],
  ]) assert.deepEqual(command(input), want, input)
})

test('initials', () => {
  for (const [name, want] of [['Ann', 'A'], ['ann lindqvist', 'AL'], ['王小明', '王'], ['Jean-Luc Picard', 'JP'], ['🦊 fox', 'F'], ['🦊', '🦊'], ['42', '4'], ['Émile', 'É']]) {
    assert.equal(initials(name), want, name)
  }
  assert.equal(hash('u1'), hash('u1'))
  assert.notEqual(hash('u1'), hash('u2'))
})

test('addresses', () => {
  const at = (pathname, search = '', hash = '') => route({ pathname, search, hash })
  assert.deepEqual(at('/'), { name: 'home' })
  assert.deepEqual(at('/r/lobby'), { name: 'room', id: 'lobby', invite: '' })
  assert.deepEqual(at('/r/x', '', '#invite=abc'), { name: 'room', id: 'x', invite: 'abc' })
  assert.deepEqual(at('/r/x', '?invite=abc'), { name: 'room', id: 'x', invite: 'abc' })
  assert.deepEqual(at('/r/lobby', '', '#people'), { name: 'room', id: 'lobby', invite: '' })
  assert.deepEqual(at('/d/%E7%8E%8B'), { name: 'direct', id: '王' })
  assert.deepEqual(at('/d/%zz'), { name: 'direct', id: '%zz' })
  assert.deepEqual(at('/r/a/b'), { name: 'home' })
})

test('sizes and times', () => {
  assert.equal(bytes(337), '337\u00a0B')
  assert.equal(bytes(5840), '5.8\u00a0kB')
  assert.equal(bytes(123_456_789), '123\u00a0MB')
  assert.equal(remaining(-5), '0:00')
  assert.equal(remaining(61_000), '1:01')
  assert.equal(remaining(3_600_000), '1:00:00')
})
