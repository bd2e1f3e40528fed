// The chat page's addresses: /, /r/{room}, /d/{user}; #people for the third column on a phone, and #m={seq} for one message.

/** @typedef {{ name: 'home' } | { name: 'room', id: string, invite: string, message?: number } | { name: 'direct', id: string, message?: number }} Route */

/** @param {{ pathname: string, search: string, hash: string }} location @returns {Route} */
export function parse({ pathname, search, hash }) {
  const [, kind, id] = /^\/([rd])\/([^/]+)\/?$/.exec(pathname) ?? []
  if (!id) return { name: 'home' }
  const decoded = decode(id)
  const message = Number(new URLSearchParams(hash.slice(1)).get('m'))
  const one = Number.isSafeInteger(message) && message > 0 ? { message } : {}
  if (kind === 'd') return { name: 'direct', id: decoded, ...one }
  const invite = new URLSearchParams(search).get('invite') ?? new URLSearchParams(hash.slice(1)).get('invite') ?? ''
  return { name: 'room', id: decoded, invite, ...one }
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Calls go for the present address and each one after it. @param {(route: Route) => void} go */
export function start(go) {
  let path = ''
  const changed = (/** @type {boolean} */ again) => {
    const now = location.pathname + location.search
    if (now === path && !again) return
    path = now
    go(parse(location))
  }
  addEventListener('popstate', () => changed(false))
  addEventListener('parley:navigate', () => changed(true))
  document.addEventListener('click', event => {
    const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest('a[data-nav]'))
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(link.pathname)
  })
  changed(true)
}

/** Goes to another address of this page. @param {string} path @param {{ replace?: boolean }} [how] */
export function navigate(path, { replace = false } = {}) {
  if (replace || path === location.pathname + location.search + location.hash) history.replaceState(null, '', path)
  else history.pushState(null, '', path)
  dispatchEvent(new Event('parley:navigate'))
}
