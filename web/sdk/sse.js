import { ParleyError } from './errors.js'
import { EventStreamParser } from './event-stream.js'
import { GroupedLink } from './grouped.js'
import { refusal } from './http.js'

/** Server-Sent Events: an answer that never ends. */
export class SseLink extends GroupedLink {
  /** @param {import('./types.js').Env} env  @param {import('./types.js').LinkEvents} events */
  constructor(env, events) {
    super('sse', env, events)
  }

  /**
   * @override
   * @param {string[]} channels
   * @param {AbortSignal} signal
   * @returns {Promise<never>}
   */
  async run(channels, signal) {
    const { http, stats, clock, timeouts } = this.env
    const abort = new AbortController()
    const stop = () => abort.abort()
    signal.addEventListener('abort', stop)
    const watch = new Watch(clock, stop, 4 * timeouts.hello.sse)
    try {
      const response = await http.open('GET', `/v1/messages?${this.query(channels)}`, { headers: { Accept: 'text/event-stream' }, signal: abort.signal })
      if (!response.ok) throw refusal(response, await response.text())
      if (!response.body || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
        throw new ParleyError('unexpected', 'What came back is not a stream of events.', { status: response.status })
      }
      const reader = response.body.getReader()
      const parser = new EventStreamParser()
      for (;;) {
        const { value, done } = await reader.read()
        signal.throwIfAborted()
        if (done) throw new ParleyError('network', 'The stream ended.')
        watch.feed()
        stats.bytesIn += value.length
        for (const event of parser.push(value)) {
          this.#take(JSON.parse(event.data), watch)
          signal.throwIfAborted()
        }
      }
    } catch (error) {
      throw watch.barked ? new ParleyError('network', 'The stream fell silent.') : error
    } finally {
      watch.stop()
      signal.removeEventListener('abort', stop)
      abort.abort()
    }
  }

  /** @param {any} object  @param {Watch} watch */
  #take(object, watch) {
    if (object.hello) {
      watch.within(object.hello.heartbeat * 2500)
      this.prove(object.hello)
    } else if (object.bye) {
      throw new ParleyError('network', 'The server is leaving.', { retryAfter: object.bye.retry_after })
    } else if (object.channel) {
      this.env.subscriptions.receive(object)
    }
  }
}

/** Barks when it has not been fed for two and a half heartbeats: a dead connection looks just like a silent one. */
class Watch {
  barked = false
  #clock
  #bark
  #timer = null
  #limit

  /** @param {import('./types.js').Clock} clock  @param {() => void} bark  @param {number} limit  until the hello, in ms */
  constructor(clock, bark, limit) {
    this.#clock = clock
    this.#bark = bark
    this.#limit = limit
    this.feed()
  }

  /** @param {number} limit  in ms */
  within(limit) {
    if (limit > 0) this.#limit = limit
    this.feed()
  }

  feed() {
    this.stop()
    this.#timer = this.#clock.setTimeout(() => {
      this.barked = true
      this.#bark()
    }, this.#limit)
  }

  stop() {
    this.#clock.clearTimeout(this.#timer)
  }
}
