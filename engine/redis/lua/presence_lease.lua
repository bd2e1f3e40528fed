-- Keeps the lease of a node for so many ms more, or takes it if it is new. Returns whether that went well, and the nodes that live. A lease
-- that ended is gone: its node takes another under a new name.
local function main()
  local leases = key()
  local node, ms, new = arg(), tonumber(arg()), arg()
  local time = redis.call('TIME') -- one clock for all nodes
  local clock = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', leases, '-inf', clock)
  local kept = new == '1' or redis.call('ZSCORE', leases, node)
  if kept then redis.call('ZADD', leases, clock + ms, node) end
  return {kept and 1 or 0, redis.call('ZRANGE', leases, 0, -1)}
end
