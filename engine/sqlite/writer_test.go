package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/channel"
	"parley/problem"
)

func openNew(t testing.TB, o Options) *Engine {
	return open(t, filepath.Join(t.TempDir(), "parley.db"), o)
}

func hello(name channel.Name) channel.Draft {
	return channel.Draft{Channel: name, Type: "text", From: channel.Sender{ID: "u1", Name: "Ann"}, Data: []byte(`{"text":"hello"}`)}
}

// keyed is the draft whose key says all about it.
func keyed(name channel.Name, key string) channel.Draft {
	return channel.Draft{Channel: name, Key: key, Type: "text", From: channel.Sender{ID: "u1", Name: "Ann"}, Data: fmt.Appendf(nil, `{"text":%q}`, key)}
}

type nullSink struct{}

func (nullSink) Committed([]channel.Message) {}
func (nullSink) Deleted(channel.Name)        {}
func (nullSink) Signalled(channel.Signal)    {}

// hold keeps the writer busy until release is called, so that what is written meanwhile makes one group.
func hold(t *testing.T, e *Engine) (release func()) {
	t.Helper()
	held, let, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		var once sync.Once
		done <- e.write(context.Background(), func(*tx) error {
			once.Do(func() { close(held); <-let })
			return nil
		})
	}()
	<-held
	return func() {
		close(let)
		if err := <-done; err != nil {
			t.Errorf("the write that held the writer: %v", err)
		}
	}
}

