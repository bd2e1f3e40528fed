// The server's clock, as well as it can be known from the times on what it sends. A time stamp is never later than the moment
// it is read, so the largest difference seen is the closest to the truth.

let offset = Number.NEGATIVE_INFINITY

/** Learns from a time that the server has just written. @param {string | null | undefined} at */
export function observe(at) {
  const difference = Date.parse(at ?? '') - Date.now()
  if (difference > offset) offset = difference
}

/** The server's time in milliseconds. */
export const serverNow = () => Date.now() + (Number.isFinite(offset) && Math.abs(offset) > 1500 ? offset : 0)
