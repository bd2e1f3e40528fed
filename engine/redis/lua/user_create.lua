-- Adds a user.
local function main()
  local id, fold, record, at, admin = arg(), arg(), arg(), arg(), arg()
  if is_taken(fold, id) then return refuse('name_taken') end
  redis.call('HSET', users, id, record)
  redis.call('ZADD', folds, 0, fold .. '\0' .. id)
  redis.call('ZADD', seen, at, id)
  if admin == '1' then redis.call('SADD', admins, id) end
end
