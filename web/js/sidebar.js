// The left column: rooms, direct conversations and votes, with what is unread; and oneself below.

import { avatar } from './avatar.js'
import { badge } from './badge.js'
import { fill, h, icon, iconButton, reconcile, setText } from './dom.js'
import { choices, language, onLanguage, phrase, setLanguage, t, tr } from './i18n.js'
import { listKeys } from './listkeys.js'
import { number } from './time.js'
import { titleOf } from './title.js'
import { openMenu } from './menu.js'
import { store } from './store.js'

/** @typedef {{ key: string, href: string, name: string, mark: () => Node, unread?: number, quiet?: boolean, app: boolean, note?: import('./i18n.js').Phrase }} Entry */
/** @typedef {{ createRoom: () => void, findPerson: () => void, makeVote: () => void, rename: () => void, signOut: () => void, shortcuts: () => void, search: () => void }} Actions */

const votesShown = 12

/** @param {Actions} actions */
export function sidebar(actions) {
  const rooms = section('rooms', tr('rooms'), 'plus', tr('room.create'), actions.createRoom)
  const directs = section('direct', tr('direct'), 'plus', tr('person.find'), actions.findPerson, tr('direct.none'))
  const votes = section('votes', tr('votes'), 'plus', tr('vote.new'), actions.makeVote, tr('votes.none'))
  const scroll = h('nav', { class: 'lists', 'aria-label': tr('conversations') }, rooms.element, directs.element, votes.element)
  listKeys(scroll, 'a.entry')

  const name = h('span', { class: 'me-name', dir: 'auto' })
  const face = h('span', null)
  const me = h(
    'button',
    { type: 'button', class: 'me', 'aria-haspopup': 'menu', 'aria-expanded': 'false', title: tr('me.menu'), onclick: menu },
    face,
    name,
    icon('up-down'),
  )
  const lang = languageButton()
  const root = h(
    'div',
    { class: 'sidebar', role: 'complementary', 'aria-label': 'Parley' },
    h(
      'div',
      { class: 'sidebar-head' },
      h('h2', { class: 'visually-hidden' }, tr('conversations')),
      brand(),
      h('span', { class: 'space' }),
      iconButton('search', tr('search'), { onclick: actions.search }),
      lang,
    ),
    scroll,
    h('div', { class: 'sidebar-foot' }, badge(), me),
  )

  function menu() {
    openMenu(me, [
      { label: tr('me.rename'), icon: 'edit', run: actions.rename },
      { label: tr('shortcuts'), icon: 'keyboard', run: actions.shortcuts },
      { label: tr('transports.compare'), icon: 'chart', run: () => location.assign('/transports') },
      { label: tr('me.signOut'), icon: 'leave', danger: true, separate: true, run: actions.signOut },
    ])
  }

  /** @param {string} current  the path on the screen */
  function draw(current) {
    if (store.me) {
      setText(name, store.me.name)
      fill(face, avatar(store.me, 'small'))
    }
    const joined = store
      .listed('room')
      .map(c => ({
        key: c.channel,
        href: c.path,
        name: titleOf(c),
        mark: () => icon(c.private ? 'lock' : 'hash'),
        unread: c.unread,
        app: true,
      }))
    const others = store
      .otherRooms()
      .map(r => ({
        key: r.channel,
        href: `/r/${encodeURIComponent(r.id)}`,
        name: titleOf(r),
        mark: () => icon('hash'),
        quiet: true,
        app: true,
        note: tr('room.members', { n: r.members }),
      }))
    joined.sort((a, b) => Number(b.key === 'room:lobby') - Number(a.key === 'room:lobby') || a.name.localeCompare(b.name))
    rooms.draw([...joined, ...others], current)
    directs.draw(
      store
        .listed('direct')
        .map(c => ({
          key: c.channel,
          href: c.path,
          name: c.name,
          mark: () => avatar(c.with ?? { id: c.channel, name: c.name }, 'small'),
          unread: c.unread,
          app: true,
        })),
      current,
    )
    votes.draw(
      store.votes
        .slice(0, votesShown)
        .map(v => ({
          key: v.code + v.open,
          href: `/v/${v.code}`,
          name: v.question,
          mark: () => icon(v.open ? 'vote' : 'vote-closed'),
          quiet: !v.open,
          app: false,
        })),
      current,
    )
  }

  return { element: root, draw }
}

/** The product's name and mark. */
export const brand = () => h('a', { class: 'brand', href: '/', 'data-nav': true }, icon('brand', 'brand-mark'), h('span', null, 'Parley'))

/** The button that switches to the other language, named in that language. */
export function languageButton() {
  const other = () => choices().find(choice => choice.id !== language()) ?? choices()[0]
  const text = h('span', null)
  const button = h('button', { type: 'button', class: 'language', onclick: () => setLanguage(other().id) }, icon('globe'), text)
  const update = () => {
    setText(text, other().id === 'zh' ? '中文' : 'English')
    button.lang = other().id
  }
  update()
  onLanguage(update)
  return button
}

/**
 * @param {string} id
 * @param {import('./i18n.js').Phrase} title
 * @param {string} glyph
 * @param {import('./i18n.js').Phrase} label
 * @param {() => void} add
 * @param {import('./i18n.js').Phrase} [none]  said while the list is empty
 */
function section(id, title, glyph, label, add, none) {
  const list = h('ul', { 'aria-labelledby': `list-${id}` })
  const empty = none && h('p', { class: 'none' }, none)
  const element = h(
    'section',
    { class: `list ${id}` },
    h('header', null, h('h3', { id: `list-${id}` }, title), iconButton(glyph, label, { onclick: add })),
    list,
    empty,
  )
  return {
    element,
    /** @param {Entry[]} entries @param {string} current */
    draw(entries, current) {
      if (empty) empty.hidden = entries.length > 0
      reconcile(
        list,
        entries,
        entry => entry.key + entry.name + (entry.quiet ?? false),
        (entry, old) => {
          const item = old ?? make(entry)
          const link = /** @type {HTMLAnchorElement} */ (item.firstElementChild)
          const here = entry.href === current
          if (here) link.setAttribute('aria-current', 'page')
          else link.removeAttribute('aria-current')
          const unread = /** @type {HTMLElement} */ (link.querySelector('.unread'))
          const n = entry.unread ?? 0
          unread.hidden = n === 0
          link.classList.toggle('has-unread', n > 0)
          setText(
            unread,
            phrase(() => (n >= 100 ? '99+' : number(n))),
          )
          unread.title = n ? t('unread', { n }) : ''
          return item
        },
      )
    },
  }
}

/** @param {Entry} entry */
function make(entry) {
  return h(
    'li',
    null,
    h(
      'a',
      { class: `entry ${entry.quiet ? 'quiet' : ''}`, href: entry.href, 'data-nav': entry.app },
      entry.mark(),
      h('span', { class: 'entry-name', dir: 'auto' }, entry.name),
      entry.note && h('span', { class: 'visually-hidden' }, entry.note),
      h('span', { class: 'unread', hidden: true }),
    ),
  )
}
