-- Forgets a user, or goes on where that was left. Returns whether it is finished.
local function main()
  local id, begin, budget = arg(), arg(), tonumber(arg())
  local finished
  if begin == '1' then
    if not is_user(id) then return refuse('no_user') end
    finished = forget(id, budget)
  else
    local name = redis.call('HGET', ending, 'user ' .. id)
    finished = not name or finish_user(id, name, budget)
  end
  return finished and 1 or 0
end
