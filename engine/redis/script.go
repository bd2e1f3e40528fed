package redis

import (
	"embed"
	"strings"

	"github.com/redis/rueidis"
)

//go:embed lua/*.lua
var sources embed.FS

// script is one operation: a Lua function main, with the fragments it needs before it, and the beginning and end of all. Redis
// runs it as a whole, or not at all.
type script struct {
	lua  *rueidis.Lua
	name string
}

// What a script declares to Redis: https://redis.io/docs/latest/develop/programmability/lua-api/#script-flags. Without a flag
// it is refused before it begins when Redis is full.
const (
	writes  = "#!lua\n"                 // refused when Redis is full
	frees   = "#!lua flags=allow-oom\n" // writes little or frees, and so runs when Redis is full as well
	readsIt = "#!lua flags=no-writes\n" // changes nothing
)

// newScript makes a script of lua/<name>.lua and the fragments it uses.
func newScript(kind, name string, fragments ...string) *script {
	var b strings.Builder
	b.WriteString(kind)
	last := "end"
	if kind == readsIt {
		last = "endread"
	}
	for _, file := range append(append([]string{"begin"}, fragments...), name, last) {
		text, err := sources.ReadFile("lua/" + file + ".lua")
		if err != nil {
			panic(err) // the file is part of the program
		}
		b.Write(text)
	}
	if kind == readsIt {
		return &script{rueidis.NewLuaScriptReadOnly(b.String()), name}
	}
	return &script{rueidis.NewLuaScript(b.String()), name}
}

// scripts are those of the log. Each part of the engine has its own.
var (
	appendScript = newScript(writes, "append", "channel")
	checkScript  = newScript(readsIt, "check", "channel")
	deleteScript = newScript(frees, "delete", "channel")
)
