// Making a vote.

import { parley } from './client.js'
import { Problem, field, openDialog, toggle } from './dialog.js'
import { h, iconButton, setText } from './dom.js'
import { tr } from './i18n.js'

const most = 50
const deadlines = /** @type {const} */ ([
  ['', 'deadline.none'],
  ['300', 'deadline.m5'],
  ['900', 'deadline.m15'],
  ['3600', 'deadline.h1'],
  ['86400', 'deadline.d1'],
  ['604800', 'deadline.d7'],
])
const visibilities = /** @type {const} */ ([
  ['always', 'results.always'],
  ['voted', 'results.voted'],
  ['closed', 'results.closed'],
  ['owner', 'results.owner'],
])

/**
 * @param {{ room?: string, roomName?: string | import('./i18n.js').Phrase, question?: string, options?: string[] }} [where]
 * @returns {Promise<import('../sdk/types.js').Vote | null>} the vote, or null when given up
 */
export async function voteDialog({ room, roomName, question = '', options: given = [] } = {}) {
  /** @type {import('../sdk/types.js').Vote | null} */
  let vote = null
  const options = h('ol', { class: 'option-fields' })
  const more = h('button', { type: 'button', class: 'button ghost', onclick: () => add().focus() }, tr('vote.addOption'))

  function add() {
    const input = h('input', {
      type: 'text',
      name: 'option',
      dir: 'auto',
      autocomplete: 'off',
      maxlength: 100,
      'aria-label': tr('vote.option'),
      onkeydown: next,
    })
    const item = h('li', null, input, iconButton('close', tr('vote.removeOption'), { onclick: () => (item.remove(), number()) }))
    options.append(item)
    number()
    return input
  }
  /** @param {KeyboardEvent} event */
  function next(event) {
    if (event.key !== 'Enter' || event.isComposing) return
    event.preventDefault()
    const inputs = [...options.querySelectorAll('input')]
    const after = inputs[inputs.indexOf(/** @type {HTMLInputElement} */ (event.target)) + 1]
    if (after) after.focus()
    else if (inputs.length < most) add().focus()
  }
  function number() {
    ;[...options.children].forEach((item, i) => item.querySelector('input')?.setAttribute('placeholder', String(i + 1)))
    for (const button of options.querySelectorAll('button')) button.disabled = options.children.length <= 2
    more.hidden = options.children.length >= most
  }
  for (const text of given) add().value = text
  while (options.children.length < 2) add()

  const multiple = toggle(tr('vote.multiple'), 'multiple', false)
  const min = h('input', { type: 'number', name: 'min', min: 1, max: most, value: '1', inputmode: 'numeric' })
  const max = h('input', { type: 'number', name: 'max', min: 1, max: most, placeholder: '∞', inputmode: 'numeric' })
  const bounds = h(
    'div',
    { class: 'pair', hidden: true },
    h('label', { class: 'field' }, h('span', { class: 'field-label' }, tr('vote.min')), min),
    h('label', { class: 'field' }, h('span', { class: 'field-label' }, tr('vote.max')), max),
  )
  multiple.addEventListener('change', () => (bounds.hidden = !(/** @type {HTMLInputElement} */ (multiple.querySelector('input')).checked)))

  const { done } = openDialog({
    title: tr('vote.new'),
    wide: true,
    body: [
      h('p', { class: 'hint' }, room ? tr('vote.inRoom', { room: roomName ?? room }) : tr('vote.alone')),
      field(tr('vote.question'), { name: 'question', maxlength: 300, value: question, autofocus: true, rows: 2 }),
      h('fieldset', null, h('legend', { class: 'field-label' }, tr('vote.options')), options, more),
      multiple,
      bounds,
      toggle(tr('vote.changeable'), 'change', true),
      toggle(tr('vote.named'), 'named', false, tr('vote.namedHint')),
      h('div', { class: 'pair' }, select(tr('vote.results'), 'results', visibilities), select(tr('vote.deadline'), 'closes_in', deadlines)),
    ],
    submit: tr('vote.create'),
    run: async data => {
      const texts = data
        .getAll('option')
        .map(text => String(text).trim())
        .filter(Boolean)
      const asked = String(data.get('question')).trim()
      if (!asked) throw new Problem(tr('vote.needQuestion'))
      if (texts.length < 2) throw new Problem(tr('vote.needOptions'))
      if (new Set(texts).size < texts.length) throw new Problem(tr('vote.twice'))
      const many = data.has('multiple')
      const least = many ? Number(data.get('min')) || 1 : 1
      const atMost = many ? Number(data.get('max')) || texts.length : 1
      if (least > atMost || atMost > texts.length) throw new Problem(tr('vote.tooMany'))
      vote = await parley.createVote({
        question: asked,
        options: texts,
        min: least,
        max: atMost,
        change: data.has('change'),
        named: data.has('named'),
        results: /** @type {import('../sdk/types.js').Results} */ (data.get('results')),
        ...(data.get('closes_in') ? { closes_in: Number(data.get('closes_in')) } : {}),
        ...(room ? { room } : {}),
      })
    },
  })
  return (await done) ? vote : null
}

/**
 * @param {import('./i18n.js').Phrase} label
 * @param {string} name
 * @param {readonly (readonly [string, import('./i18n.js').Key])[]} values
 */
function select(label, name, values) {
  return h(
    'label',
    { class: 'field' },
    h('span', { class: 'field-label' }, label),
    h(
      'select',
      { name },
      values.map(([value, key]) => h('option', { value, ref: (/** @type {HTMLElement} */ el) => setText(el, tr(key)) })),
    ),
  )
}
