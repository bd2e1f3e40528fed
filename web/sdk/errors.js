/**
 * Everything that fails in this SDK fails with a ParleyError. `code` is the server's stable code (docs/protocol.md,
 * "All error codes"), or one of the client's own:
 *
 *   network     nothing came back: no connection, a time limit passed, or the connection broke before the answer
 *   unexpected  something came back that is not Parley's, for example a proxy's or a captive portal's page
 *   closed      this Parley object was closed
 */
export class ParleyError extends Error {
  /**
   * @param {string} code
   * @param {string} detail
   * @param {{ status?: number, retryAfter?: number | null, cause?: unknown }} [more]
   */
  constructor(code, detail, { status = 0, retryAfter = null, cause } = {}) {
    super(detail || code, cause === undefined ? undefined : { cause })
    this.name = 'ParleyError'
    this.code = code
    /** HTTP status, 0 where there was none. */
    this.status = status
    this.detail = detail
    /** Seconds to wait before trying again, where the server said so; else null. */
    this.retryAfter = retryAfter
  }
}

/** What a status means when it did not come from Parley but from something in between. */
const byStatus = new Map([[429, 'rate_limited'], [502, 'unavailable'], [503, 'unavailable'], [504, 'unavailable']])

/**
 * The error for problem details (RFC 9457) as they come in an HTTP answer or in a WebSocket's `error`.
 * @param {any} problem  the parsed body, or null where it was no JSON
 * @param {{ status?: number, retryAfter?: number | null }} [http]
 */
export function fromProblem(problem, { status, retryAfter } = {}) {
  const number = typeof problem?.status === 'number' ? problem.status : status ?? 0
  const code = typeof problem?.code === 'string' ? problem.code : byStatus.get(number) ?? 'unexpected'
  const detail = problem?.detail || problem?.title || `The server answered with status ${number}.`
  const after = typeof problem?.retry_after === 'number' ? problem.retry_after : retryAfter ?? null
  return new ParleyError(code, detail, { status: number, retryAfter: after })
}

/**
 * Whether trying the same again later may help: nothing came back, or the server (or a proxy) is not able to now.
 * A rate limit is not among them: that is an answer, and its receiver decides.
 * @param {unknown} error
 */
export function isPassing(error) {
  return error instanceof ParleyError && (error.code === 'network' || error.code === 'unexpected' || error.status >= 500 || error.status === 408)
}
