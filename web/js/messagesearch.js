// Finding messages by their words, in this conversation or in all of one's own, and going to them.

import { announce } from './announce.js'
import { parley } from './client.js'
import { openDialog, showProblem } from './dialog.js'
import { fill, h, reconcile } from './dom.js'
import { excerpt, words } from './highlight.js'
import { phrase, t, tr } from './i18n.js'
import { navigate } from './router.js'
import { store } from './store.js'
import { moment } from './time.js'
import { title } from './title.js'

/** @typedef {import('../sdk/types.js').Found} Found */
/** @typedef {import('./conversation.js').Conversation} Conversation */

const pause = 250 // milliseconds after the last key before the server is asked
const onItsOwn = 3 // times that it is asked again by itself while nothing is found

/** @param {{ query?: string, conversation?: Conversation }} [of] */
export function messageSearch({ query = '', conversation } = {}) {
  let turn = 0
  let timer = 0
  let at = -1
  let sought = ''
  /** @type {Found[]} */
  let found = []
  let next = ''
  const list = h('ul', { class: 'found messages-found', role: 'listbox', id: 'messages-found', 'aria-label': tr('find.results'), hidden: true })
  const status = h('p', { class: 'none', role: 'status' })
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true })
  const further = h('button', { type: 'button', class: 'button', hidden: true, onclick: () => void load() }, tr('find.further'))
  const here = h('input', { type: 'checkbox', role: 'switch', checked: Boolean(conversation), onchange: () => void search() })
  const input = h('input', {
    type: 'search',
    dir: 'auto',
    autofocus: true,
    autocomplete: 'off',
    maxlength: 200,
    value: query,
    role: 'combobox',
    'aria-expanded': 'false',
    'aria-controls': 'messages-found',
    'aria-label': tr('find'),
    placeholder: tr('find.placeholder'),
    oninput: () => {
      clearTimeout(timer)
      timer = setTimeout(search, pause)
    },
    onkeydown: keys,
  })
  const scope = conversation && h('label', { class: 'toggle' }, h('span', { class: 'toggle-text' }, tr('find.here', { name: String(title(conversation)) })), here)
  const { close, done } = openDialog({ title: tr('find'), wide: true, body: [input, scope ?? null, list, status, problem, further] })
  void done.then(() => {
    turn++
    clearTimeout(timer)
  })

  function search() {
    const q = input.value.trim()
    turn++
    found = []
    next = ''
    at = -1
    sought = words(q).length ? q : ''
    problem.hidden = true
    draw()
    fill(status, q && !sought ? tr('find.noWord') : '')
    if (sought) return load()
  }

  /** Asks for the next page, and for further ones where nothing is found. */
  async function load() {
    const mine = turn
    const q = sought
    const before = found.length
    const channel = here.checked ? conversation?.channel : undefined
    fill(status, tr('find.searching'))
    further.hidden = true
    problem.hidden = true
    try {
      for (let n = 0; n <= onItsOwn; n++) {
        const page = await parley.search(q, { channel, before: next })
        if (mine !== turn) return
        const known = new Set(found.map(keyOf))
        found.push(...page.results.filter(result => !known.has(keyOf(result))))
        next = page.next ?? ''
        if (found.length > before || !next) {
          fill(status, said(page))
          break
        }
        fill(status, said(page))
      }
    } catch (error) {
      if (mine !== turn) return
      fill(status)
      showProblem(problem, error)
    }
    draw()
    announce(found.length ? t('find.n', { n: found.length }) : t('find.none'))
  }

  /** What there is to say beside the results. @param {import('../sdk/types.js').SearchPage} page */
  function said({ next, searched }) {
    if (next && searched) return tr('find.searched', { at: moment(searched) })
    return found.length ? '' : tr('find.none')
  }

  function draw() {
    list.hidden = !found.length
    input.setAttribute('aria-expanded', String(found.length > 0))
    further.hidden = !next
    reconcile(list, found, keyOf, (result, old) => {
      const el = old ?? item(result)
      el.setAttribute('aria-selected', String(found[at] === result))
      return el
    })
    if (found[at]) input.setAttribute('aria-activedescendant', idOf(found[at]))
    else input.removeAttribute('aria-activedescendant')
  }

  /** @param {Found} result */
  function item(result) {
    const { channel, message } = result
    const where = store.conversations.get(channel)
    return h(
      'li',
      { role: 'option', id: idOf(result), onclick: () => go(result) },
      h(
        'span',
        { class: 'found-by' },
        h('b', { dir: 'auto' }, message.from?.name ?? ''),
        where && h('span', { class: 'note', dir: 'auto' }, title(where)),
        h(
          'time',
          { class: 'note', datetime: message.at },
          phrase(() => moment(message.at)),
        ),
      ),
      h(
        'span',
        { class: 'found-text', dir: 'auto' },
        excerpt(String(message.data?.text ?? ''), sought).map(({ text, hit }) => (hit ? h('mark', null, text) : text)),
      ),
    )
  }

  /** @param {Found} result */
  function go({ channel, message }) {
    close()
    navigate(`${pathOf(channel)}#m=${message.seq}`)
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (event.isComposing) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      at = event.key === 'ArrowDown' ? Math.min(at + 1, found.length - 1) : Math.max(at - 1, 0)
      draw()
      list.children[at]?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (found[at]) return go(found[at])
      clearTimeout(timer)
      if (input.value.trim() === sought && found.length) go(found[0])
      else void search()
    } else if (event.key === 'Escape') {
      event.preventDefault() // some browsers would only empty the field
      close()
    }
  }

  if (query) void search()
}

/** @param {Found} result */
const keyOf = ({ channel, message }) => `${channel}/${message.seq}`
/** @param {Found} result */
const idOf = ({ channel, message }) => `message-${channel.replaceAll(/[^\w-]/g, '-')}-${message.seq}`

/** The address of a channel's conversation. @param {string} channel */
function pathOf(channel) {
  const known = store.conversations.get(channel)
  if (known) return known.path
  const id = channel.slice(channel.indexOf(':') + 1)
  if (channel.startsWith('room:')) return `/r/${encodeURIComponent(id)}`
  const other = id.split('.').find(person => person !== store.me?.id) ?? id
  return `/d/${encodeURIComponent(other)}`
}
