-- Forgets up to most users unseen since a time, but no administrators. Returns them: id, record, when they were seen, whether it is finished.
local function main()
  local before, most, budget = arg(), tonumber(arg()), tonumber(arg())
  local gone = {}
  for _, id in ipairs(redis.call('ZRANGE', seen, '-inf', '(' .. before, 'BYSCORE', 'LIMIT', 0, most + redis.call('SCARD', admins))) do
    if #gone == most or budget <= 0 then break end
    if redis.call('SISMEMBER', admins, id) == 0 then
      local entry = {id, redis.call('HGET', users, id), redis.call('ZSCORE', seen, id)}
      local finished
      finished, budget = forget(id, budget - 1)
      entry[4] = finished and '1' or '0'
      gone[#gone + 1] = entry
    end
  end
  return gone
end
