// The page's one connection to the server, and the transport a person has chosen for it.

import { Parley } from '../sdk/parley.js'

const remembered = 'parley.transport'

/** The transports, best first, by the names the client uses. */
export const transports = /** @type {const} */ (['websocket', 'sse', 'longpoll', 'poll'])
/** @typedef {typeof transports[number]} Transport */

/** @returns {Transport | 'auto'} */
function stored() {
  const name = /** @type {Transport} */ (sessionStorage.getItem(remembered) ?? 'auto')
  return transports.includes(name) ? name : 'auto'
}

export const parley = new Parley({ transport: stored() })

/** Forces a transport for this tab, or lets the client choose. @param {Transport | 'auto'} name */
export function chooseTransport(name) {
  sessionStorage.setItem(remembered, name)
  parley.useTransport(name)
}
