// The middle of the page: a conversation's head, its messages, the composer; and the people beside it.

import { composer } from './composer.js'
import { h, icon, iconButton, setText } from './dom.js'
import { phrase, tr } from './i18n.js'
import { openMenu } from './menu.js'
import { people } from './people.js'
import { messageSearch } from './messagesearch.js'
import { inviteDialog, leaveRoom, roomSettingsDialog } from './roomdialogs.js'
import { store } from './store.js'
import { title } from './title.js'
import { timeline } from './timeline.js'
import { fail } from './toast.js'
import { voteDialog } from './votedialog.js'
import { shortcutsDialog } from './shortcuts.js'

/** @typedef {import('./conversation.js').Conversation} Conversation */

/**
 * @param {Conversation} conversation
 * @param {{ invite?: string, togglePeople: () => void, closePeople: () => void }} options
 */
export function conversationView(conversation, { invite, togglePeople, closePeople }) {
  const room = conversation.kind === 'room'
  const messages = timeline(conversation, { edit: message => write.edit(message) })
  const write = composer(conversation, { sent: messages.sent, help: shortcutsDialog, vote: makeVote, leaveField: messages.toNewest })
  const side = people(conversation, { close: closePeople })

  const heading = h('h1', { dir: 'auto', tabindex: -1 })
  const topic = h('p', { class: 'topic', dir: 'auto' })
  const count = h('span', { class: 'count' })
  const join = h('button', { type: 'button', class: 'button primary', onclick: enter }, tr('room.join'))
  const peopleButton = h(
    'button',
    { type: 'button', class: 'people-button', onclick: togglePeople, title: tr('people') },
    icon('people'),
    h('span', { class: 'visually-hidden' }, tr('people')),
    count,
  )
  const inviteButton = iconButton('invite', tr('room.invite'), { onclick: () => inviteDialog(conversation, owner()) })
  const searchButton = iconButton('search', tr('find'), { onclick: () => messageSearch({ conversation }) })
  const more = iconButton('more', tr('room.more'), { 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: menu })
  const element = h(
    'main',
    { class: 'conversation', id: 'main' },
    h(
      'header',
      { class: 'conversation-head' },
      h('a', { class: 'icon-button back', href: '/', 'data-nav': true, 'aria-label': tr('back') }, icon('back')),
      h('div', { class: 'titles' }, heading, topic),
      join,
      searchButton,
      room && inviteButton,
      peopleButton,
      room && more,
    ),
    messages.element,
    write.element,
  )

  const owner = () => Boolean(store.me?.admin) || (store.factsOf(conversation.channel)?.owner?.id ?? '') === store.me?.id

  function draw() {
    setText(heading, title(conversation))
    const here = () => Math.max(conversation.here.size, conversation.hereCount, 1)
    const present = conversation.with ? conversation.here.has(conversation.with.id) : false
    setText(topic, room ? conversation.topic : tr(present ? 'person.here' : 'person.away'))
    topic.classList.toggle('here', present)
    topic.hidden = room && !conversation.topic
    setText(
      count,
      phrase(() => String(here())),
    )
    join.hidden = !room || conversation.joined
    inviteButton.hidden = !conversation.joined
    more.hidden = !conversation.joined
  }

  function menu() {
    openMenu(more, [
      { label: tr('vote.new'), icon: 'vote', run: () => makeVote() },
      ...(owner() ? [{ label: tr('room.settings'), icon: 'settings', run: () => roomSettingsDialog(conversation) }] : []),
      { label: tr('room.leave'), icon: 'leave', danger: true, separate: true, run: () => void leaveRoom(conversation) },
    ])
  }

  /** @param {string} [question] @param {string[]} [options] */
  async function makeVote(question, options) {
    if (await voteDialog({ room: conversation.id, roomName: title(conversation), question, options })) messages.sent()
    write.focus()
  }

  async function enter() {
    join.disabled = true
    try {
      await store.join(conversation.id, invite)
      conversation.emit('joined')
    } catch (error) {
      fail(error)
    } finally {
      join.disabled = false
      draw()
    }
  }

  const stop = [conversation.on('info', draw), conversation.on('here', draw), store.on('lists', draw)]
  draw()
  return {
    conversation,
    element,
    side: side.element,
    focus() {
      if (matchMedia('(hover: hover)').matches) write.focus()
      else heading.focus()
    },
    compose: write.focus,
    newest: messages.toNewest,
    show: messages.show,
    close() {
      stop.forEach(off => off())
      messages.close()
      write.close()
      side.close()
      store.dropVisit(conversation.channel)
    },
  }
}
