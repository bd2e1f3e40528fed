// A vote for the wall: the question, large live bars, a code to scan; and keys for its owner.

import { announce } from './announce.js'
import { parley } from './client.js'
import { badge } from './badge.js'
import { describe } from './errors.js'
import { attribute, fill, h, icon, iconButton, reconcile, setText } from './dom.js'
import { openDialog } from './dialog.js'
import { phrase, t, tr } from './i18n.js'
import { LiveVote, shares } from './livevote.js'
import { languageButton } from './sidebar.js'
import { serverNow } from './serverclock.js'
import { everySecond, number, percent, remaining } from './time.js'
import { fail, toast } from './toast.js'
import { revealed, toggleOpen, toggleRevealed } from './votecontrols.js'

const code = decodeURIComponent(location.pathname.split('/')[2] ?? '')
const live = new LiveVote(parley, code)
const address = `${location.host}/v/${live.code}`

const question = h('h1', { dir: 'auto' })
const bars = h('ol', { class: 'wall-bars' })
const state = h('span', { class: 'pill' })
const voters = h('strong', { class: 'wall-voters' })
const votersWord = h('span', null)
const deadline = h('span', { class: 'deadline' })
const hidden = h('p', { class: 'wall-hidden' }, icon('eye-off'), tr('wall.hidden'))
const openButton = h('button', { type: 'button', class: 'button', onclick: open })
const revealButton = h('button', { type: 'button', class: 'button', onclick: reveal })
const controls = h('div', { class: 'wall-controls', hidden: true }, openButton, revealButton)
const main = h(
  'main',
  { class: 'wall', id: 'main' },
  h('header', null, question),
  bars,
  h(
    'footer',
    null,
    h('img', { class: 'qr', src: `/v1/votes/${live.code}/qr.svg`, alt: tr('vote.qr', { address }), width: 180, height: 180 }),
    h(
      'div',
      { class: 'wall-join' },
      h('p', null, tr('wall.join')),
      h('p', { class: 'wall-address' }, `${location.host}/v/`, h('strong', { class: 'code' }, live.code)),
    ),
    h('div', { class: 'wall-status' }, h('p', null, voters, ' ', votersWord), h('p', { class: 'wall-state' }, state, deadline), hidden),
    h(
      'div',
      { class: 'wall-tools' },
      controls,
      h(
        'div',
        { class: 'wall-icons' },
        badge(),
        languageButton(),
        iconButton('fullscreen', tr('key.fullscreen'), { onclick: fullScreen }),
        iconButton('help', tr('shortcuts'), { onclick: help }),
        h('a', { class: 'icon-button', href: `/v/${live.code}`, title: tr('vote.page'), 'aria-label': tr('vote.page') }, icon('close')),
      ),
    ),
  ),
)

function draw() {
  const { vote } = live
  if (!vote) return
  document.title = `${vote.question} · Parley`
  setText(question, vote.question)
  const many = vote.options.length
  const columns = many > 36 ? 4 : many > 24 ? 3 : many > 8 ? 2 : 1
  question.classList.toggle('long', vote.question.length > 90 || many > 16)
  bars.classList.toggle('dense', many > 16)
  main.style.setProperty('--rows', String(Math.max(3, Math.ceil(many / columns))))
  attribute(bars, 'data-columns', columns)
  // The owner always sees the counts; the audience in front of the wall only by the rule of the vote.
  const shown = vote.visible && revealed(vote)
  bars.classList.toggle('results', shown)
  reconcile(
    bars,
    shares(vote),
    ({ option }) => String(option.id),
    ({ option, count, share, leads }, old) => {
      const el = /** @type {HTMLElement} */ (
        old ??
          h(
            'li',
            null,
            h('div', { class: 'wall-label' }, h('span', { class: 'wall-text', dir: 'auto' }), h('span', { class: 'wall-count' })),
            h('div', { class: 'wall-track' }, h('div', { class: 'wall-bar' })),
          )
      )
      setText(/** @type {Element} */ (el.querySelector('.wall-text')), option.text)
      setText(/** @type {Element} */ (el.querySelector('.wall-count')), shown ? phrase(() => (many > 16 ? number(count) : `${number(count)} · ${percent(share)}`)) : '')
      el.classList.toggle('leads', shown && leads)
      el.style.setProperty('--share', shown ? String(share) : '0')
      return el
    },
  )
  setText(
    voters,
    phrase(() => number(vote.voters)),
  )
  setText(votersWord, tr('wall.voters', { n: vote.voters }))
  setText(state, tr(vote.open ? 'vote.open' : 'vote.closed'))
  state.classList.toggle('open', vote.open)
  hidden.hidden = shown
  controls.hidden = !vote.mine
  fill(openButton, icon(vote.open ? 'stop' : 'play'), tr(vote.open ? 'vote.doClose' : 'vote.doOpen'), h('kbd', null, tr('key.space')))
  fill(revealButton, icon(revealed(vote) ? 'eye-off' : 'eye'), tr(revealed(vote) ? 'vote.hide' : 'vote.reveal'), h('kbd', null, 'R'))
  tick()
}

function tick() {
  const { vote } = live
  deadline.hidden = !(vote?.open && vote.closes)
  const left = vote?.closes ? Date.parse(vote.closes) - serverNow() : 0
  setText(deadline, left > 0 ? phrase(() => t('vote.closesIn', { time: remaining(left) })) : tr('vote.closing'))
}

/** Whether one may change the vote; says so if not. */
function may() {
  if (!live.vote) return false
  if (!live.vote.mine) toast(tr('error.not_owner'))
  return Boolean(live.vote.mine)
}

function open() {
  if (may()) toggleOpen(live).then(() => announce(t(live.vote?.open ? 'vote.open' : 'vote.closed')), fail)
}

function reveal() {
  if (may()) toggleRevealed(live).catch(fail)
}

function fullScreen() {
  if (document.fullscreenElement) void document.exitFullscreen()
  else document.documentElement.requestFullscreen?.().catch(() => {})
}

function help() {
  const keys = /** @type {const} */ ([
    ['key.openClose', 'key.space'],
    ['key.reveal', 'R'],
    ['key.fullscreen', 'F'],
    ['key.shortcuts', '?'],
  ])
  openDialog({
    title: tr('shortcuts'),
    body: [
      h(
        'dl',
        { class: 'shortcuts' },
        keys.map(([label, cap]) =>
          h('div', null, h('dt', null, tr(label)), h('dd', null, h('kbd', null, cap === 'key.space' ? tr(cap) : cap))),
        ),
      ),
    ],
  })
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector('dialog[open], .menu')) return
  if (event.key === ' ' && event.target instanceof HTMLElement && event.target.matches('button, a')) return // it presses that
  const action = { ' ': open, r: reveal, R: reveal, f: fullScreen, F: fullScreen, '?': help }[event.key]
  if (!action) return
  event.preventDefault()
  action()
})

async function start() {
  try {
    await live.load()
    live.on('change', draw)
    document.body.append(main)
    draw()
    everySecond(main, tick)
    live.listen()
  } catch (error) {
    document.body.append(
      h(
        'main',
        { class: 'nothing', id: 'main' },
        icon('alert'),
        h('h1', null, describe(error)),
        h('a', { class: 'button', href: '/' }, tr('toChat')),
      ),
    )
  }
}
void start()
