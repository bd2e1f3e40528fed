
-- What a reading script ends with.
local result = main()
if type(result) == 'table' and result.err then return result end
return {0, result}
