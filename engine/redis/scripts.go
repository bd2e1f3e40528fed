package redis

// The scripts of the log. Each other part of the engine has its own.
var (
	appendScript = newScript(writes, "append", "channel")
	checkScript  = newScript(readsIt, "check", "channel")
	deleteScript = newScript(frees, "delete", "channel")
	trimScript   = newScript(frees, "trim", "channel")
)
