// The line under a ballot: open or closed, how many have voted, how long it is open, and why results are hidden.

import { h, icon, setText } from './dom.js'
import { phrase, t, tr } from './i18n.js'
import { serverNow } from './serverclock.js'
import { everySecond, remaining } from './time.js'

/** @typedef {import('./livevote.js').LiveVote} LiveVote */

/** @param {LiveVote} live */
export function voteStatus(live) {
  const state = h('span', { class: 'pill' })
  const voters = h('span', { class: 'voters' })
  const deadline = h('span', { class: 'deadline' })
  const kind = h('span', { class: 'kind' })
  const root = h('p', { class: 'vote-status' }, state, voters, deadline, kind)

  function update() {
    const { vote } = live
    if (!vote) return
    setText(state, tr(vote.open ? 'vote.open' : 'vote.closed'))
    state.classList.toggle('open', vote.open)
    setText(voters, tr('vote.voters', { n: vote.voters }))
    setText(kind, tr(vote.named ? 'vote.named' : 'vote.anonymous'))
    tick()
  }
  function tick() {
    const { vote } = live
    const left = vote?.open && vote.closes ? Date.parse(vote.closes) - serverNow() : 0
    deadline.hidden = !(vote?.open && vote.closes)
    setText(deadline, left > 0 ? phrase(() => t('vote.closesIn', { time: remaining(left) })) : tr('vote.closing'))
  }
  live.on('change', update)
  update()
  everySecond(root, tick)
  return root
}

/** A sentence on what one cannot see or do, and why; empty when there is nothing to say. @param {LiveVote} live */
export function voteNotice(live) {
  const text = h('span', null)
  const root = h('p', { class: 'vote-notice', hidden: true }, icon('eye-off'), text)
  function update() {
    const { vote } = live
    if (!vote) return
    root.hidden = vote.visible
    if (!vote.visible)
      setText(
        text,
        tr(
          /** @type {const} */ ({ always: 'hidden.owner', voted: 'hidden.voted', closed: 'hidden.closed', owner: 'hidden.owner' })[
            vote.results
          ],
        ),
      )
  }
  live.on('change', update)
  update()
  return root
}
