package parley_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"parley"
	"parley/channel"
	"parley/engine/redis"
	"parley/engine/redis/redistest"
	"parley/engine/sqlite"
	"parley/engine/transfer"
)

// TestMigrate moves a site from a folder to Redis and back to another folder, each time broken off again and again: all records are the same in all
// three, and whoever was there goes on as if nothing had happened.
func TestMigrate(t *testing.T) {
	first, second := parley.Config{Data: t.TempDir()}, parley.Config{Data: t.TempDir()}
	server := redistest.Start(t)
	shared := parley.Config{Engine: server.URL()}

	var ann, bob person
	var at, receipt, code, room string
	t.Run("before", func(t *testing.T) {
		h := open(t, func(c *parley.Config) { c.Data = first.Data })
		ann, bob = *h.guest("Ann"), *h.guest("Bob")
		gone := h.guest("Who leaves")
		lobby := "/v1/channels/room:lobby/messages"
		for i := range 1600 { // more than one part
			receipt = ann.do("POST", lobby, fmt.Sprintf("message %d", i), "Idempotency-Key", fmt.Sprintf("key-%d", i)).is(201).body
		}
		at = ann.get(lobby + "?before=end&limit=3").is(200).value("from")
		room = ann.do("POST", "/v1/rooms", `{"name":"Plans","topic":"all of them","private":true}`).is(201).value("id")
		invite := ann.do("POST", "/v1/rooms/"+room+"/invite", "").is(200).value("invite")
		bob.do("PUT", "/v1/rooms/"+room+"/membership", fmt.Sprintf(`{"invite":%q}`, invite)).is(204)
		plans := "/v1/channels/room:" + room + "/messages"
		bob.do("POST", plans, "one").is(201)
		secret := bob.do("POST", plans, "a secret").is(201).value("seq")
		bob.do("POST", plans, "two").is(201)
		bob.do("POST", plans, fmt.Sprintf(`{"type":"edit","data":{"seq":%s,"text":"a great secret"}}`, secret)).is(201)
		bob.do("POST", plans, fmt.Sprintf(`{"type":"delete","data":{"seq":%s}}`, secret)).is(201)
		edited := bob.do("POST", plans, "three").is(201).value("seq")
		bob.do("POST", plans, fmt.Sprintf(`{"type":"edit","data":{"seq":%s,"text":"three, and a half"}}`, edited)).is(201)
		short := ann.do("POST", "/v1/rooms", `{"name":"Short"}`).is(201).value("id")
		ann.do("DELETE", "/v1/rooms/"+short, "").is(204)
		ann.do("POST", "/v1/direct/"+gone.id+"/messages", "hello").is(201)
		gone.do("DELETE", "/v1/session", "").is(204)
		code = ann.do("POST", "/v1/votes", `{"question":"Tea?","options":["yes","no"],"room":"lobby"}`).is(201).value("code")
		ann.do("POST", "/v1/votes", `{"question":"Later?","options":["a","b","c"],"max":2,"closes_in":86400}`).is(201)
		for i := range 5 {
			voter := h.guest(fmt.Sprintf("Voter %d", i))
			voter.do("PUT", "/v1/votes/"+code+"/ballot", fmt.Sprintf(`{"options":[%d]}`, 1+i%2)).is(200)
		}
	})

	migrate(t, first, shared)
	migrate(t, shared, second)
	one, two, three := dump(t, sqliteSource(t, first)), dump(t, redisSource(t, server.URL())), dump(t, sqliteSource(t, second))
	same(t, "Redis", one, two)
	same(t, "the second folder", one, three)

	for name, c := range map[string]parley.Config{"on Redis": shared, "in the second folder": second} {
		t.Run(name, func(t *testing.T) {
			h := open(t, func(to *parley.Config) { to.Data, to.Engine = c.Data, c.Engine })
			ann, bob := ann.at(h), bob.at(h)
			lobby := "/v1/channels/room:lobby/messages"
			ann.get(lobby+"?after="+at).is(200).has(`"message 1597"`, `"message 1599"`).hasNot(`"gap"`, `"message 1596"`)
			var was, again struct {
				Seq          int
				Position, ID string
			}
			_ = json.Unmarshal([]byte(receipt), &was)
			ann.do("POST", lobby, "message 1599", "Idempotency-Key", "key-1599").is(201).into(&again)
			if was != again {
				t.Errorf("a repeated publish is answered %+v, as a first one was %+v", again, was)
			}
			bob.get("/v1/channels/room:"+room+"/messages?before=end").is(200).has(`"one"`, "three, and a half").hasNot("secret")
			bob.get("/v1/votes/"+code).is(200).has(`"count":3`, `"count":2`)
			ann.do("PUT", "/v1/votes/"+code+"/ballot", `{"options":[1]}`).is(200).has(`"count":4`)
			ann.do("POST", lobby, "going on").is(201)
			h.stranger().do("POST", "/v1/session", `{"name":"Bob"}`).fails(409, "name_taken")
			if err := parley.Migrate(t.Context(), c, parley.Config{Data: t.TempDir()}, func(float64, int64) {}); !errors.Is(err, transfer.ErrServed) {
				t.Errorf("what is served is copied: %v", err)
			}
		})
	}
	if err := parley.Migrate(t.Context(), first, second, func(float64, int64) {}); !errors.Is(err, transfer.ErrOccupied) {
		t.Errorf("a folder that has data is copied to: %v", err)
	}
	if err := parley.Migrate(t.Context(), first, parley.Config{Engine: server.URL() + "?prefix=other:"}, func(float64, int64) {}); err != nil {
		t.Errorf("another prefix is another place: %v", err)
	}
}

