-- The newest codes of some lists of votes, each with when it was made: at most so many of each.
local function main()
  local limit = tonumber(arg())
  local found = {}
  for _ = 1, tonumber(arg()) do
    local some = redis.call('ZREVRANGE', key(), 0, limit - 1, 'WITHSCORES')
    for _, word in ipairs(some) do found[#found + 1] = word end
  end
  return found
end
