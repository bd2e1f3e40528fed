package redis

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
)

// beside is another room of name's partition.
func beside(name channel.Name) channel.Name {
	for i := 0; ; i++ {
		if other := channel.Name(fmt.Sprint("room:beside", i)); partitionOf(other) == partitionOf(name) {
			return other
		}
	}
}

// TestOutbox_NothingBehindWhatFailed: what could not be carried out stays, with all behind it that goes to the same partition; what goes elsewhere
// is carried out. Once it can be, the rest is, in order and once.
func TestOutbox_NothingBehindWhatFailed(t *testing.T) {
	server := redistest.Start(t)
	now := time.Now()
	e := open(t, fresh(server), Options{Clock: func() time.Time { return now }})
	here, there := channel.Name("room:here"), elsewhere("room:here")
	broken := beside(there)
	mustAppend(t, e, say(here, "", "the outbox is in this partition"))
	server.Do("SET", e.keys.head(broken), "no hash: whoever looks at this channel fails")

	outbox := e.keys.outbox(partitionOf(here))
	var entries []outgoing
	for i, o := range []outgoing{
		{Draft: say(there, "k1", "one")}, {Draft: say(there, "k2", "two")}, {Delete: broken}, {Draft: say(there, "k3", "three")}, {Draft: say(here, "k4", "four")},
	} {
		o.ID = fmt.Sprintf("%013d.%04d.id", now.UnixMilli(), i)
		entry, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		server.Do("HSET", outbox, o.ID, string(entry))
		entries = append(entries, o)
	}
	want := func(name channel.Name, keys ...string) {
		t.Helper()
		var got []string
		for _, m := range mustRead(t, e, name, channel.Position{}).Messages {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, keys) {
			t.Errorf("%s has %q, want %q", name, got, keys)
		}
	}
	left := func(ids ...string) {
		t.Helper()
		got := strings.Fields(server.Do("HKEYS", outbox))
		slices.Sort(got)
		if !slices.Equal(got, ids) {
			t.Errorf("the outbox keeps %q, want %q", got, ids)
		}
	}

	for range 2 { // to try again is of no use, and does no harm
		receipts, err := e.deliver(t.Context(), partitionOf(here), entries)
		if err == nil {
			t.Error("no error")
		}
		for i, r := range receipts {
			if carriedOut := i != 2 && i != 3; (r.Position != channel.Position{}) != carriedOut {
				t.Errorf("the receipt of entry %d is %+v", i, r)
			}
		}
		want(there, "k1", "k2")
		left(entries[2].ID, entries[3].ID)
	}
	first := mustRead(t, e, here, channel.Position{}).Messages[0].ID
	want(here, first, "k4")

	server.Do("DEL", e.keys.head(broken))
	now = now.Add(2 * outboxAge)
	if err := e.sweepOutboxes(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(there, "k1", "k2", "k3")
	left()
	if b := mustRead(t, e, broken, channel.Position{}); b.Gap == nil || b.Gap.Reason != channel.Deleted {
		t.Errorf("it is not deleted: %+v", b)
	}
}

// TestOutbox_WhatIsRefusedForGoodHoldsNothingUp: it is taken off.
func TestOutbox_WhatIsRefusedForGoodHoldsNothingUp(t *testing.T) {
	server := redistest.Start(t)
	e := open(t, fresh(server), Options{})
	here, there := channel.Name("room:here"), elsewhere("room:here")
	gone := beside(there)
	mustAppend(t, e, say(gone, "", "was"))
	if err := e.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	entries := []outgoing{{ID: "1", Draft: say(there, "k1", "one")}, {ID: "2", Draft: say(gone, "k2", "refused")}, {ID: "3", Draft: say(there, "k3", "three")}}
	for _, o := range entries {
		server.Do("HSET", e.keys.outbox(partitionOf(here)), o.ID, "{}")
	}
	if _, err := e.deliver(t.Context(), partitionOf(here), entries); !refusedForGood(err) {
		t.Errorf("the error is %v", err)
	}
	if b := mustRead(t, e, there, channel.Position{}); len(b.Messages) != 2 || b.Messages[1].ID != "k3" {
		t.Errorf("delivered: %+v", b.Messages)
	}
	if n := server.Do("HLEN", e.keys.outbox(partitionOf(here))); n != "0" {
		t.Errorf("the outbox keeps %s", n)
	}
}
