-- Who is in a channel is in its partition:
--   p:NAME   hash  person -> "node,node|name": where they are, and what they are called
--   pp:NODE  set   "NAME person" for each that a node has told to be there
--   pn       set   the nodes that have told of somebody
-- and in the facts' partition:
--   leases   zset  the nodes that live, by when their leases end
--
-- All nodes hear of who comes first and leaves last. In a crowd they do not, but of its end.
local nodes, told = key(), key()
local node, crowd = arg(), tonumber(arg())

local function presence(kind, name, id, called) hint(id .. called, 'p', name, kind, #id) end

local function arrived(people, name, id, called)
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

local function departed(people, name, id)
  redis.call('SREM', told, name .. ' ' .. id)
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

-- A node tells who came (1) and left (0). Who left with a node that is no more, another tells in its name.
local function main()
  for _ = 1, tonumber(arg()) do
    local people, name, id, here, called = key(), arg(), arg(), arg(), arg()
    if here == '1' then
      arrived(people, name, id, called)
    else
      departed(people, name, id)
    end
  end
  if redis.call('EXISTS', told) == 1 then
    redis.call('SADD', nodes, node)
  else
    redis.call('SREM', nodes, node)
  end
end
