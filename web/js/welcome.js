// The first visit: a name, and one is in. The lobby shows behind it.

import { parley } from './client.js'
import { showProblem } from './dialog.js'
import { brand, languageButton } from './sidebar.js'
import { h, icon } from './dom.js'
import { tr } from './i18n.js'
import { nameField } from './names.js'
import { richText } from './message.js'
import { avatar } from './avatar.js'
import { store } from './store.js'

/** @param {() => void} entered */
export function welcome(entered) {
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true })
  const button = h('button', { class: 'button primary big' }, tr('welcome.start'), icon('arrow'))
  const form = h(
    'form',
    { class: 'card', onsubmit: submit },
    brand(),
    h('h1', null, tr('welcome.title')),
    h('p', { class: 'lead' }, tr('welcome.text')),
    nameField(''),
    problem,
    button,
    h('p', { class: 'hint' }, tr('welcome.hint')),
  )
  const behind = h('div', { class: 'behind', 'aria-hidden': 'true', inert: true })
  const root = h('main', { class: 'welcome', id: 'main' }, behind, h('div', { class: 'welcome-corner' }, languageButton()), form)

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault()
    const name = String(new FormData(form).get('name') ?? '').trim()
    const input = /** @type {HTMLInputElement} */ (form.querySelector('input'))
    if (!name) return input.focus()
    button.disabled = true
    problem.hidden = true
    try {
      await store.signIn(name)
      entered()
    } catch (error) {
      showProblem(problem, error)
      input.focus()
      input.select()
    } finally {
      button.disabled = false
    }
  }

  async function peek() {
    const { messages } = await parley.history('room:lobby', 'end', 12)
    for (const { type, from, data } of messages) {
      if (type !== 'text' || data.deleted || !from) continue
      behind.append(
        h(
          'div',
          { class: 'message first' },
          h('div', { class: 'gutter' }, avatar(from)),
          h(
            'div',
            { class: 'content' },
            h('p', { class: 'author' }, from.name),
            h('p', { class: 'text', dir: 'auto' }, richText(String(data.text))),
          ),
        ),
      )
    }
  }
  peek().catch(() => {}) // only a look: without one the card stands alone
  return root
}
