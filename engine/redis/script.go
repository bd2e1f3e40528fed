package redis

import (
	"context"
	"crypto/sha1" // Redis names scripts by it
	"embed"
	"encoding/hex"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

//go:embed lua/*.lua
var sources embed.FS

// script is one operation: a Lua function main, with the fragments it needs before it, and the beginning and end of all. Redis
// runs it as a whole, or not at all.
type script struct {
	name, text, sha string
	readonly        bool
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
	sum := sha1.Sum([]byte(b.String()))
	return &script{name: name, text: b.String(), sha: hex.EncodeToString(sum[:]), readonly: kind == readsIt}
}

// run sends the script by its hash, and as a whole where Redis does not know it (any more: a restart or SCRIPT FLUSH).
func (s *script) run(send func(rueidis.Completed) rueidis.RedisResult, b rueidis.Builder, keys, args []string) rueidis.RedisResult {
	result := send(s.command(b, false, keys, args))
	if r, is := rueidis.IsRedisErr(result.Error()); is && r.IsNoScript() {
		result = send(s.command(b, true, keys, args))
	}
	return result
}

func (s *script) command(b rueidis.Builder, whole bool, keys, args []string) rueidis.Completed {
	n := int64(len(keys))
	switch {
	case s.readonly && whole:
		return b.EvalRo().Script(s.text).Numkeys(n).Key(keys...).Arg(args...).Build()
	case s.readonly:
		return b.EvalshaRo().Sha1(s.sha).Numkeys(n).Key(keys...).Arg(args...).Build()
	case whole:
		return b.Eval().Script(s.text).Numkeys(n).Key(keys...).Arg(args...).Build()
	}
	return b.Evalsha().Sha1(s.sha).Numkeys(n).Key(keys...).Arg(args...).Build()
}

// replicaPatience is how long a write waits for its replicas, where the address asks for some.
const replicaPatience = time.Second

// execute sends a script once; one that writes waits for as many replicas as the address asks for.
func (e *Engine) execute(ctx context.Context, s *script, keys, args []string) rueidis.RedisResult {
	if s.readonly || e.address.wait == 0 {
		return s.run(func(c rueidis.Completed) rueidis.RedisResult { return e.client.Do(ctx, c) }, e.client.B(), keys, args)
	}
	// WAIT waits for what its own connection wrote. So both go through one that nobody else has meanwhile.
	client, release := e.client.Dedicate()
	defer release()
	return s.run(func(c rueidis.Completed) rueidis.RedisResult {
		wait := client.B().Wait().Numreplicas(int64(e.address.wait)).Timeout(replicaPatience.Milliseconds()).Build()
		results := client.DoMulti(ctx, c, wait)
		if results[0].Error() != nil {
			return results[0]
		}
		if n, err := results[1].AsInt64(); err != nil {
			return results[1]
		} else if n < int64(e.address.wait) {
			return rueidis.NewErrorResult(&unreplicated{want: e.address.wait, have: int(n)})
		}
		return results[0]
	}, client.B(), keys, args)
}
