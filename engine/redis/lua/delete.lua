-- Deletes a channel for good. A second time nothing happens.
local function main()
  take_channels()
  delete_channel(open_channels[1])
end
