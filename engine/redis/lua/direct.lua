-- Makes the two sides of a direct conversation. Returns {1}, or {0} if both were there.
local function main()
  local sides = {{arg(), arg()}, {arg(), arg()}} -- id and name of each
  local read = arg()
  take_channels()
  local drafts = take_drafts()
  local missing = {}
  for i, side in ipairs(sides) do
    if not is_user(side[1]) then return refuse('no_user') end
    if redis.call('HEXISTS', directs_of(side[1]), sides[3 - i][1]) == 0 then missing[#missing + 1] = i end
  end
  if #missing == 0 then return {0} end
  local code, draft = check_drafts(drafts)
  if code then return {draft, code} end
  for _, i in ipairs(missing) do
    local other = sides[3 - i]
    redis.call('HSET', directs_of(sides[i][1]), other[1], read .. ' ' .. now .. ' ' .. other[2])
  end
  append_drafts(drafts)
  close_channels()
  return {1}
end
