//go:build !race

package websocket_test

import (
	"context"
	"io"
	"runtime"
	"testing"

	"parley/websocket"
)

// The race detector makes sync.Pool drop at random, so these gates are for ordinary runs.

// echoAllocations counts what one round trip of 64 bytes allocates in both endpoints together.
func echoAllocations(t *testing.T, read func(context.Context, *websocket.Conn) ([]byte, error)) float64 {
	ctx, cancel := context.WithCancel(context.Background()) // cancellable, as handlers have them
	defer cancel()
	s := serve(t, nil, func(_ context.Context, c *websocket.Conn) error {
		for {
			p, err := read(ctx, c)
			if err != nil {
				return err
			}
			if err := c.Write(ctx, websocket.MessageText, p); err != nil {
				return err
			}
		}
	})
	c, _, err := websocket.Dial(ctx, s.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	message := make([]byte, 64)
	return testing.AllocsPerRun(2000, func() {
		if err := c.Write(ctx, websocket.MessageText, message); err != nil {
			t.Fatal(err)
		}
		if _, err := read(ctx, c); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAlloc_ReadAppendAndWriteOfSmallMessages(t *testing.T) {
	bufs := map[*websocket.Conn][]byte{}
	lock := make(chan struct{}, 1)
	got := echoAllocations(t, func(ctx context.Context, c *websocket.Conn) ([]byte, error) {
		lock <- struct{}{}
		buf := bufs[c]
		<-lock
		_, p, err := c.ReadAppend(ctx, buf[:0])
		if buf == nil {
			lock <- struct{}{}
			bufs[c] = p
			<-lock
		}
		return p, err
	})
	if got != 0 {
		t.Fatalf("%v allocations a round trip, want none", got)
	}
}

func TestAlloc_ReadAllocatesTheMessageAlone(t *testing.T) {
	got := echoAllocations(t, func(ctx context.Context, c *websocket.Conn) ([]byte, error) {
		_, p, err := c.Read(ctx)
		return p, err
	})
	if got > 2 { // one in each endpoint
		t.Fatalf("%v allocations a round trip, want 2", got)
	}
}

func TestAlloc_IdleConnectionIsSmall(t *testing.T) {
	s := serve(t, nil, nil)
	const n = 500
	var before, after runtime.MemStats
	peers := make([]*rawPeer, n)
	for i := range peers {
		peers[i] = s.dialTCP()
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, p := range peers {
		p.write(joinLines(s.requestLines()))
		p.readResponse()
		p.send(fin|text, "x")
		p.expect(text, "x")
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	per := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / n
	t.Logf("%d bytes an idle connection, of heap and stacks, net/http's included", per)
	if per > 32<<10 {
		t.Fatalf("%d bytes an idle connection", per)
	}
}

// In the handler form a burst of messages is read, handed on and answered without allocating.
func TestAlloc_HandlerEchoesBursts(t *testing.T) {
	if echoForm == blockingForm || echoForm == blockingPortForm {
		return // it has its own gates
	}
	s := serveHandler(t, nil)
	p := s.open()
	var burst []byte
	const n = 32
	for range n {
		burst = append(burst, p.frame(fin|text, "0123456789012345678901234567890123456789012345678901234567890123")...)
	}
	answer := make([]byte, n*66)
	got := testing.AllocsPerRun(500, func() {
		p.nc.Write(burst)
		if _, err := io.ReadFull(p.br, answer); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Fatalf("%v allocations for %d messages", got, n)
	}
}

// Sending what is prepared to many allocates nothing either.
func TestAlloc_SendOfPrepared(t *testing.T) {
	if echoForm == blockingForm || echoForm == blockingPortForm {
		return
	}
	s := serveHandler(t, nil)
	p := s.open()
	c := <-s.conns
	m := websocket.Prepare(websocket.MessageText, make([]byte, 128))
	const n = 32
	answer := make([]byte, n*132)
	got := testing.AllocsPerRun(500, func() {
		for range n {
			c.Send(m)
		}
		if _, err := io.ReadFull(p.br, answer); err != nil {
			t.Fatal(err)
		}
	})
	if got >= 1 {
		t.Fatalf("%v allocations for %d messages", got, n)
	}
}
