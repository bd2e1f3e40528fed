import './page.js'
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import en from '../i18n/en.js'
import zh from '../i18n/zh.js'
import { language, onLanguage, phrase, setLanguage, t, tr } from '../js/i18n.js'
import { remaining } from '../js/time.js'

const forms = entry => (typeof entry === 'string' ? [entry] : Object.values(entry))
const holes = text => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort()

test('both languages have the same keys, in the same order', () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en))
})

test('both languages fill in the same values', () => {
  for (const key of Object.keys(en)) {
    for (const form of [...forms(en[key]), ...forms(zh[key])]) assert.deepEqual(holes(form), holes(forms(en[key])[0]), `${key}: ${form}`)
  }
})

test('no text is empty, and a text with plural forms has the general one', () => {
  for (const [key, entry] of [...Object.entries(en), ...Object.entries(zh)]) {
    for (const form of forms(entry)) assert.ok(form.trim() || key === 'list.comma', key)
    if (typeof entry !== 'string') assert.ok(entry.other, key)
  }
})

test('every error code of the protocol has a sentence in both languages', () => {
  const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')
  const section = /## All error codes\n([\s\S]*?)\n## /.exec(protocol)[1]
  const codes = [...section.matchAll(/`([a-z_]+)` \d{3}/g)].map(match => match[1])
  assert.ok(codes.length > 30, 'the codes are not found in docs/protocol.md any more')
  for (const code of [...codes, 'network', 'unexpected', 'closed']) assert.ok(en[`error.${code}`] && zh[`error.${code}`], code)
})

test('every text is used', () => {
  const folder = new URL('../js/', import.meta.url)
  const code = readdirSync(folder).map(name => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  const dynamic = /^(error|transport|explain)\./
  const unused = Object.keys(en).filter(key => !dynamic.test(key) && !code.includes(`'${key}'`))
  assert.deepEqual(unused, [])
})

test('values are filled in, numbers choose the form', () => {
  assert.equal(t('unread', { n: 1 }), '1 unread message')
  assert.equal(t('unread', { n: 1200 }), '1,200 unread messages')
  assert.equal(t('room.leaveTitle', { name: 'a {n} b' }), 'Leave a {n} b?')
})

test('a phrase follows the language, and listeners are told', () => {
  const text = tr('save')
  const length = phrase(() => remaining(90_000_000))
  assert.equal(`${text} ${length}`, 'Save 1 d 1 h')
  let told = 0
  const stop = onLanguage(() => told++)
  setLanguage('zh')
  setLanguage('zh')
  assert.equal(`${text} ${length}`, '保存 1 天 1 小时')
  assert.equal(language(), 'zh')
  assert.equal(document.documentElement.lang, 'zh-CN')
  assert.equal(localStorage.getItem('parley.language'), 'zh')
  stop()
  setLanguage('en')
  assert.equal(told, 1)
})
