-- Tells up to most of those who are still to hear that a room is gone. Returns whether some are left.
local function main()
  local id, most = arg(), tonumber(arg())
  local event = redis.call('HGET', ending, 'room ' .. id)
  if not event then return 0 end
  event = cmsgpack.unpack(event)
  local people = redis.call('SRANDMEMBER', leaving_of(id), most)
  local drafts = {}
  for _, user in ipairs(people) do
    local d = tell(event, user)
    if not d.channel.deleted and is_user(user) then drafts[#drafts + 1] = d end
  end
  append_drafts(drafts)
  close_channels()
  for _, user in ipairs(people) do
    redis.call('HDEL', rooms_of(user), id)
    redis.call('SREM', leaving_of(id), user)
  end
  if redis.call('EXISTS', leaving_of(id)) == 1 then return 1 end
  redis.call('HDEL', ending, 'room ' .. id)
  return 0
end
