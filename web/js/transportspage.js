// The same live vote four times, once per transport: what the four words mean, seen at a glance.

import { parley, transports } from './client.js'
import { codeOf, describe } from './errors.js'
import { fill, h, icon, setText } from './dom.js'
import { t, tr } from './i18n.js'
import { pageHead } from './pagehead.js'
import { fail } from './toast.js'
import { transportPanel } from './transportpanel.js'

const between = 250 // milliseconds from ballot to ballot, under the limit of five a second

const panels = h('div', { class: 'panels' })
const one = h('button', { type: 'button', class: 'button primary big', onclick: () => cast(1) }, icon('vote'), tr('cast.one'))
const ten = h('button', { type: 'button', class: 'button big', onclick: () => cast(10) }, tr('cast.ten'))
const status = h('p', { class: 'hint', role: 'status' })
const link = h('a', { class: 'button ghost', hidden: true }, icon('arrow'), tr('vote.page'))
const main = h(
  'main',
  { class: 'transports-page', id: 'main' },
  h('div', { class: 'intro' }, h('h1', null, tr('transports.title')), h('p', { class: 'lead' }, tr('transports.lead'))),
  h('div', { class: 'buttons' }, one, ten, link, status),
  panels,
  h(
    'p',
    { class: 'legend' },
    h('span', { class: 'tick', 'aria-hidden': 'true' }),
    tr('legend.request'),
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    tr('legend.tally'),
    h('span', { class: 'held', 'aria-hidden': 'true' }),
    tr('legend.held'),
  ),
)
document.body.append(pageHead(false), main)
document.title = 'Parley'

/** @type {ReturnType<typeof transportPanel>[]} */
let shown = []
let code = (new URLSearchParams(location.search).get('vote') ?? '').toUpperCase()
let turn = 0

/** Makes the vote of the demonstration. */
async function demo() {
  const vote = await parley.createVote({ question: t('demo.question'), options: [t('demo.a'), t('demo.b'), t('demo.c')] })
  code = vote.code
  history.replaceState(null, '', `?vote=${code}`)
}

async function open() {
  const first = await parley.vote(code)
  link.href = `/v/${code}`
  link.hidden = false
  one.disabled = ten.disabled = !first.open || !first.change
  setText(status, tr(first.open ? 'transports.vote' : 'error.vote_closed', { question: first.question }))
  // Worst first, so that one reads from left to right what each step gains.
  shown = [...transports].reverse().map(name => transportPanel(name, code))
  fill(
    panels,
    shown.map(panel => panel.element),
  )
  await Promise.all(shown.map(panel => panel.start()))
  turn = (first.ballot?.[0] ?? 0) % first.options.length
}

/** @param {number} n */
async function cast(n) {
  one.disabled = ten.disabled = true
  try {
    if (!shown.length) {
      if (!code) await demo()
      await open()
    }
    for (let i = 0; i < n; i++) {
      const options = shown[0].live.vote?.options ?? []
      const { id } = options[turn++ % options.length]
      const at = performance.now()
      const { version } = await parley.cast(code, [id])
      for (const panel of shown) panel.cast(version, at)
      if (i < n - 1) await new Promise(done => setTimeout(done, between))
    }
  } catch (error) {
    fail(error)
  } finally {
    one.disabled = ten.disabled = false
  }
}

async function start() {
  try {
    if (!code) {
      // Without a session nothing is made until a button is pressed: a look must not leave a guest behind.
      if (!(await parley.session().catch(() => null))) return setText(status, tr('transports.press'))
      await demo()
    }
    await open()
  } catch (error) {
    setText(status, describe(error))
    one.disabled = ten.disabled = codeOf(error) === 'no_vote'
  }
}
void start()
