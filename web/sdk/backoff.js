/**
 * How long to wait before the next try: full jitter, a random part of a ceiling that doubles, so that clients that lost
 * their server together do not come back together.
 */
export class Backoff {
  #tries = 0
  #min
  #max
  #random

  /** @param {{ min?: number, max?: number, random?: () => number }} [options]  ceilings of the first and of all delays, in ms */
  constructor({ min = 1000, max = 30_000, random = Math.random } = {}) {
    this.#min = min
    this.#max = max
    this.#random = random
  }

  /**
   * The next delay in milliseconds. What the server asked for (seconds) is never undercut; the jitter comes on top,
   * within the first ceiling.
   * @param {number | null} [retryAfter]
   */
  next(retryAfter) {
    const ceiling = Math.min(this.#max, this.#min * 2 ** Math.min(this.#tries++, 30))
    if (retryAfter != null && retryAfter >= 0) return retryAfter * 1000 + this.#random() * Math.min(ceiling, this.#min)
    return this.#random() * ceiling
  }

  reset() {
    this.#tries = 0
  }
}
