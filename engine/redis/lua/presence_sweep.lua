-- Takes some of the people of a node that is no more out of the partition. Returns how many there were.
local function main()
  take_presence()
  local some = redis.call('SRANDMEMBER', told, arg())
  for _, visit in ipairs(some) do
    local name, id = string.match(visit, '^(%S+) (.*)$')
    departed(name, id)
  end
  close_presence()
  return #some
end
