-- Deletes a room. Its members leave with it if there are no more than at_once, all or nothing; else they are set aside for room_leave,
-- and nobody is in the room any more all the same. Returns whether some are left.
local function main()
  local id, at_once, event = arg(), tonumber(arg()), take_event()
  local outbox = take_drafts()
  if not is_room(id) then return refuse('no_room') end
  local later = redis.call('SCARD', members_of(id)) > at_once
  local drafts = {}
  if later then
    redis.call('RENAME', members_of(id), leaving_of(id))
    redis.call('HSET', ending, 'room ' .. id, cmsgpack.pack(event))
  else
    local people = redis.call('SMEMBERS', members_of(id))
    for i, user in ipairs(people) do
      drafts[i] = tell(event, user)
      if drafts[i].channel.deleted then return refuse('deleted', 'user:' .. user) end
    end
    for _, user in ipairs(people) do redis.call('HDEL', rooms_of(user), id) end
    redis.call('DEL', members_of(id))
  end
  local r = redis.call('HMGET', room_of(id), 'owner', 'sort')
  if r[1] ~= '' then redis.call('SREM', owned_by(r[1]), id) end
  redis.call('ZREM', public, r[2])
  redis.call('DEL', room_of(id))
  redis.call('HSET', room_of(id), 'gone', 1) -- the id is never used again
  append_drafts(drafts)
  append_drafts(outbox)
  close_channels()
  fact('room', id)
  return later and 1 or 0
end
