-- Counts ballots in one vote, each from another voter, if they are still what was checked: the vote its definition (rev), each
-- voter's ballot the earlier one. Returns nothing if the vote has another definition; or {numbers of the tally, or nothing if
-- no ballot counted; the numbers of the ballots that were not counted}.
local function main()
  take_channels()
  local vote, ballots, times = key(), key(), key()
  local code = arg()
  local now_is = redis.call('HMGET', vote, 'rev', 'made')
  if now_is[1] ~= arg() then return {} end

  local cast, voters = {}, {}
  for i = 1, tonumber(arg()) do
    local b = {voter = arg(), earlier = arg(), ballot = arg(), at = arg(), change = arg()}
    if b.earlier == '' then b.votes = key() end
    cast[i], voters[i] = b, b.voter
  end
  local earlier = redis.call('HMGET', ballots, unpack(voters))
  local stale, values, at, change = {}, {}, {}, {voters = 0}
  for i, b in ipairs(cast) do
    if (earlier[i] or '') ~= b.earlier then
      stale[#stale + 1] = i
    else
      values[#values + 1] = b.voter
      values[#values + 1] = b.ballot
      at[#at + 1] = b.at
      at[#at + 1] = b.voter
      if b.votes then
        change.voters = change.voters + 1
        redis.call('ZADD', b.votes, now_is[2], code)
      end
      for sign, option in string.gmatch(b.change, '([+-])(%d+)') do
        change[option] = (change[option] or 0) + (sign == '+' and 1 or -1)
      end
    end
  end
  if #values == 0 then return {{}, stale} end
  redis.call('HSET', ballots, unpack(values))
  redis.call('ZADD', times, unpack(at))
  for field, by in pairs(change) do
    if by ~= 0 then redis.call('HINCRBY', vote, field, by) end
  end
  return {tally(vote), stale}
end
