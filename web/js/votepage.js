// A vote on its own page: the ballot, how to share it, and what its owner may do.

import { parley } from './client.js'
import { ballot } from './ballot.js'
import { describe } from './errors.js'
import { fill, h, icon, setText } from './dom.js'
import { onLanguage, phrase, tr } from './i18n.js'
import { LiveVote } from './livevote.js'
import { ensureSession } from './names.js'
import { ownerControls } from './votecontrols.js'
import { pageHead } from './pagehead.js'
import { copyField } from './roomdialogs.js'
import { moment } from './time.js'
import { voteNotice, voteStatus } from './votestatus.js'

const code = decodeURIComponent(location.pathname.split('/')[2] ?? '')
const live = new LiveVote(parley, code)
const main = h('main', { class: 'vote-page', id: 'main' }, h('p', { class: 'loading' }, h('span', { class: 'spinner' }), tr('loading')))
document.body.append(pageHead(), main)

/** The vote has no owner controls for a visitor; they appear once one is known to be the owner. */
function controls() {
  const slot = h('div', { class: 'slot' })
  const draw = () => {
    if (live.vote?.mine && !slot.childElementCount) slot.append(ownerControls(live))
  }
  live.on('change', draw)
  draw()
  return slot
}

function share() {
  const address = `${location.origin}/v/${live.code}`
  return h(
    'section',
    { class: 'share' },
    h('img', { class: 'qr', src: `/v1/votes/${live.code}/qr.svg`, alt: tr('vote.qr', { address }), width: 148, height: 148 }),
    h(
      'div',
      null,
      h('h2', null, tr('vote.share')),
      h('p', { class: 'hint' }, tr('vote.shareText')),
      copyField(address),
      h('p', { class: 'share-code' }, tr('vote.code'), ' ', h('strong', { class: 'code' }, live.code)),
      h('a', { class: 'button', href: `/v/${live.code}/present` }, icon('present'), tr('vote.present')),
    ),
  )
}

function draw() {
  const question = h('h1', { dir: 'auto' })
  const by = h('p', { class: 'by-line' })
  const update = () => {
    const { vote } = live
    if (!vote) return
    setText(question, vote.question)
    setText(
      by,
      phrase(() => String(tr(vote.mine ? 'vote.byYou' : 'vote.by', { name: vote.owner?.name ?? '', at: moment(vote.created) }))),
    )
    document.title = `${vote.question} · Parley`
  }
  live.on('change', update)
  update()
  fill(
    main,
    live.vote?.room
      ? h('a', { class: 'back-link', href: `/r/${encodeURIComponent(live.vote.room)}` }, icon('back'), tr('vote.toRoom'))
      : null,
    h(
      'article',
      { class: 'vote-sheet' },
      h('header', null, question, by),
      ballot(live, { before: ensureSession }),
      voteNotice(live),
      thanks(),
      voteStatus(live),
    ),
    controls(),
    share(),
  )
}

/** Says that the ballot is in. */
function thanks() {
  const text = h('span', null)
  const el = h('p', { class: 'thanks', role: 'status', hidden: true }, icon('check'), text)
  const update = () => {
    el.hidden = !live.voted || live.casting !== null
    setText(text, tr(live.vote?.open && live.vote.change ? 'vote.thanksChange' : 'vote.thanks'))
  }
  live.on('change', update)
  update()
  return el
}

async function start() {
  try {
    await live.load()
    draw()
    live.listen()
  } catch (error) {
    document.querySelector('.badge')?.remove() // there is nothing to be connected to
    fill(
      main,
      h(
        'div',
        { class: 'nothing' },
        icon('alert'),
        h('h1', null, describe(error)),
        h('p', null, tr('vote.lookAgain')),
        h('a', { class: 'button', href: '/' }, tr('toChat')),
      ),
    )
  }
}
onLanguage(() => live.emit('change'))
void start()
