-- Who is in a channel is in its partition:
--   p:NAME   hash  person -> "node,node|name": where they are, and what they are called
--   pp:NODE  set   "NAME person" for each that a node has told to be there
--   pn       set   the nodes that have told of somebody
-- and in the facts' partition:
--   leases   zset  the nodes that live, by when their leases end
--
-- All nodes hear of who comes first and leaves last. In a crowd they do not, but of its end.
local base, nodes, told, node, crowd

local function take_presence()
  nodes, told, base, node, crowd = key(), key(), arg(), arg(), tonumber(arg())
end

local function presence(kind, name, id, called) hint(id .. called, 'p', name, kind, #id) end

local function arrived(name, id, called)
  local people = base .. name
  local was = redis.call('HGET', people, id)
  local there, known = node, nil
  if was then
    local before
    before, known = string.match(was, '^([^|]*)|(.*)$')
    there = before
    if not string.find(',' .. before .. ',', ',' .. node .. ',', 1, true) then there = before .. ',' .. node end
  end
  local is = there .. '|' .. called
  if is ~= was then redis.call('HSET', people, id, is) end
  redis.call('SADD', told, name .. ' ' .. id)
  if known ~= called and redis.call('HLEN', people) <= crowd then presence('join', name, id, called) end
end

local function departed(name, id)
  redis.call('SREM', told, name .. ' ' .. id)
  local people = base .. name
  local was = redis.call('HGET', people, id)
  if not was then return end
  local before, called = string.match(was, '^([^|]*)|(.*)$')
  local others = {}
  for other in string.gmatch(before, '[^,]+') do
    if other ~= node then others[#others + 1] = other end
  end
  if #others > 0 then
    redis.call('HSET', people, id, table.concat(others, ',') .. '|' .. called)
    return
  end
  redis.call('HDEL', people, id)
  local left = redis.call('HLEN', people)
  if left < crowd then
    presence('leave', name, id, called)
  elseif left == crowd then
    presence('here', name, '', '')
  end
end

local function close_presence()
  if redis.call('EXISTS', told) == 1 then
    redis.call('SADD', nodes, node)
  else
    redis.call('SREM', nodes, node)
  end
end
