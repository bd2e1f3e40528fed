-- Returns how many people are in a channel, and of them at most so many, each as id and name.
local function main()
  local people, limit = key(), tonumber(arg())
  local count = redis.call('HLEN', people)
  local some = {}
  if count <= limit then
    some = redis.call('HGETALL', people)
  elseif limit > 0 then
    some = redis.call('HRANDFIELD', people, limit, 'WITHVALUES')
  end
  for i = 2, #some, 2 do some[i] = string.match(some[i], '|(.*)$') end
  return {count, some}
end
