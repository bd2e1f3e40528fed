-- Gives a user another name.
local function main()
  local id, fold, name = arg(), arg(), arg()
  if is_taken(fold, id) then return refuse('name_taken') end
  local created, was = user_of(id)
  if not created then return refuse('no_user') end
  redis.call('ZREM', folds, was .. '\0' .. id)
  redis.call('ZADD', folds, 0, fold .. '\0' .. id)
  redis.call('HSET', users, id, created .. '\n' .. fold .. '\n' .. name)
  fact('user', id)
end
