import { RequestLink } from './requests.js'

/** An empty answer that comes sooner than this was not held, whatever was asked. In ms. */
const tooSoon = 250

/** Long poll: the server holds each request until there is something, or the time is up. */
export class LongPollLink extends RequestLink {
  /** @param {import('./types.js').Env} env  @param {import('./types.js').LinkEvents} events */
  constructor(env, events) {
    super('longpoll', env, events)
  }

  /**
   * @override
   * @param {string[]} channels
   * @param {AbortSignal} signal
   * @returns {Promise<never>}
   */
  async run(channels, signal) {
    const { clock, stats, timeouts, subscriptions } = this.env
    // Not held, so that it is soon known whether anything comes back at all.
    let { more } = await this.read(channels, 0, signal)
    for (;;) {
      const from = clock.now()
      const before = stats.messages
      ;({ more } = await this.read(channels, more ? 0 : timeouts.wait, signal))
      const idle = !more && stats.messages === before && subscriptions.size > 0
      if (idle && clock.now() - from < tooSoon) await this.pause(timeouts.poll, signal)
    }
  }
}
