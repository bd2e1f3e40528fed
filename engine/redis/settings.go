package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
)

// settingsEvery is how often Redis' settings are looked at again.
const settingsEvery = time.Minute

// wantedSettings are those that decide what can be lost.
var wantedSettings = []string{"appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy", "client-output-buffer-limit", "min-replicas-to-write"}

// watchSettings keeps what an acknowledgement means up to date, and says what is dangerous, whenever that changes.
func (e *Engine) watchSettings(said []string) {
	tick := time.NewTicker(settingsEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
			said = e.checkSettings(e.ctx, said)
		}
	}
}

// checkSettings looks at every server once, logs what is dangerous and was not said before, and returns all that is.
func (e *Engine) checkSettings(ctx context.Context, said []string) (dangers []string) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	level := channel.Fsynced
	for addr, server := range e.client.Nodes() {
		settings, err := server.Do(ctx, server.B().ConfigGet().Parameter(wantedSettings...).Build()).AsStrMap()
		if err != nil {
			level = channel.Memory
			if _, answered := rueidis.IsRedisErr(err); answered {
				dangers = append(dangers, fmt.Sprintf("Redis at %s does not show its settings (CONFIG GET is refused): whether it keeps what it acknowledged is not known here", addr))
			}
			continue
		}
		info, _ := server.Do(ctx, server.B().Info().Section("replication").Build()).ToString()
		found, fsynced := judge(settings, info)
		for _, danger := range found {
			dangers = append(dangers, "Redis at "+addr+" "+danger)
		}
		if !fsynced {
			level = channel.Memory
		}
	}
	if e.address.wait > 0 {
		level = channel.Replicated
	}
	if ctx.Err() == nil {
		e.level.Store(&level)
	}
	for _, danger := range dangers {
		if !slices.Contains(said, danger) {
			e.o.Logger.Warn(danger)
		}
	}
	return dangers
}

// judge says what is dangerous about a server's settings, and whether it fsyncs what it acknowledges.
func judge(settings map[string]string, info string) (dangers []string, fsynced bool) {
	aof, fsync := settings["appendonly"] == "yes", settings["appendfsync"]
	switch {
	case !aof && settings["save"] == "":
		dangers = append(dangers, "keeps nothing on disk: everything is lost when it restarts. Set appendonly yes")
	case !aof:
		dangers = append(dangers, "keeps snapshots only: what came after the last one is lost when it restarts. Set appendonly yes")
	case fsync == "no":
		dangers = append(dangers, "leaves it to the system when to write its file (appendfsync no): half a minute is lost with the power. Set appendfsync everysec or always")
	}
	if policy := settings["maxmemory-policy"]; settings["maxmemory"] != "0" && policy != "noeviction" && policy != "" {
		dangers = append(dangers, "throws data away when it is full (maxmemory-policy "+policy+"): messages and votes go silently. Set maxmemory-policy noeviction")
	}
	if limit := pubsubLimit(settings["client-output-buffer-limit"]); limit > 0 && limit < 8<<20 {
		dangers = append(dangers, fmt.Sprintf("disconnects who is more than %d bytes behind with publish/subscribe (client-output-buffer-limit): servers will be cut off in bursts. Set at least pubsub 32mb 8mb 60", limit))
	}
	if infoField(info, "role") == "master" && infoField(info, "connected_slaves") != "0" && infoField(info, "connected_slaves") != "" && settings["min-replicas-to-write"] == "0" {
		dangers = append(dangers, "has replicas but takes writes without them (min-replicas-to-write 0): cut off from them, it takes what a failover throws away. Set min-replicas-to-write 1")
	}
	return dangers, aof && fsync == "always"
}

// pubsubLimit is the hard limit of publish/subscribe in a setting like "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
// 0: none.
func pubsubLimit(setting string) int64 {
	fields := strings.Fields(setting)
	i := slices.Index(fields, "pubsub")
	if i < 0 || i+1 >= len(fields) {
		return 0
	}
	n, _ := strconv.ParseInt(fields[i+1], 10, 64)
	return n
}
