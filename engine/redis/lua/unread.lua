-- Says of channels where they end, and how much a user has not read: "seq mark at unread". Unread are texts by others, up to 100, among
-- the newest 1,000 messages.
local WINDOW, MOST, PAGE = 1000, 100, 100

-- news makes a function that reports whether a message is a text by another than user. It looks for what stands in meta after the id: the type
-- and the sender, each with its length (a varint) before it. This is most of what the script does, so it makes no more strings than it must.
local function news(user)
  local length = #user < 128 and string.char(#user) or string.char(#user % 128 + 128, math.floor(#user / 128))
  local mine = length .. user
  return function(value)
    local _, last = string.find(value, ' %d+ %d+ ')
    local n, at = string.byte(value, last + 1), last + 2
    if n >= 128 then n, at = n - 128 + 128 * string.byte(value, at), at + 1 end
    at = at + n
    return string.sub(value, at, at + 4) == '\4text' and string.sub(value, at + 5, at + 4 + #mine) ~= mine
  end
end

-- amended_value is the message of a seq that is not in the stream; nothing if it was erased.
local function amended_value(c, seq)
  local kept = redis.call('HGET', c.amended, seq)
  if kept and string.match(kept, '^%d+ ([01])') == '0' then return string.match(kept, '^[^\n]*\n(.*)$') end
end

local function unread(c, is_news, read)
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
      if value and is_news(value) then
        count = count + 1
        if count == MOST then return count end
      end
      seq = seq - 1
    end
  end
  return count
end

local function main()
  local is_news = news(arg())
  take_channels()
  local list = {}
  for i, c in ipairs(open_channels) do
    list[i] = string.format('%.0f', c.seq) .. ' ' .. c.mark .. ' ' .. string.format('%.0f', c.at) .. ' ' .. unread(c, is_news, tonumber(arg()))
  end
  return list
end
