-- Appends what several operations want: each all or nothing, all of one partition. Returns for each its receipts, or {draft, code}.
local function main()
  take_channels()
  local results = {}
  for i = 1, tonumber(arg()) do
    local drafts = take_drafts()
    local code, draft = check_drafts(drafts)
    results[i] = code and {draft, code} or append_drafts(drafts)
  end
  close_channels()
  return results
end
