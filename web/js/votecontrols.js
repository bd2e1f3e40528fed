// What the owner of a vote may do: open and close, reveal and hide, set a deadline, take the results away.

import { fill, h, icon } from './dom.js'
import { tr } from './i18n.js'
import { openMenu } from './menu.js'
import { fail, toast } from './toast.js'
import { serverNow } from './serverclock.js'

/** @typedef {import('./livevote.js').LiveVote} LiveVote */
/** @typedef {import('../sdk/types.js').Vote} Vote */
/** @typedef {import('../sdk/types.js').Results} Results */

/** Whether an audience that has not voted may see the results. @param {Vote} vote */
export const revealed = vote => vote.results === 'always' || (vote.results !== 'owner' && !vote.open)

/** Opens or closes; a deadline that has passed goes, or it would close again at once. @param {LiveVote} live */
export function toggleOpen(live) {
  const vote = /** @type {Vote} */ (live.vote)
  const passed = vote.closes && Date.parse(vote.closes) <= serverNow()
  return live.update(vote.open ? { open: false } : { open: true, ...(passed ? { closes: null } : {}) })
}

/** @type {WeakMap<LiveVote, Results>} the rule that was there before revealing */
const before = new WeakMap()

/** Reveals to everyone, or hides again as before. @param {LiveVote} live */
export function toggleRevealed(live) {
  const vote = /** @type {Vote} */ (live.vote)
  if (!revealed(vote)) {
    before.set(live, vote.results)
    return live.update({ results: 'always' })
  }
  const earlier = before.get(live) ?? 'owner'
  return live.update({ results: revealed({ ...vote, results: earlier }) ? 'owner' : earlier })
}

/** @param {LiveVote} live */
export function ownerControls(live) {
  const open = h('button', { type: 'button', class: 'button', onclick: () => toggleOpen(live).catch(fail) })
  const reveal = h('button', { type: 'button', class: 'button', onclick: () => toggleRevealed(live).catch(fail) })
  const deadline = h(
    'button',
    { type: 'button', class: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: setDeadline },
    icon('clock'),
    tr('vote.deadline'),
  )
  const root = h(
    'section',
    { class: 'owner-controls', 'aria-label': tr('vote.owner') },
    h('h2', null, tr('vote.owner')),
    h(
      'div',
      { class: 'buttons' },
      open,
      reveal,
      deadline,
      h('a', { class: 'button', href: `/v1/votes/${live.code}.csv`, download: `${live.code}.csv` }, icon('download'), 'CSV'),
      h('a', { class: 'button', href: `/v1/votes/${live.code}.json`, download: `${live.code}.json` }, icon('download'), 'JSON'),
    ),
  )
  function setDeadline() {
    const set = (/** @type {number | null} */ minutes) =>
      live
        .update({ closes: minutes === null ? null : new Date(serverNow() + minutes * 60_000).toISOString() })
        .then(() => toast(tr('saved'), 'good', 1500), fail)
    openMenu(deadline, [
      { label: tr('deadline.m5'), run: () => set(5) },
      { label: tr('deadline.m15'), run: () => set(15) },
      { label: tr('deadline.h1'), run: () => set(60) },
      { label: tr('deadline.d1'), run: () => set(1440) },
      { label: tr('deadline.none'), separate: true, run: () => set(null) },
    ])
  }
  function update() {
    const { vote } = live
    if (!vote) return
    fill(open, icon(vote.open ? 'stop' : 'play'), tr(vote.open ? 'vote.doClose' : 'vote.doOpen'))
    open.classList.toggle('primary', !vote.open)
    const shown = revealed(vote)
    fill(reveal, icon(shown ? 'eye-off' : 'eye'), tr(shown ? 'vote.hide' : 'vote.reveal'))
    deadline.hidden = !vote.open
  }
  live.on('change', update)
  update()
  return root
}
