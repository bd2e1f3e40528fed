import './page.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { excerpt, marked, words } from '../js/highlight.js'

/** The text with what was searched for in brackets. */
const shown = pieces => pieces.map(({ text, hit }) => (hit ? `[${text}]` : text)).join('')

test('what was searched for is marked by the rules that found it', () => {
  for (const [query, text, want] of [
    ['hel', 'Hello, shell', '[Hel]lo, shell'],
    ['HELLO world', 'the world says hello', 'the [world] says [hello]'],
    ['投票', '请大家投票吧，投票', '请大家[投票]吧，[投票]'],
    ['票', '请大家投票吧', '请大家投[票]吧'],
    ['投票 大家', '请大家投票吧', '请[大家投票]吧'],
    ['iphone 手机', '新的iPhone15手机', '新的[iPhone]15[手机]'],
    ['テスト', 'これはﾃｽﾄです', 'これは[ﾃｽﾄ]です'],
    ['café', 'CAFE\u0301!', '[CAFE\u0301]!'],
    ['strasse', 'Straße 5', '[Straße] 5'],
    ['stras', 'Straße 5', '[Straß]e 5'],
    ['👍', 'fine 👍🏽!', 'fine [👍🏽]!'],
    ['👩', 'we: 👨‍👩‍👧.', 'we: [👨‍👩‍👧].'],
    ['שלום', 'אמר: שלום', 'אמר: [שלום]'],
    ['مرحبا', '\u200fمرحبا', '\u200f[مرحبا]'],
    ['ΣΊΣΥΦΟΣ', 'ο σίσυφος', 'ο [σίσυφος]'],
    ['aa', 'aaa aa', '[aa]a [aa]'],
    ['x', '<b>x</b>', '<b>[x]</b>'],
    ['nothing', 'here', 'here'],
    ['?', 'here?', 'here?'],
    ['a', '', ''],
  ]) {
    const pieces = marked(text, query)
    assert.equal(shown(pieces), want, query)
    assert.equal(pieces.map(piece => piece.text).join(''), text)
  }
})

test('a query without a word has none', () => {
  for (const query of ['', ' ', '?!', '…—', '\u200d\ufe0f']) assert.deepEqual(words(query), [], query)
  assert.deepEqual(words('C++ 你好！ 🎉'), [
    { text: 'c', dense: false },
    { text: '你好', dense: true },
    { text: '🎉', dense: true },
  ])
})

test('an excerpt shows the first hit, whole characters, and that there is more', () => {
  const long = `${'好'.repeat(300)}needle${'👨‍👩‍👧'.repeat(300)}`
  const got = shown(excerpt(long, 'needle'))
  assert.match(got, /^…好+\[needle\](?:👨‍👩‍👧)+…$/u)
  assert.ok(got.length < 300, String(got.length))
  assert.equal(shown(excerpt('short needle', 'needle')), 'short [needle]')
  assert.match(shown(excerpt('好'.repeat(500), 'x')), /^好{220}…$/)
})
