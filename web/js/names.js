// Asking for a name: renaming, and the question at the moment of voting.

import { parley } from './client.js'
import { Problem, field, openDialog } from './dialog.js'
import { codeOf } from './errors.js'
import { h } from './dom.js'
import { t, tr } from './i18n.js'
import { store } from './store.js'

const letters = 'ABCDEFGHJKMNPQRSTVWXYZ23456789'

/** A name for one who does not care. (Guest-… is kept for those that the server makes.) */
export function guestName() {
  const random = crypto.getRandomValues(new Uint8Array(4))
  return t('name.voter', { code: [...random].map(n => letters[n % letters.length]).join('') })
}

/** The field for a name. @param {string} value */
export const nameField = value =>
  field(tr('name'), {
    name: 'name',
    maxlength: 32,
    autocomplete: 'nickname',
    autofocus: true,
    autocapitalize: 'words',
    spellcheck: 'false',
    value,
    placeholder: tr('name.placeholder'),
  })

/** @param {FormData} data */
export function nameOf(data) {
  const name = String(data.get('name') ?? '').trim()
  if (!name) throw new Problem(tr('name.needed'))
  return name
}

export function renameDialog() {
  return openDialog({
    title: tr('me.rename'),
    body: [nameField(store.me?.name ?? '')],
    submit: tr('save'),
    run: data => store.rename(nameOf(data)),
  }).done
}

/**
 * Makes sure that there is a session: asks for a name, or takes a guest's.
 * @returns {Promise<boolean>} whether there is one now
 */
export async function ensureSession() {
  try {
    if (await parley.session()) return true
  } catch (error) {
    if (codeOf(error) !== 'no_session') throw error
  }
  const form = openDialog({
    title: tr('vote.whoTitle'),
    body: [h('p', { class: 'hint' }, tr('vote.whoText')), nameField('')],
    submit: tr('vote.cast'),
    run: data => parley.signIn(String(data.get('name') ?? '').trim() || guestName()),
  })
  return form.done
}
