//go:build unix

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/channel"
	"parley/engine/enginetest"
	"parley/identity"
	"parley/problem"
)

func TestMain(m *testing.M) { children().Main(m) }

// children are what a process of its own can be told to do.
func children() enginetest.Children {
	return enginetest.Children{"append": appendForEver, "fill": fillLimitedFiles}
}

// appendForEver appends from many goroutines, and prints each receipt once it has it.
func appendForEver(path string) error {
	e, err := Open(path, Options{})
	if err != nil {
		return err
	}
	var printing sync.Mutex
	failed := make(chan error)
	for g := range 16 {
		go func() {
			for i := 0; ; i++ {
				name := channel.Name(fmt.Sprint("room:", i%3))
				rs, err := e.Append(context.Background(), keyed(name, fmt.Sprintf("%d-%d-%d", os.Getpid(), g, i)))
				if err != nil {
					failed <- err
					return
				}
				printing.Lock()
				fmt.Println(name, rs[0].ID, rs[0].Position)
				printing.Unlock()
			}
		}()
	}
	return <-failed
}

func TestKilledInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	acknowledged := map[string]string{} // "channel id" → position
	for range 4 {
		cmd, lines := children().Start(t, "append", path)
		for n := 200 + rand.IntN(600); n > 0 && lines.Scan(); n-- {
			f := strings.Fields(lines.Text())
			if len(f) != 3 {
				t.Fatalf("the child says %q", lines.Text())
			}
			acknowledged[f[0]+" "+f[1]] = f[2]
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had printed already counts too; the last line may be torn
			if f := strings.Fields(lines.Text()); len(f) == 3 && strings.Count(f[2], "-") == 1 {
				if _, err := channel.ParsePosition(f[2]); err == nil {
					acknowledged[f[0]+" "+f[1]+"?"] = f[2]
				}
			}
		}
		_ = cmd.Wait()
		checkAcknowledged(t, path, acknowledged)
	}
}

// checkAcknowledged opens the data and finds every acknowledged message there, once.
func checkAcknowledged(t *testing.T, path string, acknowledged map[string]string) {
	t.Helper()
	e, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	there := map[string]string{}
	for i := range 3 {
		name := channel.Name(fmt.Sprint("room:", i))
		var at channel.Position
		for more := true; more; {
			batch, err := e.Read(t.Context(), name, at, 1000, 1<<20)
			if err != nil || batch.Gap != nil || batch.From != at {
				t.Fatalf("after %s: %+v, %v", at, batch, err)
			}
			for _, m := range batch.Messages {
				if m.Before() != at {
					t.Fatalf("%s does not continue %s", m.Position(), at)
				}
				at = m.Position()
				if twice, ok := there[string(name)+" "+m.ID]; ok {
					t.Fatalf("%s is there twice: %s and %s", m.ID, twice, at)
				}
				there[string(name)+" "+m.ID] = at.String()
			}
			more = batch.More
		}
	}
	for what, position := range acknowledged {
		sure := strings.TrimSuffix(what, "?")
		if there[sure] == position || sure != what && strings.HasPrefix(there[sure], position) {
			continue
		}
		t.Fatalf("%s was acknowledged at %s and is at %q", what, position, there[sure])
	}
	// Whoever repeats is told the same.
	for what, position := range there {
		name, key, _ := strings.Cut(what, " ")
		rs, err := e.Append(t.Context(), keyed(channel.Name(name), key))
		if err != nil || !rs[0].Replayed || rs[0].Position.String() != position {
			t.Fatalf("%s again: %+v, %v", what, rs, err)
		}
		break
	}
	t.Logf("%d acknowledged, %d there", len(acknowledged), len(there))
}

