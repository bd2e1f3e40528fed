// One message as it is drawn: author, time, text with links, its state, and what one may do with one's own.

import { avatar } from './avatar.js'
import { confirmDialog } from './dialog.js'
import { describe } from './errors.js'
import { fill, h, icon, iconButton, setText } from './dom.js'
import { phrase, tr } from './i18n.js'
import { split } from './links.js'
import { openMenu } from './menu.js'
import { clock, everySecond, full } from './time.js'
import { fail, toast } from './toast.js'

/** @typedef {import('../sdk/types.js').Message} Message */
/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('./conversation.js').Pending} Pending */

/** The text with its links. @param {string} text */
export function richText(text) {
  return split(text).map(({ text: piece, href }) =>
    href ? h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, piece) : piece,
  )
}

/** @param {string} at */
const stamp = at =>
  h(
    'time',
    { datetime: at, title: phrase(() => full(at)) },
    phrase(() => clock(at)),
  )

/**
 * @param {{ from: import('../sdk/types.js').Person, at: string, first: boolean }} of
 * @param {(import('./dom.js').Child)[]} body
 */
function row({ from, at, first }, body) {
  return [
    h('div', { class: 'gutter' }, first ? avatar(from) : stamp(at)),
    h(
      'div',
      { class: 'content' },
      first &&
        h(
          'header',
          { class: 'by' },
          h('a', { class: 'author', href: `/d/${encodeURIComponent(from.id)}`, 'data-nav': true, dir: 'auto' }, from.name),
          stamp(at),
        ),
      body,
    ),
  ]
}

/**
 * A text.
 * @param {Conversation} conversation
 * @param {Message} message
 * @param {{ first: boolean, editing: boolean, edit: (message: Message) => void }} how
 */
export function textMessage(conversation, message, { first, edit }) {
  const from = message.from ?? { id: '', name: 'Parley' }
  const { data } = message
  const body = data.deleted
    ? h('p', { class: 'text gone' }, tr('message.deleted'))
    : h(
        'p',
        { class: 'text', dir: 'auto' },
        richText(String(data.text ?? '')),
        data.edited && h('span', { class: 'edited', title: phrase(() => full(data.edited)) }, ' ', tr('message.edited')),
      )
  return h(
    'div',
    { class: `message ${first ? 'first' : ''} ${from.id === conversation.me.id ? 'own' : ''}`, tabindex: -1, 'data-seq': message.seq },
    row({ from, at: message.at, first }, [body]),
    !data.deleted && tools(conversation, message, edit),
  )
}

/** @param {Conversation} conversation @param {Message} message @param {(message: Message) => void} edit */
function tools(conversation, message, edit) {
  const own = message.from?.id === conversation.me.id
  const { me } = conversation
  const button = iconButton('more', tr('message.more'), {
    class: 'message-tools',
    'aria-haspopup': 'menu',
    'aria-expanded': 'false',
    onclick: open,
  })
  function open() {
    openMenu(button, [
      { label: tr('message.copy'), icon: 'copy', run: copy },
      ...(own ? [{ label: tr('message.edit'), icon: 'edit', run: () => edit(message) }] : []),
      ...(own || /** @type {import('../sdk/types.js').User} */ (me).admin
        ? [{ label: tr('message.delete'), icon: 'trash', danger: true, run: remove }]
        : []),
    ])
  }
  function copy() {
    navigator.clipboard?.writeText(message.data.text).then(() => toast(tr('copied'), 'good', 1800), fail)
  }
  function remove() {
    void confirmDialog(tr('message.deleteTitle'), tr('message.deleteText'), tr('message.delete'), () => conversation.delete(message.seq))
  }
  return button
}

/** A text that is on its way, or did not get there. @param {Conversation} conversation @param {Pending} pending @param {boolean} first */
export function pendingMessage(conversation, pending, first) {
  const state = h('p', { class: 'sending' })
  if (pending.failed) {
    const why = h('span', { role: 'alert' })
    const retry = h('button', { type: 'button', class: 'link', onclick: () => void conversation.retry(pending) }, tr('retry'))
    fill(
      state,
      icon('alert'),
      why,
      retry,
      h('button', { type: 'button', class: 'link', onclick: () => conversation.discard(pending) }, tr('discard')),
    )
    everySecond(state, () => {
      setText(why, describe(pending.error, pending.until))
      retry.disabled = pending.until > Date.now()
    })
  } else {
    fill(state, icon('clock'), h('span', { class: 'visually-hidden' }, tr('message.sending')))
  }
  return h(
    'div',
    { class: `message own ${first ? 'first' : ''} ${pending.failed ? 'failed' : 'pending'}` },
    row({ from: conversation.me, at: pending.at, first }, [h('p', { class: 'text', dir: 'auto' }, richText(pending.text)), state]),
  )
}

/** A line about the room itself. @param {Message} message */
export function topicLine({ data }) {
  return h(
    'p',
    { class: 'event', dir: 'auto' },
    data.topic ? tr('event.topic', { topic: data.topic }) : tr('event.room', { room: data.name ?? '' }),
  )
}

/** The line that says who made a vote. @param {Message} message @param {Element} card */
export function voteMessage({ from, at }, card) {
  return h('div', { class: 'message first' }, row({ from: from ?? { id: '', name: 'Parley' }, at, first: true }, [card]))
}
