// The state of the connection, and its transport; pressed, a menu to force one.

import { chooseTransport, parley, transports } from './client.js'
import { h, setText } from './dom.js'
import { phrase, t, tr } from './i18n.js'
import { openMenu } from './menu.js'
import { bytes, everySecond } from './time.js'

/** @typedef {import('../sdk/types.js').ConnectionInfo} ConnectionInfo */

/** What the connection does, in a few words. @param {ConnectionInfo} connection */
function describe({ state, transport, retryAt }) {
  const wait = retryAt ? Math.ceil((retryAt - Date.now()) / 1000) : 0
  if (state === 'open' && transport) return t(`transport.${transport}`)
  if (state === 'waiting' || state === 'offline')
    return wait > 0
      ? t(state === 'offline' ? 'connection.offlineIn' : 'connection.in', { n: wait })
      : t(state === 'offline' ? 'connection.offline' : 'connection.connecting')
  return state === 'closed' ? t('connection.closed') : t('connection.connecting')
}

/** @param {import('../sdk/parley.js').Parley} [client] */
export function badge(client = parley) {
  const text = h('span', { class: 'badge-text' })
  const button = h(
    'button',
    { type: 'button', class: 'badge', 'aria-haspopup': 'menu', 'aria-expanded': 'false', title: tr('connection.title'), onclick: open },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('span', { class: 'visually-hidden' }, tr('connection.label')),
    text,
  )

  function update() {
    const { connection } = client
    button.dataset.state = connection.state
    button.classList.toggle('forced', connection.forced !== null)
    setText(
      text,
      phrase(() => describe(client.connection)),
    )
  }

  function open() {
    const { forced, stats } = client.connection
    const head = h(
      'div',
      { class: 'menu-head' },
      h('strong', null, tr('connection.title')),
      h(
        'span',
        null,
        tr('connection.stats', {
          requests: stats.requests,
          down: phrase(() => bytes(stats.bytesIn)),
          up: phrase(() => bytes(stats.bytesOut)),
        }),
      ),
      stats.messages > 0 && h('span', null, tr('connection.messages', { n: stats.messages })),
    )
    openMenu(
      button,
      [
        { label: tr('transport.auto'), note: tr('transport.autoNote'), checked: forced === null, run: () => chooseTransport('auto') },
        ...transports.map(name => ({
          label: tr(`transport.${name}`),
          note: tr(`transport.${name}Note`),
          checked: forced === name,
          run: () => chooseTransport(name),
        })),
        { label: tr('transports.compare'), icon: 'chart', separate: true, run: () => location.assign('/transports') },
      ],
      { head, label: tr('connection.title') },
    )
  }

  client.onConnection(update)
  update()
  everySecond(button, () => {
    if (client.connection.retryAt) update()
  })
  return button
}
