import { RequestLink } from './requests.js'

/** No cadence is faster, whatever is advised. In ms. */
const fastest = 100

/** Poll: a request now and then, answered at once. It gets through where nothing else does. */
export class PollLink extends RequestLink {
  /** @param {import('./types.js').Env} env  @param {import('./types.js').LinkEvents} events */
  constructor(env, events) {
    super('poll', env, events)
  }

  /**
   * @override
   * @param {string[]} channels
   * @param {AbortSignal} signal
   * @returns {Promise<never>}
   */
  async run(channels, signal) {
    for (;;) {
      const { more, retryAfter } = await this.read(channels, 0, signal)
      if (!more) await this.pause(Math.max(fastest, retryAfter === null ? this.env.timeouts.poll : retryAfter * 1000), signal)
    }
  }
}
