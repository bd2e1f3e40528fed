-- Removes the oldest messages of a channel, as far as its policy gives them up and one step goes, and records the new floor. Returns 1
-- where there may be more.
local function main()
  take_channels()
  local c = open_channels[1]
  local keep, oldest, step = tonumber(arg()), tonumber(arg()), tonumber(arg())
  if c.deleted or c.seq == c.floor then return 0 end
  local last = math.min(c.floor + step, c.seq)
  local upto = c.floor
  if keep > 0 and c.seq - c.floor > keep then upto = math.min(c.seq - keep, last) end
  while oldest > 0 and upto < last do
    local m = load_message(c, upto + 1)
    if m and tonumber(string.match(m.value, '^%d+')) >= oldest then break end
    upto = upto + 1
  end
  if upto == c.floor then return 0 end
  local m = load_message(c, upto)
  redis.call('HSET', c.head, 'floor', upto, 'floorMark', m.mark)
  redis.call('XTRIM', c.stream, 'MINID', upto + 1)
  if redis.call('HLEN', c.amended) > 0 then
    for seq = c.floor + 1, upto do redis.call('HDEL', c.amended, seq) end
  end
  return upto == last and 1 or 0
end