// migrate copies, and is broken off at its first step, then at its second, and so on until it gets through. A part is not served.
func migrate(t *testing.T, from, to parley.Config) {
	t.Helper()
	for steps := 1; ; steps++ {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err := parley.Migrate(ctx, from, to, func(part float64, _ int64) {
			if n++; n == steps && part < 1 {
				cancel()
			}
		})
		cancel()
		if err == nil {
			if steps < 3 {
				t.Errorf("it was broken off %d times only", steps-1)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || steps > 100 {
			t.Fatalf("attempt %d: %v", steps, err)
		}
		if to.Engine != "" {
			if e, err := redis.Open(t.Context(), to.Engine, redis.Options{}); !errors.Is(err, redis.ErrCopying) {
				if err == nil {
					e.Close()
				}
				t.Fatalf("a part of a site is served: %v", err)
			}
		}
	}
}

func sqliteSource(t *testing.T, c parley.Config) transfer.Source {
	s, err := sqlite.OpenSource(filepath.Join(c.Data, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func redisSource(t *testing.T, url string) transfer.Source {
	s, err := redis.OpenSource(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dump is everything in a source, in some order.
func dump(t *testing.T, s transfer.Source) (all []string) {
	t.Helper()
	defer s.Close()
	votes := 0
	err := s.Export(t.Context(), func(channel.Name) (uint64, error) { return 0, nil }, func(records ...any) error {
		for _, r := range records {
			order := 0
			if _, is := r.(transfer.Vote); is { // they have one that counts
				votes++
				order = votes
			}
			text, err := json.Marshal(r)
			if err != nil {
				return err
			}
			all = append(all, fmt.Sprintf("%T %d %s", r, order, text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, where string, want, got []string) {
	t.Helper()
	if len(want) < 1600 || !reflect.DeepEqual(want, got) {
		t.Errorf("%s has %d records, there were %d", where, len(got), len(want))
	}
	shown := 0
	for _, lists := range []struct {
		what    string
		of, not []string
	}{{"missing", want, got}, {"new", got, want}} {
		for _, r := range lists.of {
			if _, found := slices.BinarySearch(lists.not, r); !found && shown < 20 {
				t.Errorf("%s: %s", lists.what, r)
				shown++
			}
		}
	}
}
