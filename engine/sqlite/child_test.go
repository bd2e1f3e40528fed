//go:build unix

package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/channel"
	"parley/problem"
)

// The tests of this file start the test binary again as a process of its own, which this variable tells what to do.
const childEnv = "PARLEY_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	if do, path, ok := strings.Cut(os.Getenv(childEnv), "="); ok {
		if err := children[do](path); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var children = map[string]func(path string) error{
	"append": appendForEver,
	"fill":   fillLimitedFile,
}

// child starts the test binary to do something, and returns the lines that it prints.
func child(t *testing.T, do, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+do+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// keyed is the draft whose key says all about it.
func keyed(name channel.Name, key string) channel.Draft {
	return channel.Draft{Channel: name, Key: key, Type: "text", From: channel.Sender{ID: "u1", Name: "Ann"}, Data: fmt.Appendf(nil, `{"text":%q}`, key)}
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
		cmd, lines := child(t, "append", path)
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

// fillLimitedFile appends until the system refuses to let the file grow.
func fillLimitedFile(path string) error {
	e, err := Open(path, Options{})
	if err != nil {
		return err
	}
	if err := limitFileSize(1 << 20); err != nil {
		return err
	}
	for i := 0; ; i++ {
		rs, err := e.Append(context.Background(), keyed("room:0", fmt.Sprint(i)))
		if err == nil {
			fmt.Println("room:0", rs[0].ID, rs[0].Position)
			continue
		}
		_, again := e.Append(context.Background(), keyed("room:1", "other"))
		for _, err := range []error{err, again, e.Ready(context.Background())} {
			if !errors.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "Restart the server") {
				return fmt.Errorf("after %d: %w", i, err)
			}
		}
		if batch, err := e.Read(context.Background(), "room:0", channel.Position{}, 10, 1<<20); err != nil || len(batch.Messages) != 10 {
			return fmt.Errorf("reading: %d messages, %w", len(batch.Messages), err)
		}
		return nil
	}
}

func TestErrorOfTheDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	cmd, lines := child(t, "fill", path)
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

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{})
	sink := &countingSink{}
	e.Follow(sink)
	err := e.write(t.Context(), func(t *tx) error {
		var pages, limit int
		if err := t.queryRow("PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		return t.queryRow(fmt.Sprintf("PRAGMA max_page_count = %d", pages+20)).Scan(&limit)
	})
	acknowledged := map[string]string{}
	for i := 0; err == nil; i++ {
		var rs []channel.Receipt
		if rs, err = e.Append(t.Context(), keyed("room:0", fmt.Sprint(i))); err == nil {
			acknowledged["room:0 "+rs[0].ID] = rs[0].Position.String()
		}
	}
	if !errors.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("append: %v", err)
	}
	for _, err := range []error{e.SetAdmin(t.Context(), "u1", true), e.Ready(t.Context())} {
		if !errors.Is(err, problem.Unavailable) {
			t.Errorf("afterwards: %v", err)
		}
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
