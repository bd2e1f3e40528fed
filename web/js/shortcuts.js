// Keys that work everywhere on the chat page, and the dialog that tells them.

import { h } from './dom.js'
import { openDialog } from './dialog.js'
import { tr } from './i18n.js'

const apple = /Mac|iPhone|iPad/.test(navigator.platform)
const mod = apple ? '⌘' : 'Ctrl'
const alt = apple ? '⌥' : 'Alt'

const keys = /** @type {const} */ ([
  ['key.send', ['Enter']],
  ['key.line', ['Shift', 'Enter']],
  ['key.editLast', ['↑']],
  ['key.search', [mod, 'K']],
  ['key.find', ['/']],
  ['key.nextConversation', [alt, '↓']],
  ['key.previousConversation', [alt, '↑']],
  ['key.composer', ['C']],
  ['key.newest', ['End']],
  ['key.close', ['Esc']],
  ['key.shortcuts', ['?']],
])
const commands = /** @type {const} */ ([
  ['command.vote', '/vote'],
  ['command.voteFull', 'command.voteExample'],
  ['command.help', '/help'],
])

export function shortcutsDialog() {
  openDialog({
    title: tr('shortcuts'),
    body: [
      h(
        'dl',
        { class: 'shortcuts' },
        keys.map(([key, caps]) =>
          h(
            'div',
            null,
            h('dt', null, tr(key)),
            h(
              'dd',
              null,
              caps.map(cap => h('kbd', null, cap)),
            ),
          ),
        ),
      ),
      h('h3', null, tr('commands')),
      h(
        'dl',
        { class: 'shortcuts' },
        commands.map(([key, text]) =>
          h('div', null, h('dt', null, tr(key)), h('dd', null, h('code', null, text === 'command.voteExample' ? tr(text) : text))),
        ),
      ),
    ],
  })
}

/** Whether typing goes into a field. @param {EventTarget | null} target */
const writes = target => target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]')

/**
 * @param {{ search: () => void, find: () => void, move: (by: number) => void, compose: () => void, newest: () => void }} actions
 */
export function listen({ search, find, move, compose, newest }) {
  document.addEventListener('keydown', event => {
    if (event.isComposing || event.defaultPrevented || document.querySelector('dialog[open]')) return
    const typing = writes(event.target)
    if ((apple ? event.metaKey : event.ctrlKey) && event.key.toLowerCase() === 'k') run(event, search)
    else if (event.altKey && event.key === 'ArrowDown') run(event, () => move(1))
    else if (event.altKey && event.key === 'ArrowUp') run(event, () => move(-1))
    else if (typing || event.ctrlKey || event.metaKey || event.altKey) return
    else if (event.key === '/') run(event, find)
    else if (event.key === '?') run(event, shortcutsDialog)
    else if (event.key === 'c' || event.key === 'C') run(event, compose)
    else if (event.key === 'End' && document.activeElement === document.body) run(event, newest)
  })
}

/** @param {KeyboardEvent} event @param {() => void} action */
function run(event, action) {
  event.preventDefault()
  action()
}
