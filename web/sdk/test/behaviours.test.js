// The behaviours that all clients of Parley share: client/testdata/behaviours.json lists them, and tests of these names are here.
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { test } from 'node:test'

/** Tests of what only this client has: a page's events, handlers, a browser's WebSocket. */
const own = [
  'waking up ends a wait, and checks what is open',
  'a WebSocket that takes us for nobody though we have a token: the next one down',
  'closing inside a handler stops at once',
  'onBatch gets only what is new',
  'a handler that throws harms nobody else',
]

/** The same behaviour on another kind of server, by a name of its own. */
const again = new Map([
  ["{transport}: the past, then live; from the end; one's own", '{transport}: the past, then live, once and in order'],
  ['{transport}: a private room of others ends alone', '{transport}: a channel that may not be read ends alone'],
  ['auto finds its way through proxies', 'auto: behind a proxy without WebSocket it is SSE'],
  ['every message once and in order, whatever breaks and whichever transport', 'every message once and in order, through a breaking proxy and a kill -9'],
])

const files = ['backoff', 'connection', 'event-stream', 'parley', 'subscriptions', 'transports']

test('the suite covers exactly the list of behaviours', async () => {
  const list = JSON.parse(await readFile(new URL('../../../client/testdata/behaviours.json', import.meta.url), 'utf8')).behaviours
  const tested = new Set()
  for (const file of files) {
    const text = await readFile(new URL(`${file}.test.js`, import.meta.url), 'utf8')
    for (const [, , name] of text.matchAll(/^ *(?:test|scene)\((['`"])(.+?)\1, /gm)) {
      tested.add(name.replace('${transport}', '{transport}').replace('seed ${seed}: ', ''))
    }
  }
  for (const name of own) assert.ok(tested.delete(name), `there is no test ${name} any more`)
  for (const [name, same] of again) {
    assert.ok(tested.delete(name), `there is no test ${name} any more`)
    assert.ok(list.includes(same), `${same} is not in the list`)
  }
  assert.deepEqual([...tested].sort(), [...list].sort())
})

test('no file of tests is forgotten', async () => {
  const all = (await readdir(new URL('.', import.meta.url))).filter(name => name.endsWith('.test.js')).map(name => name.replace('.test.js', ''))
  assert.deepEqual(all.sort(), [...files, 'behaviours', 'browser'].sort())
})
