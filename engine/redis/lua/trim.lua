-- Removes the oldest messages of a channel, as far as its policy gives them up and one step goes, and records the new floor. Returns 1
-- where there may be more.
local function main()
  take_channels()
  local c = open_channels[1]
  local oldest, step = tonumber(arg()), tonumber(arg())
  if c.deleted or c.seq == c.floor then return 0 end
  local last = math.min(c.floor + step, c.seq)
  local upto = c.floor
  if c.keep > 0 and c.seq - c.floor > c.keep then upto = math.min(c.seq - c.keep, last) end
  while oldest > 0 and upto < last do
    local m = load_message(c, upto + 1)
    if m and tonumber(string.match(m.value, '^%d+')) >= oldest then break end
    upto = upto + 1
  end
  if upto == c.floor then return 0 end
  trim_channel(c, upto)
  return upto == last and 1 or 0
end
