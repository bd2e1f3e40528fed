/**
 * A position is `seq-mark`: the last message that a reader has, and a random value that only that message has. `0` is
 * the beginning; a bare number is a position whose mark nobody knows.
 */

/** @param {string} position */
export function seqOf(position) {
  return parseInt(position, 10) || 0
}

/**
 * Whether two positions of the same seq can be the same message: where both marks are known they must be equal.
 * @param {string} a
 * @param {string} b
 */
export function agree(a, b) {
  return a === b || !a.includes('-') || !b.includes('-')
}

/**
 * The batch rule: what a receiver at a position does with a batch. Because of it nothing is missed and nothing seen
 * twice, whichever connection a batch came through, and in whichever order.
 *
 *   apply    it continues exactly where the receiver is
 *   part     the receiver is inside: take the messages past its own seq
 *   drop     the receiver has all of it
 *   hole     something is missing before it, or the receiver's past is not this log's past (a mark differs): read
 *            again from the receiver's own position, where the server checks the mark and tells of a gap
 *
 * @param {string} position
 * @param {{ from: string, to: string }} batch
 * @returns {'apply' | 'part' | 'drop' | 'hole'}
 */
export function judge(position, batch) {
  const at = seqOf(position)
  const from = seqOf(batch.from)
  const to = seqOf(batch.to)
  if (at === from) return agree(position, batch.from) ? 'apply' : 'hole'
  if (at === to) return agree(position, batch.to) ? 'drop' : 'hole'
  if (at > to) return 'drop'
  return at > from ? 'part' : 'hole'
}
