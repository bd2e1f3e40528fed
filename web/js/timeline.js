// The messages of a conversation: grouped by day and author, with the line where the new ones begin, the past loaded while
// scrolling up, and a button that goes to the newest.

import { announce } from './announce.js'
import { describe } from './errors.js'
import { h, icon, reconcile, setText } from './dom.js'
import { phrase, t, tr } from './i18n.js'
import { pendingMessage, textMessage, topicLine, voteMessage } from './message.js'
import { day, dayKey } from './time.js'
import { title } from './title.js'
import { fail, toast } from './toast.js'
import { releaseVoteCard, voteCard } from './votecard.js'

/** @typedef {import('../sdk/types.js').Message} Message */
/** @typedef {import('./conversation.js').Conversation} Conversation */
/** @typedef {{ key: string, mark: string, make: () => HTMLElement }} Row  made anew when its mark differs */

const groupFor = 5 * 60 * 1000
const nearBottom = 80
const soughtFor = 4000

/**
 * @param {Conversation} conversation
 * @param {{ edit: (message: Message) => void }} actions
 */
export function timeline(conversation, { edit }) {
  const list = h('div', { class: 'messages', role: 'log', 'aria-live': 'off', 'aria-label': tr('messages'), onkeydown: arrows })
  const sentinel = h('div', { class: 'sentinel', 'aria-hidden': 'true' })
  const ahead = h('div', { class: 'sentinel', 'aria-hidden': 'true', hidden: true })
  const start = h('div', { class: 'start' })
  const status = h('p', { class: 'loading' }, h('span', { class: 'spinner' }), tr('loading'))
  const count = h('span', null)
  const newest = h('button', { type: 'button', class: 'to-newest', hidden: true, onclick: toNewest }, icon('down'), count)
  const scroller = h('div', { class: 'scroller', tabindex: -1, onscroll: scrolled }, sentinel, start, status, list, ahead)
  const root = h('div', { class: 'timeline' }, scroller, newest)

  /** seq after which messages are new; fixed while one looks. */
  let newAfter = conversation.joined && conversation.unread > 0 ? conversation.read : Infinity
  let atBottom = true
  let below = 0 // messages that came while one looked at the past
  let loading = false
  let lastTop = 0

  const present = () => atBottom && document.visibilityState === 'visible' && document.hasFocus()

  function draw() {
    status.hidden = conversation.loaded
    sentinel.hidden = !conversation.olderThanShown
    ahead.hidden = !conversation.part
    start.hidden = !conversation.loaded || conversation.olderThanShown
    if (!start.hidden && !start.childElementCount) start.append(beginning(conversation))
    reconcile(
      list,
      rows(),
      row => row.key,
      (row, old) => {
        if (old && /** @type {HTMLElement} */ (old).dataset.mark === row.mark) return old
        if (old) release(old)
        const el = row.make()
        el.dataset.mark = row.mark
        return el
      },
    )
    if (atBottom) stick()
    setText(count, below > 0 ? tr('newest.n', { n: below }) : tr('newest'))
    newest.hidden = atBottom
  }

  /** @returns {Row[]} */
  function rows() {
    /** @type {Row[]} */
    const out = []
    let author = ''
    let last = 0
    let lastDay = ''
    let marked = false
    const begin = (/** @type {string} */ at) => {
      if (dayKey(at) === lastDay) return
      lastDay = dayKey(at)
      author = ''
      out.push({
        key: `day-${lastDay}`,
        mark: dayKey(new Date().toISOString()),
        make: () =>
          h(
            'div',
            { class: 'day', role: 'separator' },
            h(
              'span',
              null,
              phrase(() => day(at)),
            ),
          ),
      })
    }
    const first = (/** @type {string} */ by, /** @type {string} */ at) => {
      const is = by !== author || Date.parse(at) - last > groupFor
      author = by
      last = Date.parse(at)
      return is
    }
    for (const message of conversation.shown) {
      begin(message.at)
      const from = message.from?.id ?? ''
      if (conversation.gapBefore && message.seq >= conversation.gapBefore && !out.some(row => row.key === 'gap')) {
        out.push({ key: 'gap', mark: '', make: () => h('p', { class: 'event' }, tr('event.gap')) })
      }
      if (!marked && message.seq > newAfter && from !== conversation.me.id && message.type === 'text') {
        marked = true
        author = ''
        out.push({ key: 'new', mark: '', make: () => h('div', { class: 'new-line', role: 'separator' }, h('span', null, tr('newSince'))) })
      }
      const row = rowOf(message, first)
      if (row) out.push(row)
    }
    for (const pending of conversation.part ? [] : conversation.pending) {
      begin(pending.at)
      const is = first(conversation.me.id, pending.at)
      out.push({ key: `m-${pending.id}`, mark: `pending ${is} ${pending.failed}`, make: () => pendingMessage(conversation, pending, is) })
    }
    return out
  }

  /** @param {Message} message @param {(by: string, at: string) => boolean} first @returns {Row | null} */
  function rowOf(message, first) {
    const { type, data, id, at } = message
    const from = message.from?.id ?? ''
    if (type === 'text') {
      const is = first(from, at)
      return {
        key: `m-${id}`,
        mark: `${is} ${data.edited ?? ''} ${data.deleted ?? ''}`,
        make: () => textMessage(conversation, message, { first: is, editing: false, edit }),
      }
    }
    if (type === 'topic') {
      first('', at)
      return { key: `m-${id}`, mark: '', make: () => topicLine(message) }
    }
    if (type === 'vote') {
      first('', at)
      return { key: `m-${id}`, mark: '', make: () => voteMessage(message, voteCard(data)) }
    }
    return null
  }

  function stick() {
    scroller.scrollTop = scroller.scrollHeight
    lastTop = scroller.scrollTop
  }

  function scrolled() {
    const was = atBottom
    const near = !conversation.part && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < nearBottom
    // Only going up is a wish to look at the past: below, something may just have grown.
    atBottom = near || (was && !conversation.part && scroller.scrollTop >= lastTop)
    lastTop = scroller.scrollTop
    if (atBottom === was) return
    if (atBottom) below = 0
    newest.hidden = atBottom
    see()
  }

  function toNewest() {
    atBottom = true
    below = 0
    conversation.home()
    draw()
    see()
  }

  function see() {
    if (conversation.loaded && present()) conversation.markRead()
  }

  const older = () => conversation.olderThanShown && more(() => conversation.loadOlder())
  const newer = () => conversation.part && more(() => conversation.loadNewer())

  /** Loads what is beyond an end of what is shown. @param {() => Promise<void>} load */
  async function more(load) {
    if (loading || !conversation.loaded) return
    loading = true
    try {
      await load()
    } catch (error) {
      announce(String(describe(error)))
      await new Promise(done => setTimeout(done, 3000))
    } finally {
      loading = false
    }
    watch()
  }

  /** Observed anew, the ends tell again if they are still in view. */
  function watch() {
    for (const end of [sentinel, ahead]) {
      watcher.unobserve(end)
      watcher.observe(end)
    }
  }

  /** Shows one message and what is around it. @param {number} seq */
  async function show(seq) {
    atBottom = false
    try {
      await ready
      const there = await conversation.show(seq)
      draw()
      const el = /** @type {HTMLElement | null} */ (list.querySelector(`[data-seq="${seq}"]`))
      if (!there || !el) return toast(tr('error.no_message'), 'info')
      el.scrollIntoView({ block: 'center' })
      el.focus({ preventScroll: true })
      el.classList.add('sought')
      setTimeout(() => el.classList.remove('sought'), soughtFor)
    } catch (error) {
      fail(error)
    } finally {
      scrolled()
      newest.hidden = atBottom
      watch()
    }
  }

  /** ArrowUp and ArrowDown go from message to message. @param {KeyboardEvent} event */
  function arrows(event) {
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    const message = /** @type {HTMLElement} */ (event.target).closest('.message')
    if (!message || /** @type {HTMLElement} */ (event.target).closest('.menu, .options')) return
    const all = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('.message')])
    const to = all[all.indexOf(/** @type {HTMLElement} */ (message)) + (event.key === 'ArrowUp' ? -1 : 1)]
    if (!to) return
    event.preventDefault()
    to.focus()
  }

  /** Redraws, keeping what one looks at where it is. */
  function changed() {
    if (atBottom) return draw()
    const anchor = /** @type {HTMLElement | undefined} */ (
      [...list.children].find(el => el.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top)
    )
    const before = anchor?.getBoundingClientRect().top ?? 0
    draw()
    if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - before
  }

  /** @param {Message} message */
  function arrived({ type, from, data }) {
    if (type !== 'text' && type !== 'vote') return
    if (from?.id === conversation.me.id && type === 'text') return
    if (!atBottom) below++
    else if (!present() && newAfter === Infinity && conversation.joined) newAfter = conversation.read
    announce(type === 'text' ? `${from?.name ?? ''}: ${String(data.text).slice(0, 200)}` : t('event.vote', { question: data.question }))
    changed()
    see()
  }

  const watcher = new IntersectionObserver(
    entries => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) void (target === ahead ? newer() : older())
    },
    { root: scroller, rootMargin: '600px 0px' },
  )
  // Rows that grow after they were drawn (a vote card) and a keyboard that opens must not push the newest out of view.
  const sizes = new ResizeObserver(() => {
    if (atBottom) stick()
  })
  sizes.observe(list)
  sizes.observe(scroller)
  const stop = [
    conversation.on('messages', changed),
    conversation.on('arrived', arrived),
    conversation.on('info', () => start.replaceChildren()),
    conversation.on('info', draw),
  ]
  document.addEventListener('visibilitychange', see)
  addEventListener('focus', see)

  /** @param {Element} el */
  function release(el) {
    const card = el.querySelector('.vote-card')
    if (card) releaseVoteCard(card)
  }

  async function load() {
    try {
      await conversation.load()
      draw()
      const line = list.querySelector('.new-line')
      if (line && line.getBoundingClientRect().top < scroller.getBoundingClientRect().top) {
        line.scrollIntoView({ block: 'start' })
        scrolled()
      }
      watch()
      see()
    } catch (error) {
      setText(status, describe(error))
    }
  }
  const ready = load()

  return {
    element: root,
    /** One has sent something: what was new is seen, and the newest is in view. */
    sent() {
      newAfter = Infinity
      toNewest()
    },
    toNewest,
    show,
    close() {
      stop.forEach(off => off())
      watcher.disconnect()
      sizes.disconnect()
      document.removeEventListener('visibilitychange', see)
      removeEventListener('focus', see)
      for (const el of list.children) release(el)
    },
  }
}

/** What stands above the first message. @param {Conversation} conversation */
function beginning(conversation) {
  const room = conversation.kind === 'room'
  return h(
    'div',
    { class: 'beginning' },
    h('span', { class: 'beginning-mark' }, icon(room ? (conversation.private ? 'lock' : 'hash') : 'user')),
    h('h2', { dir: 'auto' }, title(conversation)),
    h('p', null, room ? tr('beginning.room') : tr('beginning.direct', { name: conversation.name })),
  )
}
