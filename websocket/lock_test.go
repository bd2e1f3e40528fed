package websocket

import (
	"context"
	"sync"
	"testing"
	"time"
)

// Holders exclude each other, whether they wait, try, or give up waiting; and in the end it is free.
func TestMutex(t *testing.T) {
	var l mutex
	var workers sync.WaitGroup
	inside, entered := 0, 0 // guarded by l
	work := func() {
		inside++
		if inside != 1 {
			t.Error("two hold it")
		}
		entered++
		inside--
		l.unlock()
	}
	for i := range 8 {
		workers.Go(func() {
			for range 2000 {
				switch i % 4 {
				case 0:
					if l.try() {
						work()
					}
				case 1:
					if l.lockWithin(time.Microsecond) {
						work()
					}
				case 2:
					ctx, cancel := context.WithCancel(context.Background())
					go cancel()
					if l.lock(ctx, nil) == nil {
						work()
					}
				default:
					if err := l.lock(context.Background(), nil); err != nil {
						t.Error(err)
					}
					work()
				}
			}
		})
	}
	workers.Wait()
	if !l.try() || entered < 4000 {
		t.Fatalf("it was taken %d times, and is in state %d", entered, l.state.Load())
	}
}
