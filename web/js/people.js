// Who is here, and who else belongs to the room.

import { parley } from './client.js'
import { avatar } from './avatar.js'
import { h, icon, iconButton, reconcile, setText } from './dom.js'
import { tr } from './i18n.js'
import { listKeys } from './listkeys.js'

/** @typedef {import('../sdk/types.js').Person} Person */
/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {Person & { here: boolean }} Shown */

const refreshEvery = 15_000

/**
 * @param {Conversation} conversation
 * @param {{ close: () => void }} actions
 */
export function people(conversation, { close }) {
  /** @type {Person[]} */
  let members = []
  const hereTitle = h('h3', null)
  const hereList = h('ul', { class: 'people-list' })
  const awayTitle = h('h3', null)
  const awayList = h('ul', { class: 'people-list' })
  const lists = h('div', { class: 'people-scroll' }, hereTitle, hereList, awayTitle, awayList)
  listKeys(lists, 'a')
  const root = h(
    'section',
    { class: 'people', role: 'complementary', 'aria-label': tr('people') },
    h('header', null, h('h2', null, tr('people')), iconButton('close', tr('close'), { class: 'people-close', onclick: close })),
    lists,
  )

  function draw() {
    /** @type {Map<string, string>} */
    const here = new Map(conversation.here)
    here.set(conversation.me.id, conversation.me.name)
    const belong = conversation.kind === 'direct' && conversation.with ? [conversation.with, conversation.me] : members
    const order = (/** @type {Person} */ a, /** @type {Person} */ b) => a.name.localeCompare(b.name)
    const present = [...here].map(([id, name]) => ({ id, name, here: true })).sort(order)
    const away = belong
      .filter(person => !here.has(person.id))
      .map(person => ({ ...person, here: false }))
      .sort(order)
    setText(hereTitle, tr('people.here', { n: Math.max(present.length, conversation.hereCount) }))
    setText(awayTitle, tr('people.away', { n: away.length }))
    awayTitle.hidden = away.length === 0
    for (const [list, items] of /** @type {[Element, Shown[]][]} */ ([
      [hereList, present],
      [awayList, away],
    ])) {
      reconcile(
        list,
        items,
        person => `${person.id} ${person.name}`,
        (person, old) => old ?? entry(person),
      )
    }
  }

  /** @param {Shown} person */
  function entry(person) {
    const me = person.id === conversation.me.id
    const inside = [
      h('span', { class: `presence ${person.here ? 'here' : ''}` }, avatar(person)),
      h('span', { class: 'name', dir: 'auto' }, person.name),
      me && h('span', { class: 'note' }, tr('you')),
    ]
    return h(
      'li',
      null,
      me
        ? h('span', { class: 'person' }, inside)
        : h(
            'a',
            {
              class: 'person',
              href: `/d/${encodeURIComponent(person.id)}`,
              'data-nav': true,
              title: tr('people.write', { name: person.name }),
            },
            inside,
            icon('chat'),
          ),
    )
  }

  async function load() {
    if (conversation.kind === 'room') members = await parley.members(conversation.id)
    draw()
  }

  /** Who speaks in a room belongs to it. @param {import('../sdk/types.js').Message} message */
  function spoke({ from }) {
    if (!from || conversation.kind !== 'room' || members.some(member => member.id === from.id)) return
    members = [...members, from]
    draw()
  }

  const stop = [
    conversation.on('here', draw),
    conversation.on('arrived', spoke),
    conversation.on('joined', () => load().catch(() => {})),
  ]
  // Polls and long polls carry no signals, so there one has to ask.
  const timer = setInterval(() => {
    if (!['poll', 'longpoll'].includes(parley.connection.transport ?? '')) return
    conversation.refreshHere().catch(() => {})
  }, refreshEvery)
  conversation.refreshHere().catch(() => {})
  load().catch(() => {})
  draw()

  /** Members come and go without an event; whoever appears may be a new one. */
  const reload = setInterval(() => load().catch(() => {}), 4 * refreshEvery)
  return {
    element: root,
    close() {
      stop.forEach(off => off())
      clearInterval(timer)
      clearInterval(reload)
    },
  }
}
