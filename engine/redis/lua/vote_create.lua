-- Makes a vote, with the drafts that announce it. Returns "made", "taken" if its channel has a past, or what stands against a draft.
local function main()
  take_channels()
  local vote, due = key(), key()
  local code, definition, rev, closes = arg(), arg(), arg(), arg()
  local lists = {}
  for i = 1, tonumber(arg()) do lists[i] = key() end
  local drafts = take_drafts()

  local c = open_channels[1]
  if c.deleted or c.seq > 0 then return 'taken' end
  local refused, draft = check_drafts(drafts)
  if refused then return {draft, refused} end
  local time = redis.call('TIME') -- votes of one moment and of all nodes have an order
  local made = string.format('%.0f', time[1] * 1000000 + time[2])
  redis.call('HSET', vote, 'def', definition, 'rev', rev, 'made', made)
  for _, list in ipairs(lists) do redis.call('ZADD', list, made, code) end
  deadline(due, code, closes)
  append_drafts(drafts)
  tally(vote)
  return 'made'
end
