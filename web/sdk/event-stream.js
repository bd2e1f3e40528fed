/**
 * Parses text/event-stream (HTML Living Standard, 9.2.6), however the bytes were cut on their way.
 * A stream of our own instead of EventSource because that hides heartbeats in comments and byte counts, cannot send an
 * Authorization header, and reconnects by rules of its own.
 */
export class EventStreamParser {
  #decoder = new TextDecoder()
  #line = ''
  #afterCR = false
  #data = ''
  #event = ''
  /** The last `id:` seen. */
  lastEventId = ''

  /**
   * @param {Uint8Array} bytes
   * @returns {{ event: string, data: string, id: string }[]} the events that these bytes complete
   */
  push(bytes) {
    /** @type {{ event: string, data: string, id: string }[]} */
    const events = []
    const text = this.#decoder.decode(bytes, { stream: true })
    let start = 0
    for (let i = 0; i < text.length; i++) {
      const char = text[i]
      if (char !== '\n' && char !== '\r') {
        this.#afterCR = false
        continue
      }
      // CR LF is one line end, also when a chunk ends between them.
      if (!(char === '\n' && this.#afterCR)) this.#endLine(this.#line + text.slice(start, i), events)
      this.#line = ''
      this.#afterCR = char === '\r'
      start = i + 1
    }
    this.#line += text.slice(start)
    return events
  }

  /**
   * @param {string} line
   * @param {{ event: string, data: string, id: string }[]} events
   */
  #endLine(line, events) {
    if (line === '') {
      if (this.#data !== '') events.push({ event: this.#event || 'message', data: this.#data.slice(0, -1), id: this.lastEventId })
      this.#data = ''
      this.#event = ''
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') this.#data += value + '\n'
    else if (field === 'event') this.#event = value
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value
  }
}
