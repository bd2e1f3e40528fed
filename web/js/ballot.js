// The ballot: a vote's options as large buttons, each with its bar. One choice is cast by pressing it; several, or one that
// cannot be changed, are chosen first and then cast.

import { fail } from './toast.js'
import { attribute, h, icon, reconcile, setText } from './dom.js'
import { phrase, t, tr } from './i18n.js'
import { shares } from './livevote.js'
import { number, percent } from './time.js'

/** @typedef {import('./livevote.js').LiveVote} LiveVote */
/** @typedef {ReturnType<typeof shares>[number]} Row */

/**
 * The options of a live vote. `before` may ask for a name first, and says whether to go on.
 * @param {LiveVote} live
 * @param {{ before?: () => Promise<boolean> }} [options]
 */
export function ballot(live, { before } = {}) {
  /** @type {Set<number>} */
  let chosen = new Set()
  let choosing = false

  const list = h('div', { class: 'options', onkeydown: keys })
  const castButton = h('button', { type: 'button', class: 'button primary', onclick: () => cast([...chosen]) }, tr('vote.cast'))
  const hint = h('span', { class: 'hint' })
  const confirm = h('div', { class: 'cast', hidden: true }, castButton, hint)
  const root = h('div', { class: 'ballot' }, list, confirm)

  const single = () => live.vote?.max === 1
  const immediate = () => single() && live.vote?.change
  const may = () => Boolean(live.vote?.open) && (live.vote?.change || !live.voted)

  /** @param {number} id */
  function press(id) {
    if (!live.vote || !may()) return
    if (immediate()) {
      if (live.ballot.length !== 1 || live.ballot[0] !== id) cast([id])
      return
    }
    if (!choosing) chosen = new Set(live.ballot)
    choosing = true
    if (single()) chosen = new Set([id])
    else if (!chosen.delete(id)) chosen.add(id)
    update()
  }

  /** @param {number[]} options */
  async function cast(options) {
    if (live.casting) return
    if (before && !(await before())) return
    try {
      await live.cast(options.sort((a, b) => a - b))
      choosing = false
    } catch (error) {
      fail(error)
    }
    update()
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    const buttons = /** @type {HTMLElement[]} */ ([...list.children])
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement))
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key]
    if (to === undefined || at < 0) return
    event.preventDefault()
    buttons.at(to % buttons.length)?.focus()
  }

  function update() {
    const { vote } = live
    if (!vote) return
    if (!may()) choosing = false
    const marked = choosing ? chosen : new Set(live.ballot)
    attribute(list, 'role', single() ? 'radiogroup' : 'group')
    attribute(list, 'aria-label', vote.question)
    root.classList.toggle('results', vote.visible)
    root.classList.toggle('locked', !may())
    const rows = shares(vote)
    const focusable = rows.find(({ option }) => marked.has(option.id))?.option.id ?? rows[0]?.option.id
    reconcile(
      list,
      rows,
      ({ option }) => String(option.id),
      (row, old) => {
        const el = /** @type {HTMLElement} */ (old ?? option(row.option.id))
        draw(el, row, marked.has(row.option.id))
        if (!list.contains(document.activeElement)) attribute(el, 'tabindex', row.option.id === focusable ? 0 : -1)
        return el
      },
    )
    confirm.hidden = immediate() || !may()
    const n = chosen.size
    castButton.disabled = !choosing || n < vote.min || n > vote.max || Boolean(live.casting)
    setText(castButton, tr(live.voted ? 'vote.change' : 'vote.cast'))
    setText(hint, single() ? tr('vote.final') : range(vote.min, vote.max))
  }

  /** @param {number} id */
  function option(id) {
    return h(
      'button',
      { type: 'button', class: 'option', onclick: () => press(id), onfocus: rove },
      h('span', { class: 'bar', 'aria-hidden': 'true' }),
      h('span', { class: 'mark', 'aria-hidden': 'true' }, icon('check')),
      h('span', { class: 'option-text', dir: 'auto' }),
      h('span', { class: 'option-count' }),
      h('span', { class: 'who', dir: 'auto' }),
    )
  }

  /** @param {FocusEvent} event */
  function rove(event) {
    for (const other of list.children) attribute(other, 'tabindex', other === event.currentTarget ? 0 : -1)
  }

  /** @param {HTMLElement} el @param {Row} row @param {boolean} checked */
  function draw(el, { option, count, share, leads }, checked) {
    const vote = /** @type {import('../sdk/types.js').Vote} */ (live.vote)
    attribute(el, 'role', single() ? 'radio' : 'checkbox')
    attribute(el, 'aria-checked', String(checked))
    attribute(el, 'aria-disabled', may() ? null : 'true')
    el.classList.toggle('leads', leads && vote.visible)
    el.classList.toggle('casting', live.casting !== null && checked)
    el.style.setProperty('--share', vote.visible ? String(share) : '0')
    const [, , text, tally, who] = /** @type {HTMLElement[]} */ ([...el.children])
    setText(text, option.text)
    setText(tally, vote.visible ? phrase(() => `${number(count)} · ${percent(share)}`) : '')
    const names = vote.visible && vote.named ? (option.who ?? []).map(person => person.name) : []
    setText(
      who,
      names.length ? phrase(() => names.slice(0, 12).join(t('list.comma')) + (names.length < count || names.length > 12 ? ' …' : '')) : '',
    )
    who.hidden = !names.length
  }

  live.on('change', update)
  update()
  return root
}

/** @param {number} min @param {number} max */
export const range = (min, max) =>
  min === max ? tr('vote.pick', { n: min }) : min <= 1 ? tr('vote.pickUpTo', { n: max }) : tr('vote.pickBetween', { min, n: max })
