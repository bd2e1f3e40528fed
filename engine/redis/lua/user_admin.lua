-- Makes a user an administrator, or no more; with a link, only if that is the valid one, which is void then.
local function main()
  local id, admin, hash, link = arg(), arg(), arg(), base .. 'link'
  if hash ~= '' and redis.call('GET', link) ~= hash then return refuse('bad_link') end
  if not is_user(id) then return refuse('no_user') end
  redis.call(admin == '1' and 'SADD' or 'SREM', admins, id)
  if hash ~= '' then redis.call('DEL', link) end
  fact('user', id)
end
