-- Gives a room an invite, if it has none, and returns the one it has; '' takes it away.
local function main()
  local id, invite = arg(), arg()
  if not is_room(id) then return refuse('no_room') end
  local has = redis.call('HGET', room_of(id), 'invite')
  if invite ~= '' and has ~= '' then return has end
  redis.call('HSET', room_of(id), 'invite', invite)
  return invite
end
