
-- What every writing script ends with: main runs once for each number of a call, however often it is sent. A call of a lower
-- number than the last is late, and must not run any more. The result is {whether hints went out, what main returned}.
local before = redis.call('GET', KEYS[1])
if before then
  local number, result = unpack(cmsgpack.unpack(before))
  if number == ARGV[2] then return result end
  if tonumber(number) > tonumber(ARGV[2]) then return refuse('stale') end
end
local result = main()
if type(result) == 'table' and result.err then return result end
result = {#hints > 0 and 1 or 0, result}
redis.call('SET', KEYS[1], cmsgpack.pack({ARGV[2], result}), 'PX', '60000')
if #hints > 0 then
  hint('', 'o', ARGV[3])
  redis.call('SPUBLISH', ARGV[1], table.concat(hints))
end
return result
