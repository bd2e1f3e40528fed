//go:build !race

package websocket_test

import (
	"context"
	"runtime"
	"testing"

	"parley/websocket"
)

// A connection in the blocking form that has had its messages echoed waits on the 2 KiB of stack that a goroutine begins with: neither reading nor
// writing needs more, which it would keep.
func TestListener_BlockingConnectionsWaitOnSmallStacks(t *testing.T) {
	const n = 200
	s := newServer(t)
	s.run(&websocket.Server{Run: func(c *websocket.Conn) {
		var m []byte
		for {
			typ, p, err := c.ReadAppend(context.Background(), m[:0])
			if err != nil || c.Write(context.Background(), typ, p) != nil {
				return
			}
			m = p
		}
	}}, true)
	stacks := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.StackInuse)
	}
	least := 1 << 20 // of several times: a goroutine that was preempted at a bad moment, or met a collection, may have needed more
	for range 5 {
		before := stacks()
		for range n {
			p := s.open()
			for _, message := range []string{"hello", "world"} {
				p.send(fin|text, message)
				p.expect(text, message)
			}
		}
		least = min(least, (stacks()-before)/n)
	}
	if least > 3<<10 {
		t.Fatalf("%d bytes of stack for each connection", least)
	}
}
