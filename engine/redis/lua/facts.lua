-- Facts: people, rooms, and who is in what. All of them are in one partition, so one script may change any of them together. facts.go
-- says what the keys hold.
local base = arg()
local users = key()
local folds, seen, admins = base .. 'folds', base .. 'seen', base .. 'admins'
local public, ending = base .. 'public', base .. 'ending'

local function room_of(id) return base .. 'room:' .. id end
local function members_of(id) return base .. 'members:' .. id end
local function leaving_of(id) return base .. 'leaving:' .. id end
local function rooms_of(user) return base .. 'rooms:' .. user end
local function directs_of(user) return base .. 'directs:' .. user end
local function owned_by(user) return base .. 'owned:' .. user end

local function fact(...) hint('', 'f', ...) end

local function is_user(id) return redis.call('HEXISTS', users, id) == 1 end

-- user_of is a user's record in its parts: created, fold, name. Nothing for nobody.
local function user_of(id)
  local record = redis.call('HGET', users, id)
  if record then return string.match(record, '^(%d+)\n([^\n]*)\n(.*)$') end
end

-- is_taken reports whether somebody else has a name.
local function is_taken(fold, id)
  local has = redis.call('ZRANGE', folds, '[' .. fold .. '\0', '(' .. fold .. '\1', 'BYLEX', 'LIMIT', 0, 1)[1]
  return has and has ~= fold .. '\0' .. id
end

local function is_room(id) return redis.call('HEXISTS', room_of(id), 'name') == 1 end
