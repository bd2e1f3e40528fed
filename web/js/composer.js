// Where one writes: a field that grows, commands, editing one's last message, and the line of who is typing.

import { parse } from './commands.js'
import { h, icon, iconButton, setText } from './dom.js'
import { phrase, t, tr } from './i18n.js'
import { title } from './title.js'
import { fail, toast } from './toast.js'
import { parley } from './client.js'

/** @typedef {import('../sdk/types.js').Message} Message */
/** @typedef {import('./conversation.js').Conversation} Conversation */

const longest = 4000
const warnFrom = 3600
const tellTypingEvery = 3000

/** Drafts by channel, for as long as the page lives. @type {Map<string, string>} */
const drafts = new Map()

/**
 * @param {Conversation} conversation
 * @param {{ sent: () => void, help: () => void, vote: (question?: string, options?: string[]) => void, leaveField: () => void }} actions
 */
export function composer(conversation, { sent, help, vote, leaveField }) {
  /** @type {Message | null} */
  let editing = null
  let told = 0

  const input = h('textarea', {
    rows: 1,
    dir: 'auto',
    enterkeyhint: 'send',
    autocomplete: 'off',
    'aria-label': tr('composer.label', { name: title(conversation) }),
    placeholder: tr('composer.placeholder', { name: title(conversation) }),
    value: drafts.get(conversation.channel) ?? '',
    oninput: typed,
    onkeydown: keys,
  })
  const send = iconButton('send', tr('composer.send'), { class: 'send', onclick: submit })
  const count = h('span', { class: 'count', hidden: true, 'aria-live': 'polite' })
  const typing = h('p', { class: 'typing', 'aria-live': 'off' })
  const editBar = h(
    'div',
    { class: 'edit-bar', hidden: true },
    icon('edit'),
    h('span', null, tr('composer.editing')),
    h('button', { type: 'button', class: 'link', onclick: cancelEdit }, tr('cancel')),
  )
  const box = h(
    'div',
    { class: 'composer-box' },
    conversation.kind === 'room' && iconButton('vote', tr('vote.new'), { onclick: () => vote() }),
    input,
    count,
    send,
  )
  const root = h('div', { class: 'composer' }, typing, editBar, box)

  function grow() {
    input.style.setProperty('height', 'auto')
    input.style.setProperty('height', `${input.scrollHeight}px`)
    const length = [...input.value].length
    count.hidden = length < warnFrom
    count.classList.toggle('over', length > longest)
    setText(count, String(longest - length))
    send.disabled = !input.value.trim() || length > longest
  }

  function typed() {
    grow()
    if (!editing) drafts.set(conversation.channel, input.value)
    if (!input.value.trim() || input.value.startsWith('/') || editing || Date.now() - told < tellTypingEvery) return
    told = Date.now()
    Promise.resolve(parley.signal(conversation.channel, 'typing', {})).catch(() => {})
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    // While an input method composes, Enter chooses a word (keyCode 229 is what Safari says after compositionend).
    if (event.isComposing || event.keyCode === 229) return
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      submit()
    } else if (event.key === 'ArrowUp' && input.value === '') {
      const last = conversation.lastOwn()
      if (!last) return
      event.preventDefault()
      edit(last)
    } else if (event.key === 'Escape') {
      if (editing) cancelEdit()
      else leaveField()
    }
  }

  function submit() {
    const command = parse(input.value)
    if (editing) return void saveEdit(input.value.trim())
    if (command.kind === 'text') {
      if (!command.text || [...command.text].length > longest) return
      clear()
      void conversation.send(command.text)
      sent()
    } else if (command.kind === 'help') {
      clear()
      help()
    } else if (command.kind === 'unknown') {
      toast(tr('command.unknown', { name: command.name }), 'bad')
    } else if (conversation.kind !== 'room') {
      toast(tr('command.voteOnlyInRoom'), 'bad')
    } else if (command.kind === 'vote') {
      makeVote(command.question, command.options)
    } else {
      clear()
      vote(command.question, command.options)
    }
    input.focus()
  }

  /** @param {string} question @param {string[]} options */
  function makeVote(question, options) {
    const typedText = input.value
    clear()
    parley.createVote({ question, options, room: conversation.id }).then(sent, (/** @type {unknown} */ error) => {
      input.value = typedText
      grow()
      fail(error)
    })
  }

  function clear() {
    input.value = ''
    drafts.delete(conversation.channel)
    told = 0
    grow()
  }

  /** @param {Message} message */
  function edit(message) {
    editing = message
    editBar.hidden = false
    input.value = message.data.text
    grow()
    input.focus()
  }

  function cancelEdit() {
    editing = null
    editBar.hidden = true
    input.value = drafts.get(conversation.channel) ?? ''
    grow()
    input.focus()
  }

  /** @param {string} text */
  async function saveEdit(text) {
    const message = /** @type {Message} */ (editing)
    if (!text) return
    if (text === message.data.text) return cancelEdit()
    box.classList.add('busy')
    try {
      await conversation.edit(message.seq, text)
      cancelEdit()
    } catch (error) {
      fail(error)
    } finally {
      box.classList.remove('busy')
    }
  }

  function drawTyping() {
    const names = conversation.typingNames()
    typing.classList.toggle('active', names.length > 0)
    setText(
      typing,
      names.length === 0
        ? ''
        : phrase(() =>
            names.length === 1
              ? t('typing.one', { a: names[0] })
              : names.length === 2
                ? t('typing.two', { a: names[0], b: names[1] })
                : t('typing.many'),
          ),
    )
  }

  /** What one edits was deleted, here or elsewhere: what one has written instead is kept. */
  function stillThere() {
    if (!editing || !conversation.messages.some(m => m.seq === editing?.seq && m.data.deleted)) return
    drafts.set(conversation.channel, input.value)
    cancelEdit()
    toast(tr('error.no_message'), 'bad')
  }

  const stop = [conversation.on('typing', drawTyping), conversation.on('messages', drawTyping), conversation.on('messages', stillThere)]
  queueMicrotask(grow)
  return {
    element: root,
    focus: () => input.focus(),
    edit,
    close: () => stop.forEach(off => off()),
  }
}
