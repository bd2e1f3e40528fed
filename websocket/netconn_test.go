package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/websocket"
)

func TestNetConn_ReadsAcrossMessagesAndFrames(t *testing.T) {
	c, p := meet(t, nil)
	nc := websocket.NetConn(testContext(t), c, websocket.MessageText)
	p.write(p.frame(fin|text, "one"), p.frame(fin|text, ""), p.frame(text, "tw"), p.frame(fin|ping, "?"), p.frame(fin|cont, "o"), p.frame(fin|text, "three"))
	p.sendClose(1000, "")
	p.nc.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(nc)
	if err != nil || string(got) != "onetwothree" {
		t.Fatalf("%q, %v", got, err)
	}
	p.expect(pong, "?")
	if nc.LocalAddr() != c.LocalAddr() || nc.RemoteAddr() != c.RemoteAddr() {
		t.Fatal(nc.LocalAddr(), nc.RemoteAddr())
	}
}

func TestNetConn_CloseCodesAreErrorsOfStreams(t *testing.T) {
	for code, want := range map[int]func(error) bool{
		1000: func(err error) bool { return err == io.EOF },
		1001: func(err error) bool { return err == io.EOF },
		1011: func(err error) bool { return websocket.CloseStatus(err) == 1011 },
	} {
		c, p := meet(t, nil)
		nc := websocket.NetConn(testContext(t), c, websocket.MessageBinary)
		p.sendClose(code, "")
		p.nc.(*net.TCPConn).CloseWrite()
		if _, err := nc.Read(make([]byte, 1)); !want(err) {
			t.Errorf("%d: %v", code, err)
		}
		if _, err := nc.Write([]byte("x")); err == nil {
			t.Errorf("%d: written", code)
		}
	}
	c, p := meet(t, nil)
	nc := websocket.NetConn(testContext(t), c, websocket.MessageBinary)
	closed := make(chan error, 1)
	go func() { closed <- nc.Close() }()
	p.expectClose(1000)
	p.sendClose(1000, "")
	p.nc.Close()
	if err := await(t, closed); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
}

func TestNetConn_MessageOfAnotherTypeIsRefused1003(t *testing.T) {
	c, p := meet(t, nil)
	nc := websocket.NetConn(testContext(t), c, websocket.MessageBinary)
	p.send(fin|text, "text")
	errs := make(chan error, 1)
	go func() { _, err := nc.Read(make([]byte, 1)); errs <- err }()
	p.expectClose(1003)
	p.sendClose(1003, "")
	p.nc.Close()
	if err := await(t, errs); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
}

func TestNetConn_DeadlineInTheMiddleOfAMessageLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, err := websocket.Pipe(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer b.CloseNow()
		defer a.CloseNow()
		nc := websocket.NetConn(context.Background(), a, websocket.MessageText)
		w, err := b.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Repeat("0123456789", 1000)
		var got []byte
		for i := range 10 {
			io.WriteString(w, want[i*1000:][:1000])
			nc.SetReadDeadline(time.Now().Add(time.Second))
			for {
				buf := make([]byte, 700)
				n, err := nc.Read(buf)
				got = append(got, buf[:n]...)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		w.Close()
		nc.SetReadDeadline(time.Time{})
		rest := make([]byte, len(want)-len(got))
		if _, err := io.ReadFull(nc, rest); err != nil || string(got)+string(rest) != want {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}

func TestNetConn_MessageWhoseWriteIsLateIsSentOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, err := websocket.Pipe(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer b.CloseNow()
		defer a.CloseNow()
		nc := websocket.NetConn(context.Background(), a, websocket.MessageBinary)
		nc.SetWriteDeadline(time.Now().Add(-time.Second))
		if n, err := nc.Write([]byte("dropped")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(n, err)
		}
		nc.SetWriteDeadline(time.Now().Add(time.Second))
		begun := time.Now()
		if n, err := nc.Write(make([]byte, 100_000)); n != 100_000 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Second {
			t.Fatal(n, err)
		}
		if _, err := nc.Write([]byte("dropped")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		nc.SetWriteDeadline(time.Time{})
		go nc.Write([]byte("next"))
		for _, want := range []int{100_000, 4} {
			if _, got, err := b.Read(t.Context()); err != nil || len(got) != want {
				t.Fatal(len(got), err)
			}
		}
		time.AfterFunc(time.Second, func() { nc.SetWriteDeadline(time.Now()) }) // while Write waits
		if _, err := nc.Write(make([]byte, 100_000)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		<-a.Done()
	})
}

func TestNetConn_EndsWithItsContext(t *testing.T) {
	a, b, err := websocket.Pipe(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.CloseNow()
	ctx, cancel := context.WithCancel(context.Background())
	nc := websocket.NetConn(ctx, a, websocket.MessageText)
	errs := make(chan error, 1)
	go func() { _, err := nc.Read(make([]byte, 1)); errs <- err }()
	cancel()
	if err := await(t, errs); err == nil {
		t.Fatal("read from nobody")
	}
	<-a.Done()
	if _, err := nc.Write([]byte("x")); err == nil {
		t.Fatal("written to nobody")
	}
}

func TestPipe_BothEndsAreReal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, err := websocket.Pipe(
			&websocket.AcceptOptions{Subprotocols: []string{"b", "a"}, ReadLimit: 100_000, PingInterval: -1},
			&websocket.DialOptions{Subprotocols: []string{"a", "b"}, PingInterval: -1},
		)
		if err != nil || client.Subprotocol() != "b" || server.Subprotocol() != "b" {
			t.Fatal(err)
		}
		defer server.CloseNow()
		defer client.CloseNow()
		ctx := t.Context()
		// One goroutine can play both sides.
		big := bytes.Repeat([]byte("x"), 50_000)
		if err := client.Write(ctx, websocket.MessageBinary, big); err != nil {
			t.Fatal(err)
		}
		if kind, got, err := server.Read(ctx); err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, big) {
			t.Fatal(len(got), err)
		}
		begun := time.Now()
		if err := client.Write(ctx, websocket.MessageBinary, bytes.Repeat(big, 3)); !errors.Is(err, websocket.ErrWriteTimeout) {
			t.Fatal(err) // more than 64 KiB, and nobody reads
		}
		if took := time.Since(begun); took != websocket.DefaultWriteTimeout {
			t.Fatalf("given up after %v", took)
		}
	})
}

func TestPipe_ClosingHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, err := websocket.Pipe(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 1)
		go func() { errs <- echo(context.Background(), server) }()
		go echo(context.Background(), client)
		time.Sleep(time.Hour) // keepalive keeps it
		if err := client.Close(4000, "bye"); err != nil {
			t.Fatal(err)
		}
		wantClose(t, <-errs, 4000, "bye")
	})
}

func TestPipe_RefusalIsTheErrorOfDial(t *testing.T) {
	before := openFDs(t)
	for range 100 {
		_, _, err := websocket.Pipe(nil, &websocket.DialOptions{Header: map[string][]string{"Origin": {"https://evil.example"}}})
		if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Status != 403 {
			t.Fatal(err)
		}
		if _, _, err := websocket.Pipe(nil, &websocket.DialOptions{Subprotocols: []string{"no token"}}); err == nil {
			t.Fatal("a bad option passed")
		}
	}
	if after := openFDs(t); after != before {
		t.Fatal("a pipe has descriptors")
	}
}
