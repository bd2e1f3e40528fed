-- Ends a membership. Returns {1}, or {0} for one who was not in.
local function main()
  local id, user = arg(), arg()
  take_channels()
  local drafts = take_drafts()
  if redis.call('SISMEMBER', members_of(id), user) == 0 then return {0} end
  local code, draft = check_drafts(drafts)
  if code then return {draft, code} end
  redis.call('SREM', members_of(id), user)
  redis.call('HDEL', rooms_of(user), id)
  append_drafts(drafts)
  close_channels()
  -- Only who is out of a private room has lost a right.
  fact(redis.call('HGET', room_of(id), 'private') == '1' and 'left' or 'member', id, user)
  return {1}
end
