-- Says what stands against drafts, without writing: {draft, code}, or nothing.
local function main()
  take_channels()
  local code, draft = check_drafts(take_drafts())
  return code and {draft, code} or {}
end
