// Making a room, inviting to it, changing it, leaving it.

import { parley } from './client.js'
import { Problem, confirmDialog, field, openDialog, toggle } from './dialog.js'
import { h, icon } from './dom.js'
import { tr } from './i18n.js'
import { navigate } from './router.js'
import { store } from './store.js'
import { title } from './title.js'
import { fail, toast } from './toast.js'

/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {import('../sdk/types.js').Room} Room */

/** @param {FormData} data */
function nameAndTopic(data) {
  const name = String(data.get('name')).trim()
  if (!name) throw new Problem(tr('room.needName'))
  return { name, topic: String(data.get('topic')).trim() }
}

/** @param {string} name @param {string} topic */
const fields = (name, topic) => [
  field(tr('room.name'), { name: 'name', maxlength: 60, value: name, autofocus: true, placeholder: tr('room.namePlaceholder') }),
  field(tr('room.topic'), { name: 'topic', maxlength: 300, value: topic, placeholder: tr('room.topicPlaceholder') }),
]

export function createRoomDialog() {
  openDialog({
    title: tr('room.create'),
    body: [fields('', ''), toggle(tr('room.private'), 'private', false, tr('room.privateHint'))],
    submit: tr('create'),
    run: async data => {
      const room = await parley.createRoom({ ...nameAndTopic(data), private: data.has('private') })
      await store.refresh()
      navigate(`/r/${encodeURIComponent(room.id)}`)
    },
  })
}

/** Changing a room, or deleting it. @param {Conversation} conversation */
export function roomSettingsDialog(conversation) {
  const dialog = openDialog({
    title: tr('room.settings'),
    body: fields(conversation.name, conversation.topic),
    submit: tr('save'),
    run: data => parley.updateRoom(conversation.id, nameAndTopic(data)),
    also: [h('button', { type: 'button', class: 'button danger-ghost', onclick: remove }, tr('room.delete'))],
  })
  async function remove() {
    const gone = await confirmDialog(tr('room.deleteTitle', { name: title(conversation) }), tr('room.deleteText'), tr('room.delete'), () =>
      parley.deleteRoom(conversation.id),
    )
    if (gone) dialog.close()
  }
}

/** @param {Conversation} conversation */
export async function leaveRoom(conversation) {
  const text = conversation.private ? tr('room.leavePrivate') : tr('room.leaveText')
  const left = await confirmDialog(tr('room.leaveTitle', { name: title(conversation) }), text, tr('room.leave'), () =>
    store.leave(conversation.id),
  )
  if (left) navigate('/')
}

/** Shows the link that lets others in. @param {Conversation} conversation @param {boolean} owner */
export async function inviteDialog(conversation, owner) {
  try {
    const { url } = await parley.invite(conversation.id)
    const voidAll = () =>
      parley.revokeInvites(conversation.id).then(() => {
        dialog.close()
        toast(tr('room.inviteVoided'), 'good')
      }, fail)
    const revocable = owner && conversation.private
    const dialog = openDialog({
      title: tr('room.inviteTitle', { name: title(conversation) }),
      body: [
        h('p', null, conversation.private ? tr('room.invitePrivate') : tr('room.invitePublic')),
        copyField(url),
        revocable && h('p', { class: 'hint' }, tr('room.inviteOwner')),
      ],
      also: revocable ? [h('button', { type: 'button', class: 'button danger-ghost', onclick: voidAll }, tr('room.inviteVoid'))] : [],
    })
  } catch (error) {
    fail(error)
  }
}

/** A text to copy, with a button that does it. @param {string} text */
export function copyField(text) {
  const input = h('input', { type: 'text', readonly: true, value: text, 'aria-label': tr('link'), onfocus: () => input.select() })
  const copy = () => {
    const copied = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject()
    copied.then(
      () => toast(tr('copied'), 'good', 1800),
      () => input.focus(), // without leave to write to the clipboard, it is at least selected
    )
  }
  return h(
    'div',
    { class: 'copy-field' },
    input,
    h('button', { type: 'button', class: 'button primary', onclick: copy }, icon('copy'), tr('copy')),
  )
}