// fillLimitedFiles appends until the system refuses to let the files grow, then lets them grow, and so on; then no fsync succeeds
// any more.
func fillLimitedFiles(path string) error {
	ctx := context.Background()
	e, err := Open(path, Options{})
	if err != nil {
		return err
	}
	say := func(i int) error {
		rs, err := e.Append(ctx, keyed("room:0", fmt.Sprint(i)))
		if err == nil {
			fmt.Println("room:0", rs[0].ID, rs[0].Position)
			if rs[0].Replayed {
				return fmt.Errorf("the refused %d was not", i)
			}
		}
		return err
	}
	readable := func() error {
		batch, err := e.Read(ctx, "room:0", channel.Position{}, 10, 1<<20)
		if err != nil || len(batch.Messages) != 10 {
			return fmt.Errorf("reading: %d messages, %w", len(batch.Messages), err)
		}
		return nil
	}
	i := 0
	for size := uint64(1 << 20); size <= 3<<20; size += 1 << 20 {
		if err := limitFileSize(size); err != nil {
			return err
		}
		for err = nil; err == nil; i++ {
			err = say(i)
		}
		i--
		refused := []error{err}
		err = nil
		for tries := 0; err == nil && tries < 10; tries++ { // there may be room for what Ready writes: one page
			refused = append(refused, say(i))
			err = e.Ready(ctx)
		}
		if err := e.SetAdmin(ctx, "nobody", true); !errors.Is(err, identity.ErrNoUser) {
			return fmt.Errorf("what had nothing to write: %w", err)
		}
		for _, err := range append(refused, err) {
			if p := problem.Of(err); err == nil || !p.Is(problem.Unavailable) || p.RetryAfter() == 0 || !strings.Contains(p.Error(), "The disk is full") {
				return fmt.Errorf("after %d: %w", i, err)
			}
		}
		if err := readable(); err != nil {
			return err
		}
		if err := limitFileSize(0); err != nil {
			return err
		}
		if err := errors.Join(e.Ready(ctx), say(i)); err != nil {
			return fmt.Errorf("with room again: %w", err)
		}
		i++
	}
	if err := breakFile(path + "-wal"); err != nil {
		return err
	}
	_, err = e.Append(ctx, keyed("room:0", "lost"))
	for _, err := range []error{err, e.Ready(ctx), e.SetAdmin(ctx, "nobody", true)} {
		if p := problem.Of(err); err == nil || !p.Is(problem.Unavailable) || p.RetryAfter() != 0 || !strings.Contains(p.Error(), "Restart the server") {
			return fmt.Errorf("after a failed fsync: %w", err)
		}
	}
	return nil
}

// What was acknowledged is there, whatever the disk did; a full one is waited for, and a broken one not trusted again.
func TestErrorsOfTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	cmd, lines := children().Start(t, "fill", path)
	acknowledged := map[string]string{}
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 3 || f[0] != "room:0" {
			t.Fatalf("the child says %q", lines.Text())
		}
		acknowledged[f[0]+" "+f[1]] = f[2]
	}
	if err := cmd.Wait(); err != nil || len(acknowledged) == 0 {
		t.Fatalf("%d acknowledged, %v", len(acknowledged), err)
	}
	checkAcknowledged(t, path, acknowledged)
}

// SQLite finds no room in the middle of a group, of which some had been written.
func TestNoRoomInTheMiddleOfAGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{})
	sink := &countingSink{}
	e.Follow(sink)
	limit := func(more int) {
		err := e.write(t.Context(), func(t *tx) error {
			var pages int
			if err := t.queryRow("PRAGMA page_count").Scan(&pages); err != nil {
				return err
			}
			return t.queryRow(fmt.Sprintf("PRAGMA max_page_count = %d", pages+more)).Scan(&pages)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	acknowledged := map[string]string{}
	group := func(n int) (refused int) {
		var writers sync.WaitGroup
		receipts, errs := make([]channel.Receipt, 20), make([]error, 20)
		release := hold(t, e)
		for i := range receipts {
			writers.Go(func() {
				rs, err := e.Append(t.Context(), keyed("room:0", fmt.Sprint(n, "-", i)))
				if errs[i] = err; err == nil {
					receipts[i] = rs[0]
				}
			})
		}
		release()
		writers.Wait()
		for i, err := range errs {
			switch {
			case err == nil:
				acknowledged["room:0 "+receipts[i].ID] = receipts[i].Position.String()
			case !errors.Is(err, problem.Unavailable) || problem.Of(err).RetryAfter() == 0:
				t.Errorf("append: %v", err)
			default:
				refused++
			}
		}
		return refused
	}
	limit(20)
	n := 0
	for group(n) == 0 {
		n++
	}
	if err := e.Ready(t.Context()); err != nil { // a write that needs no page more
		t.Errorf("ready: %v", err)
	}
	limit(1000)
	if group(n) != 0 {
		t.Error("refused although there is room")
	}
	if tail, err := e.Tail(t.Context(), "room:0"); err != nil || int(tail.Seq) != len(acknowledged) || sink.n != len(acknowledged) {
		t.Errorf("%d acknowledged, the tail is %s, the sink heard %d, %v", len(acknowledged), tail, sink.n, err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	checkAcknowledged(t, path, acknowledged)
}

type countingSink struct {
	nullSink
	n int
}

func (s *countingSink) Committed(ms []channel.Message) { s.n += len(ms) }
