// The chat page: it puts the columns together, follows the address, and keeps the title.

import { conversationView } from './conversationview.js'
import { confirmDialog } from './dialog.js'
import { codeOf, describe } from './errors.js'
import { attribute, fill, h, icon } from './dom.js'
import { onLanguage, t, tr } from './i18n.js'
import { parley } from './client.js'
import { messageSearch } from './messagesearch.js'
import { renameDialog } from './names.js'
import { createRoomDialog } from './roomdialogs.js'
import { navigate, start } from './router.js'
import { searchDialog } from './search.js'
import { listen, shortcutsDialog } from './shortcuts.js'
import { sidebar } from './sidebar.js'
import { store } from './store.js'
import { titleOf } from './title.js'
import { fail, toast } from './toast.js'
import { voteDialog } from './votedialog.js'
import { welcome } from './welcome.js'

/** @typedef {import('./router.js').Route} Route */

const phone = matchMedia('(max-width: 759px)')
const wide = matchMedia('(min-width: 1100px)')
const refreshEvery = 60_000

const app = h('div', { class: 'app' })
const middle = h('div', { class: 'middle' })
/** @type {ReturnType<typeof conversationView> | null} */
let view = null
let turn = 0

const side = sidebar({
  createRoom: createRoomDialog,
  findPerson: () => searchDialog({ people: true }),
  makeVote: async () => {
    const vote = await voteDialog()
    if (vote) location.assign(`/v/${vote.code}`)
  },
  rename: () => void renameDialog(),
  signOut,
  shortcuts: shortcutsDialog,
  search: () => searchDialog(),
})

/** Which of the columns a phone shows. @param {'list' | 'conversation' | 'people'} pane */
function show(pane) {
  app.dataset.pane = pane
  alone()
}

/** Where one column is the whole page it is that page's main part, and its title the page's. */
function alone() {
  const pane = phone.matches ? app.dataset.pane : ''
  promote(side.element, pane === 'list')
  if (view) promote(view.side, pane === 'people')
}

/** @param {HTMLElement} column @param {boolean} main */
function promote(column, main) {
  attribute(column, 'role', main ? 'main' : 'complementary')
  for (const heading of column.querySelectorAll('h2, h3')) attribute(heading, 'aria-level', main ? Number(heading.tagName[1]) - 1 : null)
}

/** @param {Route} route */
async function go(route) {
  const mine = ++turn
  if (route.name === 'home' && !phone.matches) return navigate('/r/lobby', { replace: true })
  if (route.name === 'home') {
    middle.inert = false
    leave()
    show('list')
    return draw()
  }
  show(location.hash === '#people' ? 'people' : 'conversation')
  // What is typed while the next one loads must not be said in the one that is left.
  middle.inert = view !== null && view.conversation.path !== location.pathname
  try {
    const conversation = route.name === 'room' ? await room(route) : await store.direct(route.id)
    if (mine !== turn) return
    middle.inert = false
    if (view?.conversation === conversation) {
      if (route.message) void view.show(route.message)
      return
    }
    leave()
    view = conversationView(conversation, { invite: route.name === 'room' ? route.invite : '', togglePeople, closePeople })
    middle.replaceChildren(view.element, view.side)
    alone()
    view.focus()
    if (route.message) void view.show(route.message)
  } catch (error) {
    if (mine !== turn) return
    middle.inert = false
    leave()
    fill(
      middle,
      h(
        'main',
        { class: 'nothing', id: 'main' },
        icon('alert'),
        h('h1', null, describe(error)),
        h('a', { class: 'button', href: '/r/lobby', 'data-nav': true }, tr('toLobby')),
      ),
    )
  }
  draw()
}

/** @param {{ id: string, invite: string }} route */
async function room({ id, invite }) {
  if (invite) {
    await store.join(id, invite)
    history.replaceState(null, '', `/r/${encodeURIComponent(id)}`)
  }
  return store.room(id)
}

function leave() {
  view?.close()
  view = null
  fill(middle, h('main', { class: 'nothing', id: 'main' }, icon('brand'), h('p', null, tr('pickConversation'))))
}

function draw() {
  side.draw(location.pathname)
  const unread = store.unread
  const where = view ? `${titleOf(view.conversation)} · Parley` : 'Parley'
  document.title = unread ? t('title.unread', { n: unread, title: where }) : where
}

function togglePeople() {
  if (wide.matches) app.classList.toggle('no-people')
  else if (app.dataset.pane === 'people') closePeople()
  else {
    history.pushState(null, '', '#people')
    show('people')
  }
}

function closePeople() {
  if (wide.matches) app.classList.add('no-people')
  else if (location.hash === '#people') history.back()
  else show('conversation')
}

/** To the conversation above or below in the list. @param {number} by */
function move(by) {
  const links = /** @type {HTMLAnchorElement[]} */ ([...side.element.querySelectorAll('a.entry[data-nav]')])
  const at = links.findIndex(link => link.getAttribute('aria-current') === 'page')
  const next = links[(at + by + links.length) % links.length]
  if (next) navigate(next.pathname)
}

async function signOut() {
  const out = await confirmDialog(tr('me.signOut'), tr('me.signOutText'), tr('me.signOut'), () => parley.signOut())
  if (out) location.assign('/')
}

async function enter() {
  await store.start()
  app.append(side.element, middle)
  app.classList.add('in')
  store.on('lists', draw)
  store.on('unread', draw)
  store.on('ended', ({ conversation, code }) => {
    if (view?.conversation !== conversation) return
    for (const dialog of document.querySelectorAll('dialog')) dialog.close() // they were about this conversation
    toast(describeEnd(code), 'info')
    navigate('/', { replace: true })
  })
  onLanguage(draw)
  addEventListener('popstate', () => {
    if (view) show(location.hash === '#people' ? 'people' : 'conversation')
  })
  phone.addEventListener('change', alone)
  phone.addEventListener('change', () => location.pathname === '/' && navigate('/', { replace: true }))
  addEventListener('focus', () => store.refreshRooms().catch(() => {}))
  setInterval(() => document.visibilityState === 'visible' && store.refreshRooms().catch(() => {}), refreshEvery)
  const find = () => messageSearch({ conversation: view?.conversation })
  listen({ search: () => searchDialog(), find, move, compose: () => view?.compose(), newest: () => view?.newest() })
  start(go)
}

/** @param {string} code */
const describeEnd = code => tr(code === 'channel_deleted' ? 'error.channel_deleted' : 'ended')

async function main() {
  document.body.append(h('a', { class: 'skip', href: '#main', onclick: skip }, tr('skip')), app)
  try {
    if (await store.resume()) return await enter()
  } catch (error) {
    return unreachable(error)
  }
  const card = welcome(() => {
    card.remove()
    if (location.pathname === '/') history.replaceState(null, '', '/r/lobby')
    enter().catch(fail)
  })
  app.append(card)
  ;/** @type {HTMLElement | null} */ (card.querySelector('input'))?.focus()
}

/** The server cannot be reached: say so, and try again. @param {unknown} error */
function unreachable(error) {
  fill(
    app,
    h(
      'main',
      { class: 'nothing', id: 'main' },
      icon('alert'),
      h('h1', null, describe(error)),
      h('button', { type: 'button', class: 'button primary', onclick: () => location.reload() }, tr('retry')),
    ),
  )
  if (codeOf(error) === 'network') setTimeout(() => location.reload(), 5000)
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault()
  const target = document.getElementById('main')
  ;/** @type {HTMLElement | null | undefined} */ (target?.querySelector('textarea') ?? target?.querySelector('input, h1'))?.focus()
}

void main()
