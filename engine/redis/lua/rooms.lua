-- Says what rooms are, as a viewer sees them: {id, name, topic, private, owner, the owner's name, invite, created, sort, members, joined};
-- 0 for one that is not.
local function main()
  local viewer, list = arg(), {}
  for i = 1, tonumber(arg()) do
    local id = arg()
    local r = redis.call('HMGET', room_of(id), 'name', 'topic', 'private', 'owner', 'invite', 'created', 'sort')
    if not r[1] then
      list[i] = 0
    else
      local _, _, owner = user_of(r[4])
      list[i] = {id, r[1], r[2], r[3], r[4], owner or '', r[5], r[6], r[7],
        tostring(redis.call('SCARD', members_of(id))), tostring(redis.call('SISMEMBER', members_of(id), viewer))}
    end
  end
  return list
end
