// One transport: its own client, the same vote, and what that costs.

import { Parley } from '../sdk/parley.js'
import { h, reconcile, setText } from './dom.js'
import { phrase, t, tr } from './i18n.js'
import { LiveVote, shares } from './livevote.js'
import { bytes, milliseconds, number } from './time.js'
import { Traffic } from './traffic.js'

/** @typedef {import('../sdk/types.js').Transport} Transport */

/** @param {Transport} transport @param {string} code */
export function transportPanel(transport, code) {
  const client = new Parley({ transport })
  const live = new LiveVote(client, code)
  /** When each version was on the screen, by performance.now(). @type {Map<number, number>} */
  const shownAt = new Map()
  /** @type {{ version: number, at: number } | null} a ballot that has not shown yet */
  let awaited = null
  let requests = 0
  /** @type {number | null} */
  let delay = null

  const canvas = h('canvas', { class: 'traffic', role: 'img', 'aria-label': tr('traffic') })
  const traffic = new Traffic(canvas)
  const state = h('span', { class: 'badge-text' })
  const pill = h('span', { class: 'badge' }, h('span', { class: 'dot' }), state)
  const bars = h('ul', { class: 'mini-bars' })
  const cells = { requests: h('dd', null), down: h('dd', null), up: h('dd', null), delay: h('dd', null) }
  const element = h(
    'section',
    { class: 'panel', 'data-transport': transport },
    h('header', null, h('h2', null, tr(`transport.${transport}`)), pill),
    h('p', { class: 'hint' }, tr(`explain.${transport}`)),
    bars,
    canvas,
    h(
      'dl',
      { class: 'numbers' },
      h('div', null, h('dt', null, tr('number.requests')), cells.requests),
      h('div', null, h('dt', null, tr('number.in')), cells.down),
      h('div', null, h('dt', null, tr('number.out')), cells.up),
      h('div', { class: 'delay' }, h('dt', null, tr('number.delay')), cells.delay),
    ),
  )

  function draw() {
    const { vote } = live
    if (!vote) return
    reconcile(
      bars,
      shares(vote),
      ({ option }) => String(option.id),
      ({ option, count, share }, old) => {
        const el = /** @type {HTMLElement} */ (
          old ??
            h(
              'li',
              null,
              h('span', { class: 'bar' }),
              h('span', { class: 'option-text', dir: 'auto' }, option.text),
              h('span', { class: 'option-count' }),
            )
        )
        el.style.setProperty('--share', String(share))
        setText(
          /** @type {Element} */ (el.lastElementChild),
          phrase(() => (vote.visible ? number(count) : '–')),
        )
        return el
      },
    )
  }

  function measure() {
    const { connection } = client
    const { stats } = connection
    if (stats.requests > requests) traffic.requested(stats.requests - requests)
    requests = stats.requests
    traffic.draw(connection.state === 'open' && transport !== 'poll')
    setText(
      cells.requests,
      phrase(() => number(stats.requests)),
    )
    setText(
      cells.down,
      phrase(() => bytes(stats.bytesIn)),
    )
    setText(
      cells.up,
      phrase(() => bytes(stats.bytesOut)),
    )
    const ms = delay
    setText(cells.delay, ms === null ? '–' : phrase(() => milliseconds(ms)))
    pill.dataset.state = connection.state
    setText(
      state,
      phrase(() => t(connection.state === 'open' ? 'connection.open' : 'connection.connecting')),
    )
  }

  live.on('change', draw)
  live.on('tally', tally => {
    traffic.arrived()
    const now = performance.now()
    shownAt.set(tally.version, now)
    if (shownAt.size > 200) shownAt.delete(/** @type {number} */ (shownAt.keys().next().value))
    if (awaited && tally.version >= awaited.version) {
      delay = now - awaited.at
      awaited = null
    } else {
      delay = Math.max(0, client.connection.stats.lastDelay ?? 0) // another's ballot: by the server's clock
    }
  })
  return {
    element,
    live,
    async start() {
      await live.load()
      live.listen()
      const frame = () => {
        if (!element.isConnected) return client.close()
        if (document.visibilityState === 'visible') measure()
        requestAnimationFrame(frame)
      }
      frame()
    },
    /** A ballot cast at `at` made the vote's version so high. @param {number} version @param {number} at */
    cast(version, at) {
      const seen = [...shownAt].filter(([v]) => v >= version).map(([, when]) => when)
      if (seen.length) delay = Math.min(...seen) - at
      else awaited = { version, at }
    },
  }
}
