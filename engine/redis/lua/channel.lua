-- Channels: what every script that appends needs.

-- An idempotency key is known for 25 hours: a day, and what clocks may differ.
local KEY_MS = '90000000'

local open_channels = {}

-- open_channel looks at a channel, of which keep messages need be kept; 0: all.
local function open_channel(name, keep, head, stream, amended, names)
  local c = {name = name, keep = tonumber(keep), head = head, stream = stream, amended = amended, names = names}
  local h = redis.call('HMGET', head, 'seq', 'mark', 'at', 'floor', 'deleted')
  c.seq, c.mark, c.at = tonumber(h[1] or 0), h[2] or '0', tonumber(h[3] or 0)
  c.floor, c.deleted = tonumber(h[4] or 0), h[5] == '1'
  open_channels[#open_channels + 1] = c
  return c
end

-- take_channels reads the channels that drafts refer to by number.
local function take_channels()
  for _ = 1, tonumber(arg()) do open_channel(arg(), arg(), key(), key(), key(), key()) end
end

-- take_drafts reads the drafts of one operation. One of another partition comes as an entry for the outbox.
local function take_drafts()
  local drafts = {}
  for i = 1, tonumber(arg()) do
    local channel = tonumber(arg())
    local d
    if channel == 0 then
      d = {outbox = key(), id = arg(), entry = arg()}
    else
      d = {channel = open_channels[channel], mark = arg(), meta = arg(), data = arg()}
      if arg() == '1' then d.key, d.content = key(), arg() end
      local amends = arg()
      if amends ~= '' then d.amend = {seq = tonumber(amends), data = arg(), erase = arg()} end
    end
    drafts[i] = d
  end
  return drafts
end

-- A message in the stream is "at prev length meta data": data comes last so that it can be replaced here; meta is Go's.
-- An amended message is in the hash, as "mark erased also\n" and the same; also names the events that amended it.
local function load_message(c, seq)
  local kept = redis.call('HGET', c.amended, seq)
  if kept then
    local mark, erased, also, from = string.match(kept, '^(%d+) ([01]) ([%d,]*)\n()')
    return {mark = mark, erased = erased, also = also, value = string.sub(kept, from)}
  end
  local found = redis.call('XRANGE', c.stream, seq, seq)[1]
  if found then
    return {mark = string.match(found[1], '-(%d+)$'), erased = '0', also = '', value = found[2][2], id = found[1]}
  end
end

local function replace_data(c, seq, m, data)
  local length, from = string.match(m.value, '^%d+ %d+ (%d+) ()')
  m.value = string.sub(m.value, 1, from + tonumber(length) - 1) .. data
  if m.id then redis.call('XDEL', c.stream, m.id) end
  redis.call('HSET', c.amended, seq, m.mark .. ' ' .. m.erased .. ' ' .. m.also .. '\n' .. m.value)
end

-- amend changes the message that an event amends. An erasure empties the events that amended it before, too: they repeat
-- what it said.
local function amend(c, a, event)
  local m = load_message(c, a.seq)
  local also = ''
  if a.erase == '1' then
    for earlier in string.gmatch(m.also, '%d+') do
      local e = load_message(c, earlier)
      if e then
        e.erased = '1'
        replace_data(c, earlier, e, a.data)
        also = also .. (also == '' and '' or ',') .. earlier
      end
    end
    m.erased = '1'
  end
  m.also = m.also .. (m.also == '' and '' or ',') .. event
  replace_data(c, a.seq, m, a.data)
  hint(a.data, 'a', c.name, a.seq, a.erase, also == '' and '-' or also)
end

-- known_key returns the first receipt of a draft whose key is known.
local function known_key(d)
  local known = d.key and redis.call('GET', d.key)
  if not known then return end
  local content, receipt = string.match(known, '^(%S+) (.*)$')
  return receipt .. ' 1', content
end

-- check_drafts returns what stands against drafts, before anything is written: a code, and the number of the draft.
local function check_drafts(drafts)
  local claimed = {}
  for i, d in ipairs(drafts) do
    if not d.outbox then
      if d.channel.deleted then return 'deleted', i end
      local receipt, content = known_key(d)
      if d.key and claimed[d.key] then
        content, d.again = claimed[d.key], true
      end
      if content and content ~= d.content then return 'key_reused', i end
      if d.key then claimed[d.key] = d.content end
      d.receipt = receipt
      if d.amend and not receipt then
        local m = d.amend.seq > d.channel.floor and load_message(d.channel, d.amend.seq)
        if not m then return 'no_message', i end
        if m.erased == '1' then return 'erased', i end
      end
    end
  end
end

local function append_message(d)
  local c = d.channel
  if c.seq == 0 then redis.call('ZADD', c.names, '0', c.name) end
  -- Texts all the way: a number that is given to Redis is printed as a float, which takes as long as a command.
  local seq, at = string.format('%d', c.seq + 1), string.format('%d', math.max(now, c.at))
  local value = at .. ' ' .. c.mark .. ' ' .. #d.meta .. ' ' .. d.meta .. d.data
  local receipt = seq .. ' ' .. d.mark .. ' ' .. at
  redis.call('XADD', c.stream, seq .. '-' .. d.mark, 'm', value)
  c.seq, c.mark, c.seq_text, c.at_text = c.seq + 1, d.mark, seq, at
  if d.key then redis.call('SET', d.key, d.content .. ' ' .. receipt, 'PX', KEY_MS) end
  hint(value, 'm', c.name, seq, d.mark)
  if d.amend then amend(c, d.amend, c.seq) end
  return receipt .. ' 0'
end

-- append_drafts appends drafts that were checked, and returns a receipt for each: "seq mark at replayed", "" for the outbox.
local function append_drafts(drafts)
  local receipts = {}
  for i, d in ipairs(drafts) do
    if d.outbox then
      redis.call('HSET', d.outbox, d.id, d.entry)
      receipts[i] = ''
    else
      receipts[i] = d.receipt or d.again and known_key(d) or append_message(d)
    end
  end
  return receipts
end

-- trim_channel removes the messages up to a seq, and records the new floor.
local function trim_channel(c, upto)
  redis.call('HSET', c.head, 'floor', upto, 'floorMark', load_message(c, upto).mark)
  redis.call('XTRIM', c.stream, 'MINID', upto + 1)
  if redis.call('HLEN', c.amended) > 0 then
    for seq = c.floor + 1, upto do redis.call('HDEL', c.amended, seq) end
  end
  c.floor = upto
end

-- How far past its KeepCount, beside a quarter of it, a channel grows before it is trimmed at once instead of at the next sweep; and how
-- much is removed then at most.
local SLACK, TRIM_STEP = 256, 1000

-- close_channels writes the heads. It comes after everything that appends.
local function close_channels()
  for _, c in ipairs(open_channels) do
    if c.seq_text then
      redis.call('HSET', c.head, 'seq', c.seq_text, 'mark', c.mark, 'at', c.at_text)
      if c.keep > 0 and c.seq - c.floor > c.keep * 1.25 + SLACK then
        trim_channel(c, math.min(c.seq - c.keep, c.floor + TRIM_STEP))
      end
    end
  end
end

-- delete_channel leaves of a channel only that it was: nothing can be appended any more.
local function delete_channel(c)
  if c.deleted then return end
  redis.call('HSET', c.head, 'deleted', 1)
  redis.call('UNLINK', c.stream, c.amended)
  redis.call('ZREM', c.names, c.name)
  c.deleted = true
  hint('', 'd', c.name)
end