// queueUp starts a write and returns when it is queued.
func queueUp(t *testing.T, e *Engine, ctx context.Context, fn func(*tx) error) <-chan error {
	t.Helper()
	waiting := func() int {
		e.writer.queue.mu.Lock()
		defer e.writer.queue.mu.Unlock()
		return len(e.writer.queue.ops)
	}
	before, result := waiting(), make(chan error, 1)
	go func() { result <- e.write(ctx, fn) }()
	for waiting() == before {
		time.Sleep(time.Millisecond)
	}
	return result
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	for name, o := range map[string]Options{"operations": {QueueOps: 2}, "bytes": {QueueBytes: 2 * opBytes}} {
		t.Run(name, func(t *testing.T) {
			e := openNew(t, o)
			release := hold(t, e)
			nothing := func(*tx) error { return nil }
			first, second := queueUp(t, e, t.Context(), nothing), queueUp(t, e, t.Context(), nothing)
			_, err := e.Append(t.Context(), hello("room:a"))
			if !errors.Is(err, problem.Overloaded) || problem.Of(err).RetryAfter() != time.Second {
				t.Errorf("error %v", err)
			}
			release()
			if err := errors.Join(<-first, <-second); err != nil {
				t.Error(err)
			}
			if _, err := e.Append(t.Context(), hello("room:a")); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestLargeWriteIsTakenWhenTheQueueIsEmpty(t *testing.T) {
	e := openNew(t, Options{QueueBytes: 100})
	if _, err := e.Append(t.Context(), hello("room:a")); err != nil {
		t.Fatal(err)
	}
}

func TestAbandonedWriteNeverRuns(t *testing.T) {
	e := openNew(t, Options{})
	release := hold(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	result := queueUp(t, e, ctx, func(*tx) error { ran = true; return nil })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) { // at once, while the writer is held
		t.Errorf("error %v", err)
	}
	release()
	if err := e.Ready(t.Context()); err != nil || ran {
		t.Errorf("ran %v, %v", ran, err)
	}
}

func TestTakenWriteIsWaitedFor(t *testing.T) {
	e := openNew(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var r channel.Receipt
	err := e.write(ctx, func(t *tx) (err error) {
		cancel()
		r, err = t.append(hello("room:a"))
		return err
	})
	if tail, _ := e.Tail(t.Context(), "room:a"); err != nil || tail != r.Position || tail.Seq != 1 {
		t.Errorf("%v; the tail is %s, the receipt's %s", err, tail, r.Position)
	}
}

func TestOneBadWriteHarmsNobody(t *testing.T) {
	e := openNew(t, Options{})
	bad := errors.New("bad")
	var receipts [4]channel.Receipt
	good := func(i int) func(*tx) error {
		return func(t *tx) (err error) { receipts[i], err = t.append(hello("room:a")); return err }
	}
	release := hold(t, e)
	var results []<-chan error
	for _, fn := range []func(*tx) error{
		good(0),
		func(t *tx) error { _, _ = t.append(hello("room:a")); _, _ = t.append(hello("room:bad")); return bad },
		good(1),
		func(t *tx) error { _, _ = t.append(hello("room:a")); panic("a bug") },
		func(t *tx) error { return channel.ErrNoMessage }, // a domain error, before any write
		good(2),
		func(t *tx) error { _, err := t.exec("INSERT INTO absent VALUES (1)"); return err },
		func(t *tx) error {
			_, err := t.exec("INSERT INTO channels (name) VALUES ('room:x'), ('room:x')")
			return err
		},
		func(t *tx) error {
			t.once("bad", func(t *tx) error { _, _ = t.append(hello("room:a")); return bad })
			return nil
		},
		good(3),
	} {
		results = append(results, queueUp(t, e, t.Context(), fn))
	}
	release()
	for i, result := range results {
		err := <-result
		switch i {
		case 0, 2, 5, 9:
			if err != nil {
				t.Errorf("good write %d: %v", i, err)
			}
		case 1, 8:
			if !errors.Is(err, bad) {
				t.Errorf("bad write %d: %v", i, err)
			}
		case 4:
			if !errors.Is(err, channel.ErrNoMessage) {
				t.Errorf("refused write %d: %v", i, err)
			}
		default:
			if err == nil {
				t.Errorf("bad write %d succeeded", i)
			}
		}
	}
	batch, err := e.Read(t.Context(), "room:a", channel.Position{}, 100, 1<<20)
	if err != nil || len(batch.Messages) != 4 {
		t.Fatalf("%d messages, %v", len(batch.Messages), err)
	}
	for i, m := range batch.Messages {
		if m.Position() != receipts[i].Position || m.Seq != uint64(i+1) {
			t.Errorf("message %s has the receipt %s", m.Position(), receipts[i].Position)
		}
	}
	for _, name := range []channel.Name{"room:bad", "room:x"} {
		if h, err := e.head(t.Context(), name, 0); err != nil || h.id != 0 {
			t.Errorf("%s was made by a write that failed: %+v, %v", name, h, err)
		}
	}
}

// Of several drafts that are refused nothing remains, and others of the group notice nothing.
func TestSeveralDraftsAllOrNone(t *testing.T) {
	e := openNew(t, Options{})
	commits := &countingCommits{}
	e.Follow(commits)
	first := keyed("room:a", "k")
	other := first
	other.Data = []byte(`"other"`)
	if _, err := e.Append(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	several := func(drafts ...channel.Draft) func(*tx) error {
		return func(t *tx) error { _, err := t.appendAll(drafts); return err }
	}
	erasure := channel.Draft{Channel: "room:a", Type: "delete", From: first.From, Data: []byte("{}"), Amend: &channel.Amendment{Seq: 99, Data: []byte("{}"), Erase: true}}
	release := hold(t, e)
	var results []<-chan error
	for _, fn := range []func(*tx) error{
		several(keyed("room:a", "k1"), hello("room:new")),
		several(keyed("room:a", "k2"), hello("room:b"), hello("room:a"), other),
		several(hello("room:a"), keyed("room:b", "k3"), first),
		several(hello("room:a"), erasure),
		several(keyed("room:a", "k2"), hello("room:b")),
	} {
		results = append(results, queueUp(t, e, t.Context(), fn))
	}
	release()
	for i, want := range []error{nil, channel.ErrKeyReused, nil, channel.ErrNoMessage, nil} {
		if err := <-results[i]; !errors.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i, err, want)
		}
	}
	if commits.n != 2 {
		t.Errorf("%d commits: the refused ones cost the others theirs", commits.n)
	}
	if _, err := e.Append(t.Context(), hello("room:a"), hello("room:b"), hello("room:new")); err != nil {
		t.Fatal(err)
	}
	for name, ids := range map[channel.Name]string{"room:a": "k k1 * k2 *", "room:b": "k3 * *", "room:new": "* *"} {
		batch, err := e.Read(t.Context(), name, channel.Position{}, 100, 1<<20)
		var got []string
		var at channel.Position
		for _, m := range batch.Messages {
			if m.Before() != at {
				t.Errorf("%s: %s does not continue %s", name, m.Position(), at)
			}
			if at = m.Position(); len(m.ID) == len(channel.DrawID()) { // no key of ours is so long
				m.ID = "*"
			}
			got = append(got, m.ID)
		}
		if strings.Join(got, " ") != ids || err != nil {
			t.Errorf("%s has %q, want %q, %v", name, got, ids, err)
		}
	}
}

func TestOnceForAGroup(t *testing.T) {
	e := openNew(t, Options{})
	sum, runs := 0, 0
	add := func(fail error) func(*tx) error {
		return func(t *tx) error {
			t.once("event", func(t *tx) error {
				runs++
				_, err := t.append(channel.Draft{Channel: "vote:X", Type: "tally", From: channel.System, Data: fmt.Appendf(nil, `%d`, sum)})
				return err
			})
			if fail == nil {
				sum++
			}
			return fail
		}
	}
	for range 3 {
		release := hold(t, e)
		var results []<-chan error
		for i := range 6 {
			var fail error
			if i == 0 {
				fail = channel.ErrDeleted // a refused write takes back what it asked for
			}
			results = append(results, queueUp(t, e, t.Context(), add(fail)))
		}
		release()
		for i, result := range results {
			if err := <-result; (err != nil) != (i == 0) {
				t.Fatal(i, err)
			}
		}
	}
	batch, err := e.Read(t.Context(), "vote:X", channel.Position{}, 100, 1<<20)
	if err != nil || runs != 3 || len(batch.Messages) != 3 || string(batch.Messages[2].Data) != "15" {
		t.Fatalf("%d runs, %+v, %v", runs, batch.Messages, err)
	}
}

// On one processor the writer is run as soon as somebody wakes it; it lets the others come first.
func TestThoseWhoCanRunShareACommit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	e := openNew(t, Options{})
	commits := &countingCommits{}
	e.Follow(commits)
	var writers sync.WaitGroup
	const callers, each = 64, 20
	for range callers {
		writers.Go(func() {
			for range each {
				if _, err := e.Append(t.Context(), hello("room:a")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if commits.n > callers*each/8 {
		t.Errorf("%d appends of %d callers took %d commits", callers*each, callers, commits.n)
	}
}

type countingCommits struct {
	nullSink
	n int
}

func (s *countingCommits) Committed([]channel.Message) { s.n++ }

func TestCloseCommitsWhatIsQueued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{})
	release := hold(t, e)
	result := queueUp(t, e, t.Context(), func(t *tx) error { _, err := t.append(hello("room:a")); return err })
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	release()
	if err := errors.Join(<-result, <-closed); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Append(t.Context(), hello("room:a")); !errors.Is(err, problem.Unavailable) || !errors.Is(err, errClosed) {
		t.Errorf("append after close: %v", err)
	}
	if err := e.Ready(t.Context()); err == nil {
		t.Error("ready after close")
	}
	if tail, err := open(t, path, Options{}).Tail(t.Context(), "room:a"); err != nil || tail.Seq != 1 {
		t.Errorf("tail %s, %v", tail, err)
	}
}

func TestManyChannelsAreForgottenAndFoundAgain(t *testing.T) {
	e := openNew(t, Options{})
	e.writer.tx.tails.limit = 100
	name := func(i int) channel.Name { return channel.Name(fmt.Sprint("room:", i)) }
	for round := range 2 {
		for i := 0; i < 300; i += 10 {
			var drafts []channel.Draft
			for j := range 10 {
				drafts = append(drafts, hello(name(i+j)))
			}
			rs, err := e.Append(t.Context(), drafts...)
			if err != nil || rs[0].Position.Seq != uint64(round+1) || rs[9].Position.Seq != uint64(round+1) {
				t.Fatalf("%+v, %v", rs, err)
			}
		}
	}
	if n := len(e.writer.tx.tails.young) + len(e.writer.tx.tails.old); n < 50 || n > 110 {
		t.Errorf("%d channels are remembered", n)
	}
	for _, i := range []int{0, 50, 299} {
		if tail, err := e.Tail(t.Context(), name(i)); err != nil || tail.Seq != 2 {
			t.Errorf("%s: %s, %v", name(i), tail, err)
		}
	}
}
