// Addresses in what people wrote, made clickable: http and https only, and never by way of markup.

/** @typedef {{ text: string, href?: string }} Piece */

const address = /\bhttps?:\/\/[^\s<>"'`\u3000-\u303f\uff00-\uffef]+/giu
const trailing = /[.,;:!?…)\]}]+$/u

/** Splits a text into plain pieces and links. @param {string} text @returns {Piece[]} */
export function split(text) {
  /** @type {Piece[]} */
  const pieces = []
  let end = 0
  for (const match of text.matchAll(address)) {
    const found = trim(match[0])
    const href = parse(found)
    if (!href) continue
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) })
    pieces.push({ text: found, href })
    end = match.index + found.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end) })
  return pieces
}

/** Leaves out the punctuation that ends the sentence, but keeps a bracket that the address opens. @param {string} found */
function trim(found) {
  const tail = trailing.exec(found)?.[0] ?? ''
  const body = found.slice(0, found.length - tail.length)
  return tail.startsWith(')') && body.includes('(') && !body.includes(')') ? `${body})` : body
}

/** @param {string} found */
function parse(found) {
  const url = URL.canParse(found) ? new URL(found) : null
  return url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname ? url.href : undefined
}
