package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/engine/transfer"
)

// ErrCopying says that a site is being copied into this Redis.
var ErrCopying = errors.New("a site is being moved into this Redis (parley migrate), and not all of it is here yet: let that finish first")

// copying is a hash of facts that is there until a copy into this Redis is finished: the site, and for each channel up to where its messages
// have arrived.
func (k keys) copying() string { return k.fact("copying") }

// checkCopying refuses to serve a part of a site.
func (e *Engine) checkCopying(ctx context.Context) error {
	n, err := e.client.Do(ctx, e.client.B().Exists().Key(e.keys.copying()).Build()).AsInt64()
	if err != nil {
		return explain(err)
	}
	if n > 0 {
		return ErrCopying
	}
	return nil
}

// connectOnly makes an engine that asks and writes, and neither listens nor works by itself. It refuses a Redis that a node serves.
func connectOnly(ctx context.Context, addr string) (*Engine, error) {
	e, err := connected(addr, Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(e.checkVersion(ctx), e.unserved(ctx)); err != nil {
		e.disconnect()
		return nil, err
	}
	return e, nil
}

func (e *Engine) disconnect() {
	e.cancel()
	e.client.Close()
}

// unserved returns transfer.ErrServed if some node has a lease.
func (e *Engine) unserved(ctx context.Context) error {
	clock, err := e.ask(ctx, e.client.B().Time().Build()).AsStrSlice()
	if err != nil {
		return err
	}
	n, err := e.ask(ctx, e.client.B().Zcount().Key(e.keys.leases()).Min(clock[0]+"000").Max("+inf").Build()).AsInt64()
	if err == nil && n > 0 {
		return fmt.Errorf("%w: %d on %s (one that was killed counts for %s)", transfer.ErrServed, n, e.address.shown, e.o.Lease)
	}
	return err
}

// scan returns the rest of all keys that begin with something, of whatever server.
func (e *Engine) scan(ctx context.Context, partition, what string) (rests []string, err error) {
	begin := e.keys.prefix + "{" + partition + "}" + what
	pattern := strings.NewReplacer(`\`, `\\`, `?`, `\?`, `[`, `\[`).Replace(begin) + "*"
	if partition != "*" {
		pattern = strings.NewReplacer(`\`, `\\`, `?`, `\?`, `[`, `\[`, `*`, `\*`).Replace(begin) + "*"
	}
	for _, server := range e.client.Nodes() {
		for cursor := uint64(0); ; {
			some, err := server.Do(ctx, server.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
			if err != nil {
				return nil, explain(err)
			}
			for _, key := range some.Elements {
				_, rest, _ := strings.Cut(key, "}"+what)
				rests = append(rests, rest)
			}
			if cursor = some.Cursor; cursor == 0 {
				break
			}
		}
	}
	slices.Sort(rests)
	return slices.Compact(rests), nil // replicas have them too, and a scan may meet a key twice
}

// keyLife is how long lua/channel.lua remembers an idempotency key.
const keyLife = 25 * time.Hour

// draftOf is a draft that has the key of a message.
func draftOf(m *channel.Message) *channel.Draft {
	return &channel.Draft{Channel: m.Channel, From: m.From, Key: m.ID}
}

// each runs commands and joins what went wrong, as far as allowed does not allow it.
func (e *Engine) each(ctx context.Context, commands []rueidis.Completed, allowed func(error) bool) error {
	for i := range commands {
		commands[i] = commands[i].Pin()
	}
	_, err := e.persist(ctx, func(ctx context.Context) rueidis.RedisResult {
		for _, r := range e.client.DoMulti(ctx, commands...) {
			if err := r.Error(); err != nil && !isNil(err) && !allowed(err) {
				return r
			}
		}
		return rueidis.RedisResult{}
	})
	return err
}
