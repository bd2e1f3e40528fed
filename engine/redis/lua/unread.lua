-- Says of channels where they end, and how much a user has not read: "seq mark at unread". Unread are texts by others, up to 100, among
-- the newest 1,000 messages.
local WINDOW, MOST, PAGE = 1000, 100, 128

-- cut takes a text with its length before it (a varint) off a message's meta.
local function cut(s, at)
  local n, shift = 0, 1
  repeat
    local b = string.byte(s, at)
    n, shift, at = n + (b % 128) * shift, shift * 128, at + 1
  until b < 128
  return string.sub(s, at, at + n - 1), at + n
end

local function is_news(value, user)
  local from = string.match(value, '^%d+ %d+ %d+ ()')
  local _, typ, sender
  _, from = cut(value, from)
  typ, from = cut(value, from)
  sender = cut(value, from)
  return typ == 'text' and sender ~= user
end

-- amended_value is the message of a seq that is not in the stream; nothing if it was erased.
local function amended_value(c, seq)
  local kept = redis.call('HGET', c.amended, seq)
  if kept and string.match(kept, '^%d+ ([01])') == '0' then return string.match(kept, '^[^\n]*\n(.*)$') end
end

local function unread(c, user, read)
  local first, seq, count = math.max(read, c.seq - WINDOW, c.floor) + 1, c.seq, 0
  while seq >= first do
    local page = redis.call('XREVRANGE', c.stream, seq, first, 'COUNT', PAGE)
    local last = #page == PAGE and tonumber(string.match(page[PAGE][1], '^%d+')) or first
    local n = 1
    while seq >= last do
      local value
      if page[n] and tonumber(string.match(page[n][1], '^%d+')) == seq then
        value, n = page[n][2][2], n + 1
      else
        value = amended_value(c, seq)
      end
      if value and is_news(value, user) then
        count = count + 1
        if count == MOST then return count end
      end
      seq = seq - 1
    end
  end
  return count
end

local function main()
  local user = arg()
  take_channels()
  local list = {}
  for i, c in ipairs(open_channels) do
    list[i] = string.format('%.0f', c.seq) .. ' ' .. c.mark .. ' ' .. string.format('%.0f', c.at) .. ' ' .. unread(c, user, tonumber(arg()))
  end
  return list
end
