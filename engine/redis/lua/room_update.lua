-- Changes a room's name and topic.
local function main()
  local id, name, topic, sort = arg(), arg(), arg(), arg()
  take_channels()
  local drafts = take_drafts()
  if not is_room(id) then return refuse('no_room') end
  local code, draft = check_drafts(drafts)
  if code then return {draft, code} end
  if redis.call('HGET', room_of(id), 'private') == '0' then
    redis.call('ZREM', public, redis.call('HGET', room_of(id), 'sort'))
    redis.call('ZADD', public, 0, sort)
  end
  redis.call('HSET', room_of(id), 'name', name, 'topic', topic, 'sort', sort)
  append_drafts(drafts)
  close_channels()
  return {1}
end
