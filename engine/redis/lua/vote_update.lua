-- Gives a vote another definition, if it still has the one that was changed (rev), and ballots only if it had some then. Returns the
-- numbers of the tally, or none.
local function main()
  take_channels()
  local vote, due = key(), key()
  local code, rev, voted, definition, next_rev, closes = arg(), arg(), arg(), arg(), arg(), arg()
  local kept = redis.call('HMGET', vote, 'rev', 'voters')
  if kept[1] ~= rev or (kept[2] and '1' or '0') ~= voted then return {} end
  redis.call('HSET', vote, 'def', definition, 'rev', next_rev)
  deadline(due, code, closes)
  return tally(vote)
end
