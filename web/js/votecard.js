// A vote inside a conversation. It follows the tally only while it is on the screen.

import { parley } from './client.js'
import { ballot } from './ballot.js'
import { describe } from './errors.js'
import { h, icon, setText } from './dom.js'
import { tr } from './i18n.js'
import { LiveVote } from './livevote.js'
import { voteNotice, voteStatus } from './votestatus.js'

/** @type {WeakMap<Element, (visible: boolean) => void>} */
const watched = new WeakMap()
const observer = new IntersectionObserver(
  entries => {
    for (const entry of entries) watched.get(entry.target)?.(entry.isIntersecting)
  },
  { rootMargin: '200px' },
)

/** @param {{ code: string, question: string }} announced  the data of the message */
export function voteCard({ code, question }) {
  const live = new LiveVote(parley, code)
  const problem = h('p', { class: 'problem', hidden: true })
  const card = h(
    'article',
    { class: 'vote-card' },
    h(
      'header',
      null,
      icon('vote'),
      h('h3', { dir: 'auto' }, question),
      h('a', { class: 'code', href: `/v/${code}`, title: tr('vote.page') }, code),
    ),
    ballot(live),
    voteNotice(live),
    voteStatus(live),
    problem,
  )
  live.on('change', () => {
    if (live.vote) setText(/** @type {HTMLElement} */ (card.querySelector('h3')), live.vote.question)
  })
  watched.set(card, async visible => {
    if (!visible) return live.close()
    try {
      await live.load()
      problem.hidden = true
      if (card.isConnected) live.listen()
    } catch (error) {
      problem.hidden = false
      setText(problem, describe(error))
    }
  })
  observer.observe(card)
  return card
}

/** Lets go of a card that was taken off the page. @param {Element} card */
export function releaseVoteCard(card) {
  observer.unobserve(card)
  watched.get(card)?.(false)
}
