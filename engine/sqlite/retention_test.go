package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/enginetest"
)

// count counts rows.
func count(t *testing.T, e *Engine, query string, args ...any) (n int) {
	t.Helper()
	if err := e.read.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func appendN(t *testing.T, e *Engine, name channel.Name, n int) {
	t.Helper()
	drafts := make([]channel.Draft, n)
	for i := range drafts {
		drafts[i] = keyed(name, fmt.Sprintf("%d-%d", time.Now().UnixNano(), i))
	}
	if _, err := e.Append(t.Context(), drafts...); err != nil {
		t.Fatal(err)
	}
}

func TestBusyChannelIsTrimmedWithoutASweep(t *testing.T) {
	e := openNew(t, Options{Policies: channel.Policies{"room": {KeepCount: 100}}, SweepEvery: -1})
	appendN(t, e, "room:a", 350) // not yet worth it
	appendN(t, e, "room:a", 350)
	eventually(t, "100 messages are left", func() bool { return count(t, e, "SELECT count(*) FROM messages") == 100 })
}

func TestSweepComesByItself(t *testing.T) {
	clock := enginetest.NewClock()
	e := openNew(t, Options{Policies: channel.Policies{"room": {KeepAge: time.Hour}}, SweepEvery: 5 * time.Millisecond, Clock: clock.Now})
	drafts := []channel.Draft{hello("direct:a.b")}
	for i := range 2*sweepChannels + 1 {
		drafts = append(drafts, hello(channel.Name(fmt.Sprint("room:", i))))
	}
	if _, err := e.Append(t.Context(), drafts...); err != nil {
		t.Fatal(err)
	}
	clock.Advance(2 * time.Hour)
	eventually(t, "all old messages are gone, but of the kind that is kept", func() bool { return count(t, e, "SELECT count(*) FROM messages") == 1 })
}

func TestDeletedChannelLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{SweepEvery: -1})
	appendN(t, e, "room:a", 3*keepStep)
	appendN(t, e, "room:b", 5)
	release := hold(t, e) // so that the deletion cannot be completed before the engine closes
	deleted := queueUp(t, e, t.Context(), func(t *tx) error { return t.deleteChannel("room:a") })
	release()
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	closed(t, e)
	e = open(t, path, Options{SweepEvery: -1}) // goes on where it was
	eventually(t, "the deleted messages are gone", func() bool { return count(t, e, "SELECT count(*) FROM messages") == 5 })
	eventually(t, "that is recorded", func() bool { return count(t, e, "SELECT count(*) FROM channels WHERE deleted = 1") == 0 })
}

func TestOldKeysAreForgotten(t *testing.T) {
	clock := enginetest.NewClock()
	e := openNew(t, Options{SweepEvery: -1, Clock: clock.Now})
	appendN(t, e, "room:a", pruneKeys+100)
	clock.Advance(24 * time.Hour)
	appendN(t, e, "room:a", 7)
	for _, c := range []struct {
		advance time.Duration
		want    int
	}{{0, pruneKeys + 107}, {24 * time.Hour, 7}, {48 * time.Hour, 0}} {
		clock.Advance(c.advance)
		sweep(t, e)
		if n := count(t, e, "SELECT count(*) FROM keys"); n != c.want {
			t.Errorf("%d keys are left, not %d", n, c.want)
		}
	}
}

// A key is known on the next day, and on the day before by a clock that was put back, by the same engine and by one opened anew.
func TestKeysOfTheDaysBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	var now atomic.Int64 // hours after noon
	o := Options{SweepEvery: -1, Clock: func() time.Time { return noon.Add(time.Duration(now.Load()) * time.Hour) }}
	e := open(t, path, o)
	said := func(key string, hours int64, want bool) {
		t.Helper()
		now.Store(hours)
		rs, err := e.Append(t.Context(), keyed("room:a", key))
		if err != nil || rs[0].Replayed != want {
			t.Errorf("%s, %d hours later: %+v, %v", key, hours, rs, err)
		}
	}
	said("today", 0, false)
	said("tomorrow", 24, false)
	for range 2 {
		said("today", 24, true)
		said("tomorrow", 0, true)
		said("tomorrow", 24, true)
		closed(t, e)
		e = open(t, path, o)
	}
	said("today", 48, false)
	said("tomorrow", 48, true)
}

// What was deleted cannot be found in the file any more.
func TestDeletedTextIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{})
	short, long := "a short secret", strings.Repeat("a long secret, ", 1000)
	for _, words := range []string{short, long} {
		d := hello("room:a")
		d.Data = fmt.Appendf(nil, `{"text":%q}`, words)
		rs, err := e.Append(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		d.Data = []byte(`{}`)
		d.Amend = &channel.Amendment{Seq: rs[0].Position.Seq, Data: []byte(`{"deleted":true}`), Erase: true}
		if _, err := e.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, e)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{short, long[:30]} {
			if bytes.Contains(content, []byte(words)) {
				t.Errorf("%s still has %q", file, words)
			}
		}
	}
}
