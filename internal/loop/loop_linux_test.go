package loop

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 30 * time.Second

// echo is an owner that sends back what it reads, and tells of its end.
type echo struct {
	Source
	late  time.Duration
	begun chan error
	lates chan time.Duration
	ended chan Events
}

func (e *echo) Attend() {
	e.begun <- e.Begin()
	if e.late != 0 {
		e.RemindBy(e.Loop().Now() + 2*e.late)
		e.RemindBy(e.Loop().Now() + e.late)
	}
}

func (e *echo) Happened(events Events) {
	if events.PeerDone() {
		e.End()
		unix.Close(e.FD())
		e.ended <- events
		return
	}
	if events.Readable() {
		e.LookAgain()
	}
}

func (e *echo) Again() { e.Touch() }

func (e *echo) Flush() {
	if n, _ := unix.Read(e.FD(), e.Loop().In()); n > 0 {
		unix.Write(e.FD(), e.Loop().In()[:n])
	}
}

func (e *echo) Late() time.Duration {
	e.lates <- e.Loop().Now()
	return 0
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	near.SetDeadline(time.Now().Add(patience))
	return near, far
}

func TestLoop(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	t.Run("", func(t *testing.T) {
		set := &Set{}
		for range 20 {
			near, far := pair(t)
			fd, ok := Detach(far)
			if !ok {
				t.Fatal("the socket could not be taken")
			}
			e := &echo{late: time.Millisecond, begun: make(chan error, 1), lates: make(chan time.Duration, 2), ended: make(chan Events, 1)}
			e.Init(set.Pick(), e, fd)
			near.Write([]byte("before")) // is told too
			e.Schedule()
			if err := await(t, e.begun); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 6)
			for _, said := range []string{"before", "after "} {
				if said != "before" {
					near.Write([]byte(said))
				}
				if _, err := near.Read(buf); err != nil || string(buf) != said {
					t.Fatalf("%q came back as %q: %v", said, buf, err)
				}
			}
			await(t, e.lates)
			near.Close()
			if events := await(t, e.ended); !events.PeerDone() || !events.Readable() {
				t.Fatalf("the end was told as %b", events)
			}
			if len(e.lates) > 0 {
				t.Fatal("late twice")
			}
		}
		set.Stop()
		if set.Pick() != nil {
			t.Fatal("a set that was stopped gives loops")
		}
	})
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > goroutines || descriptors(t) > files; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files are left", runtime.NumGoroutine()-goroutines, descriptors(t)-files)
		}
	}
}

func TestTimers(t *testing.T) {
	var h timers
	all := make([]Source, 100)
	for i := range all {
		h.set(&all[i], time.Duration((i*37)%100)+1)
	}
	h.set(&all[0], 0)  // was due at 1
	h.set(&all[1], 50) // was due at 38
	last, n := time.Duration(0), 0
	for {
		when, ok := h.next()
		if !ok {
			break
		}
		if when < last || h.due(when-1) != nil {
			t.Fatalf("%v is due after %v", when, last)
		}
		if s := h.due(when); s == nil || s == &all[0] || s.timer != 0 {
			t.Fatalf("at %v: %v", when, s)
		}
		last, n = when, n+1
	}
	if n != len(all)-1 {
		t.Fatalf("%d were due", n)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
