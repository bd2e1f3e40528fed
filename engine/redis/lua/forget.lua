-- Forgetting people. forget makes a user nobody at once, with the name free. What hangs on the user is ended by finish_user: up to budget
-- memberships, sides of direct conversations and owned rooms, and the rest by whoever finds the user in ending.
local function finish_user(id, name, budget)
  local rooms, directs, owned = rooms_of(id), directs_of(id), owned_by(id)
  for _, room in ipairs(redis.call('HRANDFIELD', rooms, budget)) do
    redis.call('SREM', members_of(room), id)
    redis.call('HDEL', rooms, room)
    budget = budget - 1
  end
  if budget > 0 then
    for _, other in ipairs(redis.call('HRANDFIELD', directs, budget)) do
      local side = redis.call('HGET', directs_of(other), id)
      if side then redis.call('HSET', directs_of(other), id, string.match(side, '^%d+ %d+ ') .. name) end
      redis.call('HDEL', directs, other)
      budget = budget - 1
    end
  end
  if budget > 0 then
    for _, room in ipairs(redis.call('SRANDMEMBER', owned, budget)) do
      if is_room(room) then redis.call('HSET', room_of(room), 'owner', '') end
      redis.call('SREM', owned, room)
      budget = budget - 1
    end
  end
  local finished = redis.call('EXISTS', rooms, directs, owned) == 0
  if finished then redis.call('HDEL', ending, 'user ' .. id) end
  return finished, budget
end

local function forget(id, budget)
  local _, fold, name = user_of(id)
  redis.call('HSET', ending, 'user ' .. id, name)
  redis.call('HDEL', users, id)
  redis.call('ZREM', folds, fold .. '\0' .. id)
  redis.call('ZREM', seen, id)
  redis.call('SREM', admins, id)
  fact('gone', id)
  return finish_user(id, name, budget)
end
