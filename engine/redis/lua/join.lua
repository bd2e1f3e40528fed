-- Makes somebody a member of a room, whose reading starts at read. Returns {1}, or {0} for one who was in.
local function main()
  local id, user, read = arg(), arg(), arg()
  take_channels()
  local drafts = take_drafts()
  if not is_room(id) then return refuse('no_room') end
  if not is_user(user) then return refuse('no_user') end
  if redis.call('SISMEMBER', members_of(id), user) == 1 then return {0} end
  local code, draft = check_drafts(drafts)
  if code then return {draft, code} end
  redis.call('SADD', members_of(id), user)
  redis.call('HSET', rooms_of(user), id, read .. ' ' .. now)
  append_drafts(drafts)
  close_channels()
  fact('member', id, user)
  return {1}
end
