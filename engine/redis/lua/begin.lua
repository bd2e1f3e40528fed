-- What every script begins with.
--
-- KEYS[1] is where the call leaves its result, so that it can be repeated when its answer was lost (end.lua).
-- ARGV[1] is the partition's hint channel, [2] the call's number, [3] its token (hint "o"), [4] the node's clock in ms.
-- Everything after these is taken one by one, in the order in which Go gave it.
local keys_taken, args_taken = 1, 4
local now = tonumber(ARGV[4])

local function key()
  keys_taken = keys_taken + 1
  return KEYS[keys_taken]
end

local function arg()
  args_taken = args_taken + 1
  return ARGV[args_taken]
end

-- hint tells all nodes, when the script ends, something of a kind: words without spaces, and a payload of any bytes.
local hints = {}
local function hint(payload, ...)
  hints[#hints + 1] = table.concat({...}, ' ') .. ' ' .. #payload .. '\n' .. payload
end

-- refuse makes the error that Go turns into a problem by its code. It must come before anything is written.
local function refuse(code, detail)
  return {err = 'PARLEY ' .. code .. ' ' .. (detail or '')}
end
