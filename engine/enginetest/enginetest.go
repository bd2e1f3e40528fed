// Package enginetest is what every engine must do, as tests that an engine's own tests run:
//
//	enginetest.Log(t, func(t *testing.T, o enginetest.Options) enginetest.LogUnderTest { … })
package enginetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"parley/channel"
)

// strict is a test that ends with the first error that should not be, or should be another.
type strict struct{ *testing.T }

func (t strict) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t strict) wantErr(err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, not %v", err, want)
	}
}

// Clock is a clock that the test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at a moment with a fraction of a millisecond, which no engine keeps.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 1, 31, 9, 30, 0, 123_456_789, time.UTC)}
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Recorder is a sink that keeps what it hears.
type Recorder struct {
	mu        sync.Mutex
	messages  []channel.Message
	deleted   []channel.Name
	signals   []channel.Signal
	committed func(channel.Message) // called for each message, if set before the engine is used
}

// Committed implements channel.Sink.
func (r *Recorder) Committed(ms []channel.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, ms...)
	if r.committed != nil {
		for _, m := range ms {
			r.committed(m)
		}
	}
}

// Deleted implements channel.Sink.
func (r *Recorder) Deleted(name channel.Name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deleted = append(r.deleted, name)
}

// Signalled implements channel.Sink.
func (r *Recorder) Signalled(s channel.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signals = append(r.signals, s)
}

// Messages returns what was heard of a channel, in order.
func (r *Recorder) Messages(name channel.Name) []channel.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ms []channel.Message
	for _, m := range r.messages {
		if m.Channel == name {
			ms = append(ms, m)
		}
	}
	return ms
}

// eventually waits for something that an engine does in its own time.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
