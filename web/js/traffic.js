// The last half minute of a connection, drawn: a line up for each request, a dot for each tally that arrived.

const span = 30_000

export class Traffic {
  /** @type {number[]} */
  #requests = []
  /** @type {number[]} */
  #arrivals = []
  #drawn = 0

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas
  }

  /** n requests were begun. @param {number} n */
  requested(n) {
    const now = performance.now()
    // Those begun since the last look are drawn beside each other, so that a burst shows as more than one line.
    for (let i = 0; i < Math.min(n, 8); i++) this.#requests.push(now - i * 60)
  }

  arrived() {
    this.#arrivals.push(performance.now())
  }

  /** @param {boolean} open  whether a connection or request is held open */
  draw(open) {
    const now = performance.now()
    if (now - this.#drawn < 66) return
    this.#drawn = now
    const recent = (/** @type {number} */ at) => now - at < span
    this.#requests = this.#requests.filter(recent)
    this.#arrivals = this.#arrivals.filter(recent)

    const { canvas } = this
    const ratio = devicePixelRatio || 1
    const { clientWidth: width, clientHeight: height } = canvas
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio)
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio)
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
    const style = getComputedStyle(canvas)
    const x = (/** @type {number} */ at) => width - 6 - ((now - at) / span) * (width - 6)
    const line = height / 2
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    context.lineWidth = open ? 2 : 1
    context.strokeStyle = style.getPropertyValue(open ? '--accent' : '--line-strong')
    context.globalAlpha = open ? 0.45 : 1
    context.beginPath()
    context.moveTo(0, line)
    context.lineTo(width, line)
    context.stroke()
    context.globalAlpha = 1
    context.lineWidth = 1.5
    context.strokeStyle = style.getPropertyValue('--text-2')
    context.beginPath()
    for (const at of this.#requests) {
      context.moveTo(x(at), line)
      context.lineTo(x(at), 4)
    }
    context.stroke()
    context.fillStyle = style.getPropertyValue('--accent')
    for (const at of this.#arrivals) {
      context.beginPath()
      context.arc(x(at), line + height / 4, 3.5, 0, 2 * Math.PI)
      context.fill()
    }
  }
}
