-- Raises up to where somebody has read. Returns {where that is now, whether it changed}; nothing for one who is not in.
local function main()
  local key, field, up = base .. arg(), arg(), arg()
  local was = redis.call('HGET', key, field)
  if not was then return {} end
  local read, rest = string.match(was, '^(%d+)(.*)$')
  if tonumber(up) <= tonumber(read) then return {tonumber(read), 0} end
  redis.call('HSET', key, field, up .. rest)
  return {tonumber(up), 1}
end
