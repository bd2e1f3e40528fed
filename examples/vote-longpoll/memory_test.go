package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestVisitorsAreFreed: who does not ask for a minute leaves nothing behind; who waits is kept, however long.
func TestVisitorsAreFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, ctx := newMemory(), context.Background()
		for i := range maxVisitors - 1 {
			if err := m.join(ctx, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		waited := make(chan string)
		go func() {
			uid, _, _ := m.next(ctx, "0", 10*freeAfter)
			waited <- uid
		}()
		m.join(ctx, "last")
		if err := m.join(ctx, "one too many"); err != errFull {
			t.Fatalf("%v, with %d visitors", err, len(m.visitors))
		}
		time.Sleep(freeAfter + time.Second)
		if err := m.join(ctx, "late"); err != nil {
			t.Fatal(err)
		}
		if n := len(m.visitors); n != 2 {
			t.Errorf("%d visitors are remembered, not the one who waits and the one who came", n)
		}
		m.vote(ctx, "3")
		if uid := <-waited; uid != "3" {
			t.Errorf("who waited is told %q", uid)
		}
	})
}

// TestACancelledRequestTakesNothing: its vote is there for the next one.
func TestACancelledRequestTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.join(context.Background(), "ann")
		ctx, reload := context.WithCancel(context.Background())
		done := make(chan string)
		go func() {
			uid, _, _ := m.next(ctx, "ann", time.Minute)
			done <- uid
		}()
		synctest.Wait()
		reload()
		m.vote(context.Background(), "1") // both at once: it finds out about either first
		if uid := <-done; uid != "" {
			t.Errorf("a request that nobody reads took %q", uid)
		}
		if uid, _, _ := m.next(context.Background(), "ann", time.Minute); uid != "1" {
			t.Errorf("the next one is told %q", uid)
		}
	})
}
