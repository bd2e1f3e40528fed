// Finding a person or a room by name, and going there; or on to what was said.

import { parley } from './client.js'
import { avatar } from './avatar.js'
import { h, icon, reconcile } from './dom.js'
import { openDialog } from './dialog.js'
import { tr } from './i18n.js'
import { messageSearch } from './messagesearch.js'
import { navigate } from './router.js'
import { titleOf } from './title.js'
import { store } from './store.js'

/** @typedef {{ key: string, path?: string, name: string, mark: () => Node, kind: import('./i18n.js').Phrase }} Found */

/** @param {{ people?: boolean }} [only] */
export function searchDialog({ people = false } = {}) {
  let asked = 0
  let at = 0
  /** @type {Found[]} */
  let found = []
  const list = h('ul', { class: 'found', role: 'listbox', id: 'found', 'aria-label': tr('search') })
  const none = h('p', { class: 'none', hidden: true }, tr('search.none'))
  const input = h('input', {
    type: 'search',
    dir: 'auto',
    autofocus: true,
    autocomplete: 'off',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'found',
    'aria-label': people ? tr('person.find') : tr('search'),
    placeholder: people ? tr('person.placeholder') : tr('search.placeholder'),
    oninput: search,
    onkeydown: keys,
  })
  const { close } = openDialog({
    title: people ? tr('person.find') : tr('search'),
    body: [input, list, none, people && h('p', { class: 'hint' }, tr('person.hint'))],
  })

  async function search() {
    const q = input.value.trim()
    const turn = ++asked
    const local = people ? [] : rooms(q)
    const users = q ? await parley.users(q).catch(() => []) : people ? known() : []
    if (turn !== asked) return
    const others = users.filter((/** @type {{ id: string }} */ user) => user.id !== store.me?.id)
    found = [
      ...local,
      ...others.map((/** @type {{ id: string, name: string }} */ user) => ({
        key: user.id,
        path: `/d/${encodeURIComponent(user.id)}`,
        name: user.name,
        mark: () => avatar(user, 'small'),
        kind: tr('person'),
      })),
    ].slice(0, 20)
    none.hidden = found.length > 0 || !q
    if (q && !people) found.push({ key: 'messages', name: q, mark: () => icon('search'), kind: tr('find') })
    at = 0
    draw()
  }

  /** @param {string} q @returns {Found[]} */
  function rooms(q) {
    const fits = (/** @type {string} */ name) => name.toLocaleLowerCase().includes(q.toLocaleLowerCase())
    const conversations = [...store.conversations.values()]
      .filter(c => fits(titleOf(c)))
      .map(c => ({
        key: c.channel,
        path: c.path,
        name: titleOf(c),
        mark: () => (c.kind === 'room' ? icon(c.private ? 'lock' : 'hash') : avatar(c.with ?? { id: '', name: c.name }, 'small')),
        kind: tr(c.kind === 'room' ? 'room' : 'person'),
      }))
    const others = store
      .otherRooms()
      .filter(r => fits(titleOf(r)))
      .map(r => ({ key: r.channel, path: `/r/${encodeURIComponent(r.id)}`, name: titleOf(r), mark: () => icon('hash'), kind: tr('room') }))
    return [...conversations, ...others].slice(0, 8)
  }

  /** The people of whom something has been seen. */
  function known() {
    /** @type {Map<string, string>} */
    const names = new Map()
    for (const c of store.conversations.values()) for (const [id, name] of c.here) names.set(id, name)
    return [...names].map(([id, name]) => ({ id, name }))
  }

  function draw() {
    reconcile(
      list,
      found,
      item => item.key + (item.path ? '' : item.name),
      (item, old) => {
        const el =
          old ??
          h(
            'li',
            { role: 'option', id: `found-${item.key}`, onclick: () => go(item) },
            item.mark(),
            h('span', { class: 'entry-name', dir: 'auto' }, item.name),
            h('span', { class: 'note' }, item.kind),
          )
        el.setAttribute('aria-selected', String(found[at] === item))
        return el
      },
    )
    input.setAttribute('aria-activedescendant', found[at] ? `found-${found[at].key}` : '')
  }

  /** @param {Found} item */
  function go(item) {
    close()
    if (item.path) navigate(item.path)
    else messageSearch({ query: item.name })
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (event.isComposing) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      at = (at + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % (found.length || 1)
      draw()
      list.children[at]?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (found[at]) go(found[at])
    }
  }
  void search()
}
