// What the tests share.
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until check() is truthy, and gives what it gave. */
export async function until(check, what = String(check), limit = 30_000) {
  const end = Date.now() + limit
  for (;;) {
    const value = await check()
    if (value) return value
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`)
    await sleep(5)
  }
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Node's WebSocket takes headers in its second argument, the `ws` package's in its third. */
export class NodeWebSocket extends globalThis.WebSocket {
  constructor(url, protocols, options) {
    super(url, /** @type {any} */ ({ protocols, headers: options?.headers }))
  }
}

/** Everything a page waits for, in a hurry; but a busy machine still has the time to say hello. */
export const hurried = {
  request: 2000, wait: 2, hello: { websocket: 1500, sse: 1500, longpoll: 3000, poll: 5000 }, poll: 50, ping: 200,
  retryMin: 20, retryMax: 200, climbMin: 200, climbMax: 1000, stable: 300, giveUpAfter: 30_000,
}

/** For where it does not matter which transport is found, only that nothing is lost on the way. */
export const frantic = { ...hurried, hello: { websocket: 300, sse: 300, longpoll: 500, poll: 1000 } }

/** A clock that goes only when told to. */
export class FakeClock {
  #now = 1_000_000
  #timers = new Map()
  #next = 1

  now = () => this.#now

  setTimeout = (fn, ms) => {
    this.#timers.set(this.#next, { at: this.#now + ms, fn })
    return this.#next++
  }

  clearTimeout = id => {
    this.#timers.delete(id)
  }

  get pending() {
    return this.#timers.size
  }

  /** Goes on by so many ms, running what comes due, in order. */
  advance(ms) {
    const end = this.#now + ms
    for (;;) {
      let first = null
      for (const [id, timer] of this.#timers) if (timer.at <= end && (first === null || timer.at < first.timer.at)) first = { id, timer }
      if (!first) break
      this.#timers.delete(first.id)
      this.#now = Math.max(this.#now, first.timer.at)
      first.timer.fn()
    }
    this.#now = end
  }
}
