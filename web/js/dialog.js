// Dialogs: a title, a form, buttons; Escape and a click beside it close.

import { describe, retryAt } from './errors.js'
import { fill, h, icon, iconButton, setText } from './dom.js'
import { tr } from './i18n.js'
import { everySecond } from './time.js'

/** @typedef {import('./i18n.js').Phrase} Phrase */
/** @typedef {import('./dom.js').Child} Child */

/**
 * @typedef {object} Form
 * @property {Phrase} title
 * @property {(Child | Child[])[]} body
 * @property {Phrase} [submit]  label of the main button; without one there is none
 * @property {(data: FormData) => unknown} [run]  what the main button does; an error stays in the dialog
 * @property {boolean} [danger]
 * @property {boolean} [wide]
 * @property {Child[]} [also]  further buttons, at the left
 */

/**
 * Opens a dialog; resolves to whether it was submitted, once it is closed.
 * @param {Form} form
 * @returns {{ done: Promise<boolean>, close: () => void, element: HTMLDialogElement }}
 */
export function openDialog({ title, body, submit, run, danger, wide, also = [] }) {
  let submitted = false
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true })
  const button = submit && h('button', { class: `button ${danger ? 'danger' : 'primary'}` }, submit)
  const heading = `dialog-${crypto.randomUUID()}`
  const form = h(
    'form',
    { method: 'dialog', novalidate: true, onsubmit: send },
    h(
      'header',
      { class: 'dialog-head' },
      h('h2', { id: heading }, title),
      iconButton('close', tr('close'), { onclick: () => dialog.close() }),
    ),
    h('div', { class: 'dialog-body' }, body.flat(), problem),
    (submit || also.length > 0) &&
      h(
        'footer',
        { class: 'dialog-foot' },
        also,
        h('span', { class: 'space' }),
        submit && h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, tr('cancel')),
        button,
      ),
  )
  const dialog = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': heading }, form)

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault()
    if (!run || form.classList.contains('busy')) return
    form.classList.add('busy')
    problem.hidden = true
    try {
      await run(new FormData(form))
      submitted = true
      dialog.close()
    } catch (error) {
      showProblem(problem, error)
    } finally {
      form.classList.remove('busy')
    }
  }

  let pressedOutside = false
  dialog.addEventListener('pointerdown', event => (pressedOutside = event.target === dialog))
  dialog.addEventListener('click', event => {
    if (event.target === dialog && pressedOutside) dialog.close()
  })
  document.body.append(dialog)
  dialog.showModal()
  ;/** @type {HTMLElement | null} */ (dialog.querySelector('[autofocus]'))?.focus()
  const done = new Promise(resolve =>
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(submitted)
    }),
  )
  return { done, close: () => dialog.close(), element: dialog }
}

/** Says in el what went wrong; an Error with a Phrase as its cause says that. @param {HTMLElement} el @param {unknown} error */
export function showProblem(el, error) {
  const own = error instanceof Problem ? error.phrase : null
  const until = retryAt(error)
  const line = h('span', null)
  const say = () => setText(line, own ?? describe(error, until))
  fill(el, icon('alert'), line)
  el.hidden = false
  if (until) everySecond(line, say)
  else say()
}

/** Something that the form itself found wrong. */
export class Problem extends Error {
  /** @param {Phrase} phrase */
  constructor(phrase) {
    super(String(phrase))
    this.phrase = phrase
  }
}

/**
 * Asks whether to go on.
 * @param {Phrase} title
 * @param {Phrase} text
 * @param {Phrase} submit
 * @param {() => unknown} run
 */
export const confirmDialog = (title, text, submit, run) => openDialog({ title, body: [h('p', null, text)], submit, run, danger: true }).done

/**
 * A labelled text field.
 * @param {Phrase} label
 * @param {import('./dom.js').Props} props  of the input; `rows` makes it a text area
 * @param {Phrase} [hint]
 */
export function field(label, props, hint) {
  return h(
    'label',
    { class: 'field' },
    h('span', { class: 'field-label' }, label),
    props.rows ? h('textarea', { dir: 'auto', ...props }) : h('input', { type: 'text', dir: 'auto', autocomplete: 'off', ...props }),
    hint && h('span', { class: 'hint' }, hint),
  )
}

/**
 * A labelled switch.
 * @param {Phrase} label
 * @param {string} name
 * @param {boolean} checked
 * @param {Phrase} [hint]
 */
export const toggle = (label, name, checked, hint) =>
  h(
    'label',
    { class: 'toggle' },
    h('span', { class: 'toggle-text' }, h('span', null, label), hint && h('span', { class: 'hint' }, hint)),
    h('input', { type: 'checkbox', role: 'switch', name, checked }),
  )
