// Where in a text the words are that were searched for: the same rules as the server's (docs/protocol.md, Search).

/** @typedef {{ text: string, hit: boolean }} Piece */

const dense =
  '(?:[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}' +
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Tibetan}ー]|(?![\\0-\\x7f])\\p{S})'
const runs = new RegExp(`(?<dense>(?:${dense}\\p{M}*)+)|(?:(?!${dense})[\\p{L}\\p{N}]\\p{M}*)+`, 'gu')

/** @param {string} text */
const fold = text =>
  text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('ς', 'σ').replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, '').normalize('NFKC')

/** The words and runs of a folded text, and where they begin. @param {string} folded */
const split = folded => [...folded.matchAll(runs)].map(m => ({ text: m[0], at: m.index, dense: m.groups?.dense !== undefined }))

/** The words of a query; none: there is nothing to search for. @param {string} query */
export const words = query => split(fold(query)).map(({ text, dense }) => ({ text, dense }))

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/**
 * A text folded, and for each place in it where the character it comes from begins and ends.
 * @param {string} text
 */
function foldedWithPlaces(text) {
  let folded = ''
  /** @type {[number, number][]} */
  const places = []
  for (const { segment, index } of graphemes.segment(text)) {
    const part = fold(segment)
    for (let i = 0; i < part.length; i++) places.push([index, index + segment.length])
    folded += part
  }
  return { folded, places }
}

/** The parts of a text that words are found by, ascending and apart. @param {string} text @param {string} query */
function hits(text, query) {
  const { folded, places } = foldedWithPlaces(text)
  const sought = words(query)
  /** @type {[number, number][]} */
  const found = []
  const add = (/** @type {number} */ at, /** @type {number} */ length) => found.push([places[at][0], places[at + length - 1][1]])
  for (const run of split(folded)) {
    for (const word of sought) {
      if (word.dense !== run.dense) continue
      if (!run.dense) {
        if (run.text.startsWith(word.text)) add(run.at, word.text.length)
        continue
      }
      for (let i = run.text.indexOf(word.text); i >= 0; i = run.text.indexOf(word.text, i + word.text.length)) add(run.at + i, word.text.length)
    }
  }
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  /** @type {[number, number][]} */
  const apart = []
  for (const [from, to] of found) {
    const last = apart.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else apart.push([from, to])
  }
  return apart
}

/** Splits a text into what was searched for and what stands between. @param {string} text @param {string} query @returns {Piece[]} */
export function marked(text, query) {
  /** @type {Piece[]} */
  const pieces = []
  let end = 0
  const add = (/** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ hit) => {
    if (to > from) pieces.push({ text: text.slice(from, to), hit })
  }
  for (const [from, to] of hits(text, query)) {
    add(end, from, false)
    add(from, to, true)
    end = to
  }
  add(end, text.length, false)
  return pieces
}

const before = 40 // characters before the first hit that an excerpt shows

/** The same of the part of a long text in which the first hit is. @param {string} text @param {string} query @param {number} [length]  @returns {Piece[]} */
export function excerpt(text, query, length = 220) {
  const first = hits(text, query)[0]?.[0] ?? 0
  const at = [...graphemes.segment(text)].map(s => s.index)
  const begin = first > 2 * before ? (at.findLast(i => i <= first - before) ?? 0) : 0
  const end = at.find(i => i >= begin + length) ?? text.length
  const pieces = marked(text.slice(begin, end), query)
  if (begin > 0) pieces.unshift({ text: '…', hit: false })
  if (end < text.length) pieces.push({ text: '…', hit: false })
  return pieces
}
