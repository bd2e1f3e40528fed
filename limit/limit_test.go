package limit

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/problem"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]Rate{"10/40": {10, 40}, "0.5/3": {0.5, 3}, "7": {7, 7}, "0.1": {0.1, 1}, "off": {}} {
		if got, err := Parse(in); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0", "-1", "x", "10/0", "10/x", "10/-4", "NaN", "1e99", "10/40/2"} {
		if got, err := Parse(in); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", in, got)
		}
	}
}

func TestBurstThenRate(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New[string](Rate{2, 3}, "messages")
	l.now = func() time.Time { return now }
	for i := range 3 {
		if err := l.Allow("ann"); err != nil {
			t.Fatalf("request %d of the burst: %v", i+1, err)
		}
	}
	err := l.Allow("ann")
	if !errors.Is(err, problem.RateLimited) {
		t.Fatalf("the fourth at once: %v, want rate_limited", err)
	}
	if wait := problem.Of(err).RetryAfter(); wait != 500*time.Millisecond {
		t.Errorf("wait %v, want 500ms", wait)
	}
	if err := l.Allow("bob"); err != nil {
		t.Errorf("another person pays for ann: %v", err)
	}
	now = now.Add(500 * time.Millisecond)
	if err := l.Allow("ann"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// The text never says to come back before it is of use.
func TestTheTextSaysLongEnough(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New[string](Rate{10, 1}, "messages")
	l.now = func() time.Time { return now }
	_ = l.Allow("ann")
	now = now.Add(70 * time.Millisecond)
	if err := l.Allow("ann"); err == nil || !strings.Contains(err.Error(), "try again in 100ms") {
		t.Errorf("30 ms before it may: %v", err)
	}
}

func TestRefusedRequestsCostNothing(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New[string](Rate{1, 1}, "messages")
	l.now = func() time.Time { return now }
	_ = l.Allow("ann")
	for range 1000 {
		_ = l.Allow("ann")
	}
	now = now.Add(time.Second)
	if err := l.Allow("ann"); err != nil {
		t.Errorf("refused requests were counted: %v", err)
	}
}

func TestKeysAreBoundedAndForgotten(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New[string](Rate{1, 2}, "messages")
	l.now = func() time.Time { return now }
	for i := range 3 * maxKeys {
		_ = l.Allow(fmt.Sprint(i))
	}
	if n := len(l.young) + len(l.old); n > maxKeys {
		t.Errorf("%d keys kept, limit %d", n, maxKeys)
	}
	for range 3 {
		now = now.Add(time.Minute)
		_ = l.Allow("last")
	}
	if n := len(l.young) + len(l.old); n > 2 {
		t.Errorf("%d keys kept long after they were used", n)
	}
}

func TestAKeyInUseIsNotForgotten(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New[string](Rate{1, 10}, "messages")
	l.now = func() time.Time { return now }
	allowed := 0
	for range 600 { // ten tries a second for a minute
		if l.Allow("ann") == nil {
			allowed++
		}
		now = now.Add(100 * time.Millisecond)
	}
	if allowed < 65 || allowed > 71 {
		t.Errorf("%d allowed in a minute, want 60 and the burst of 10", allowed)
	}
}

func TestSeveralAtOnce(t *testing.T) {
	l := New[string](Rate{1, 10}, "messages")
	now := time.Unix(0, 0)
	l.now = func() time.Time { return now }
	for i, c := range []struct {
		n, wait int // seconds; -1: never
	}{{7, 0}, {4, 1}, {3, 0}, {1, 1}, {11, -1}} {
		err := l.AllowN("ann", c.n)
		switch p := problem.Of(err); {
		case c.wait == 0 && err != nil, c.wait != 0 && !errors.Is(err, problem.RateLimited):
			t.Errorf("%d: %v", i, err)
		case c.wait > 0 && p.RetryAfter() != time.Duration(c.wait)*time.Second, c.wait < 0 && p.RetryAfter() != 0:
			t.Errorf("%d: after %v", i, p.RetryAfter())
		}
	}
}
