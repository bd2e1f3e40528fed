-- A node tells who came (1) and left (0).
local function main()
  take_presence()
  for _ = 1, tonumber(arg()) do
    local name, id, here, called = arg(), arg(), arg(), arg()
    if here == '1' then
      arrived(name, id, called)
    else
      departed(name, id)
    end
  end
  close_presence()
end
