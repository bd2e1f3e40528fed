//go:build !race

package websocket_test

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"github.com/klauspost/compress/flate"

	"parley/websocket"
)

// memory is what the heap and the stacks take, in bytes.
func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// After any traffic, an idle connection with takeover has its two windows more than one without compression: 8 KiB by default.
func TestServer_7692_IdleConnectionsKeepTheirWindowsOnly(t *testing.T) {
	const n = 1000
	measure := func(mode websocket.CompressionMode, bits int) int64 {
		s := serve(t, &websocket.AcceptOptions{Compression: websocket.Compression{Mode: mode, WindowBits: bits}}, nil)
		peers := make([]*deflatePeer, n)
		before := memory()
		message := string(websocket.SomeText(40_000, 1, 0))
		body := deflatedWithin(bits, message)
		for i := range peers {
			peers[i], _ = s.openDeflate("permessage-deflate; client_max_window_bits")
			peers[i].write(peers[i].frame(fin|rsv1|text, body))
			if _, got, _ := peers[i].receive(); string(got) != message {
				t.Fatalf("%.100q", got)
			}
			peers[i].history = nil // of the test's own
		}
		per := (memory() - before) / n
		runtime.KeepAlive(peers)
		return per
	}
	none := measure(websocket.CompressionNoTakeover, 12)
	for _, bits := range []int{9, 12, 15} {
		per, limit := measure(websocket.CompressionTakeover, bits), int64(2<<bits)+2048
		for again := 0; per-none > limit && again < 2; again++ { // what earlier tests leave may have been freed meanwhile, which makes either look smaller
			none = measure(websocket.CompressionNoTakeover, 12)
			per = measure(websocket.CompressionTakeover, bits)
		}
		t.Logf("%d bits: %d bytes an idle connection, %d without takeover, net/http's and the test's included", bits, per, none)
		if per-none > limit {
			t.Errorf("%d bits: %d bytes more, want at most %d", bits, per-none, limit)
		}
	}
}

// A hundred bombs of a hundred megabytes, at once, cost what their limits allow: nothing here.
func TestServer_7692_BombsCostNoMemory(t *testing.T) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	for range 100 {
		w.Write(make([]byte, 1<<20))
	}
	w.Flush()
	bomb := b.String()
	s := serve(t, &websocket.AcceptOptions{Compression: noTakeover, ReadLimit: 200_000}, nil)
	peers := make([]*deflatePeer, 100)
	for i := range peers {
		peers[i], _ = s.openDeflate("permessage-deflate")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, p := range peers {
		p.send(fin|rsv1|binaryOp, bomb)
		p.expectFailure(1009)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
		t.Fatalf("%d bytes of memory more", grown)
	}
}

// A round trip of a compressed message allocates nothing in either endpoint.
func TestAlloc_CompressedMessages(t *testing.T) {
	for _, o := range []websocket.Compression{takeover, noTakeover} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		s := serve(t, &websocket.AcceptOptions{Compression: o}, nil)
		c, _, err := websocket.Dial(ctx, s.url(), &websocket.DialOptions{Compression: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		message := websocket.SomeText(1024, 1, 0)
		var buf []byte
		if got := testing.AllocsPerRun(1000, func() {
			if err := c.Write(ctx, websocket.MessageText, message); err != nil {
				t.Fatal(err)
			}
			if _, buf, err = c.ReadAppend(ctx, buf[:0]); err != nil {
				t.Fatal(err)
			}
		}); got > 1 { // the echo server reads into a new slice in the blocking form
			t.Errorf("mode %d: %v allocations a round trip", o.Mode, got)
		}
	}
}
