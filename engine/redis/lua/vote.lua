-- A vote is in the partition of its channel:
--   v:CODE   hash: def (its definition, JSON), rev (a random text, another for every definition), made (when, in
--            microseconds), version, voters, and for each option that has ballots its number: how many
--   vb:CODE  hash: voter -> ballot, "bits at name"
--   vt:CODE  zset: voters by the time of their ballots
--   vu:USER  zset: codes of the votes that somebody made or has voted in, by when they were made
--   vr:ROOM  zset: codes of the votes of a room, likewise
--   vd       zset: codes of the open votes that have a deadline, by it

-- tally appends the event of the vote to its channel, the only one that is open, and returns the numbers in it: the version, how
-- many voters there are, and the counts. The parts between them are taken from the arguments.
local function tally(vote)
  local c = open_channels[1]
  local event = {channel = c, mark = arg(), meta = arg()}
  local options = tonumber(arg())
  local fields = {'voters'}
  for i = 1, options do fields[i + 1] = i end
  local numbers = redis.call('HMGET', vote, unpack(fields))
  for i = 1, options + 1 do numbers[i] = numbers[i] or '0' end
  table.insert(numbers, 1, c.seq + 1)
  local text = {}
  for i, n in ipairs(numbers) do
    text[2 * i - 1] = arg()
    text[2 * i] = n
  end
  text[#text + 1] = arg()
  event.data = table.concat(text)
  append_drafts({event})
  redis.call('HSET', vote, 'version', c.seq)
  close_channels()
  return numbers
end

-- deadline keeps when the vote is to be closed, or that it is not.
local function deadline(key, code, at)
  if at == '' then
    redis.call('ZREM', key, code)
  else
    redis.call('ZADD', key, at, code)
  end
end
