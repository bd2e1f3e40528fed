-- Makes a room, with its owner, if any, as first member.
local function main()
  local id, name, topic, private, owner = arg(), arg(), arg(), arg(), arg()
  local invite, created, sort, read = arg(), arg(), arg(), arg()
  take_channels()
  local drafts = take_drafts()
  if redis.call('EXISTS', room_of(id)) == 1 then return refuse('room_exists') end -- also one that was deleted
  if owner ~= '' and not is_user(owner) then return refuse('no_user') end
  local code, draft = check_drafts(drafts)
  if code then return {draft, code} end
  redis.call('HSET', room_of(id), 'name', name, 'topic', topic, 'private', private, 'owner', owner,
    'invite', invite, 'created', created, 'sort', sort)
  if private == '0' then redis.call('ZADD', public, 0, sort) end
  if owner ~= '' then
    redis.call('SADD', owned_by(owner), id)
    redis.call('SADD', members_of(id), owner)
    redis.call('HSET', rooms_of(owner), id, read .. ' ' .. now)
    fact('member', id, owner)
  end
  append_drafts(drafts)
  close_channels()
  return {1}
end
