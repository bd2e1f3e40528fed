import './page.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveVote, shares } from '../js/livevote.js'
import { ParleyError } from '../sdk/parley.js'

const vote = (version, counts, more = {}) => ({
  code: 'K7QM3', question: 'Tea?', open: true, version, voters: counts.reduce((sum, n) => sum + n, 0), min: 1, max: 1, change: true, named: false,
  results: 'always', visible: true, options: counts.map((count, i) => ({ id: i + 1, text: `option ${i + 1}`, count })), ballot: [], mine: false, ...more,
})

/** A client whose vote, and answer to a ballot, are given; `deliver` is what the stream brings. */
function client(state) {
  return {
    vote: async () => state.vote,
    cast: async () => state.cast(),
    subscribe(channel, handlers) {
      state.subscribed = { channel, after: handlers.after }
      state.deliver = tally => handlers.onMessage({ type: 'tally', at: new Date().toISOString(), data: tally })
      return { close() {} }
    },
  }
}
const counts = live => live.vote.options.map(option => option.count)

async function opened(state) {
  const live = new LiveVote(client(state), 'k7qm3')
  await live.load()
  live.listen()
  return live
}

test('it follows its channel from the version it loaded, whatever the case of the code', async () => {
  const state = { vote: vote(4, [1, 0]) }
  await opened(state)
  assert.deepEqual(state.subscribed, { channel: 'vote:K7QM3', after: '4' })
})

test('a tally never goes backwards', async () => {
  const state = { vote: vote(4, [1, 0]) }
  const live = await opened(state)
  state.deliver(vote(6, [2, 1]))
  state.deliver(vote(5, [2, 0]))
  assert.deepEqual([live.vote.version, counts(live)], [6, [2, 1]])
  live.take(vote(5, [2, 0], { ballot: [1], mine: true })) // an answer that was overtaken by the stream
  assert.deepEqual([live.vote.version, counts(live), live.vote.ballot, live.vote.mine], [6, [2, 1], [1], true])
  live.close()
})

test('a tally keeps what only the asker sees', async () => {
  const state = { vote: vote(4, [1, 0], { ballot: [1], mine: true }) }
  const live = await opened(state)
  const { ballot, mine, ...tally } = vote(5, [1, 1])
  state.deliver(tally)
  assert.deepEqual([live.vote.ballot, live.vote.mine, counts(live)], [[1], true, [1, 1]])
})

test('hidden counts are not kept from before', async () => {
  const state = { vote: vote(4, [1, 0]) }
  const live = await opened(state)
  state.deliver({ ...vote(5, [0, 0], { visible: false, voters: 2 }), options: [{ id: 1, text: 'a' }, { id: 2, text: 'b' }] })
  assert.deepEqual([live.vote.visible, counts(live)], [false, [undefined, undefined]])
})

test('a ballot shows at once, and goes back when it is refused', async () => {
  const state = { vote: vote(4, [1, 0]) }
  const live = await opened(state)
  let refuse
  state.cast = () => new Promise((_, reject) => (refuse = reject))
  const cast = live.cast([2])
  assert.deepEqual([live.ballot, live.voted], [[2], false])
  refuse(new ParleyError('rate_limited', '', { status: 429, retryAfter: 2 }))
  await assert.rejects(cast, { code: 'rate_limited' })
  assert.deepEqual(live.ballot, [])
  state.cast = async () => vote(5, [1, 1], { ballot: [2] })
  await live.cast([2])
  assert.deepEqual([live.ballot, live.voted, counts(live)], [[2], true, [1, 1]])
})

test('shares are of the voters, and all that have the most lead', () => {
  const rows = shares(vote(1, [2, 2, 0], { voters: 3 }))
  assert.deepEqual(rows.map(row => [row.count, Math.round(row.share * 100), row.leads]), [[2, 67, true], [2, 67, true], [0, 0, false]])
  assert.ok(shares(vote(1, [0, 0])).every(row => row.share === 0 && !row.leads))
})
