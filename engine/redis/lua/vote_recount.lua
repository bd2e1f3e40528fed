-- Returns a vote as it is kept, and how many of its ballots have which options: of one moment.
local function main()
  local vote, ballots = key(), key()
  local times = {}
  for _, ballot in ipairs(redis.call('HVALS', ballots)) do
    local options = string.match(ballot, '^%d+')
    times[options] = (times[options] or 0) + 1
  end
  local counted = {}
  for options, n in pairs(times) do
    counted[#counted + 1] = options
    counted[#counted + 1] = n
  end
  return {redis.call('HGETALL', vote), counted}
end
