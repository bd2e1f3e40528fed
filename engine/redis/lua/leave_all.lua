-- Telling all members of a room that it is gone. The event is one for all; mark and id are made of the call's seed and the user.
local function tell(event, user)
  local name = 'user:' .. user
  local c = open_channel(name, 0, base .. 'c:' .. name, base .. 'm:' .. name, base .. 'a:' .. name, base .. 'names')
  local hash = redis.sha1hex(event.seed .. user)
  local mark = string.format('%.0f', tonumber(string.sub(hash, 1, 10), 16) + 1)
  return {channel = c, mark = mark, meta = '\12' .. string.sub(hash, 11, 22) .. event.meta, data = event.data}
end

local function take_event() return {seed = arg(), meta = arg(), data = arg()} end
