package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/websocket"
)

func TestConn_CancelledReadLeavesTheConnectionUsable(t *testing.T) {
	c, p := meet(t, nil)
	whole := p.frame(fin|text, strings.Repeat("hello ", 1000))
	for cut := range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		errs := make(chan error, 1)
		go func() { _, _, err := c.Read(ctx); errs <- err }()
		p.write(whole[:cut*2000]) // nothing, or a part of a frame
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := await(t, errs); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, _, err := c.Read(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		p.write(whole[cut*2000:])
		_, got, err := c.Read(testContext(t))
		if err != nil || string(got) != strings.Repeat("hello ", 1000) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if _, _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	roundTripRaw(t, c, p)
}

// roundTripRaw shows that both directions still work.
func roundTripRaw(t *testing.T, c *websocket.Conn, p *rawPeer) {
	t.Helper()
	ctx := testContext(t)
	if err := c.Write(ctx, websocket.MessageText, []byte("out")); err != nil {
		t.Fatal(err)
	}
	p.expect(text, "out")
	p.send(fin|text, "in")
	if _, got, err := c.Read(ctx); err != nil || string(got) != "in" {
		t.Fatal(got, err)
	}
}

func TestConn_SecondReaderGetsAnError(t *testing.T) {
	c, p := meet(t, nil)
	ctx := testContext(t)
	first := make(chan error, 1)
	go func() {
		for {
			_, got, err := c.Read(ctx)
			if err == websocket.ErrConcurrentRead {
				continue // the probe below was faster
			}
			if err == nil && string(got) != "hello" {
				err = fmt.Errorf("got %q", got)
			}
			first <- err
			return
		}
	}()
	for { // until the other goroutine reads
		_, _, err := c.Read(canceledContext())
		if err == websocket.ErrConcurrentRead {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	p.send(text, "hel")
	for _, read := range []func() error{
		func() error { _, _, err := c.Read(ctx); return err },
		func() error { _, _, err := c.ReadAppend(ctx, nil); return err },
		func() error { _, _, err := c.Reader(ctx); return err },
	} {
		if err := read(); err != websocket.ErrConcurrentRead {
			t.Fatal(err)
		}
	}
	p.send(fin|cont, "lo")
	if err := await(t, first); err != nil {
		t.Fatal(err)
	}
	roundTripRaw(t, c, p)
}

func canceledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestConn_ReaderStreamsAndTheRestIsSkipped(t *testing.T) {
	c, p := meet(t, &websocket.DialOptions{ReadLimit: 10 << 20})
	ctx := testContext(t)
	big := strings.Repeat("0123456789", 300_000)
	go func() {
		p.nc.Write(p.frame(binaryOp, big))
		p.nc.Write(p.frame(fin|cont, big))
		p.nc.Write(p.frame(text, "dropped "))
		p.nc.Write(p.frame(fin|cont, "half way"))
		p.nc.Write(p.frame(fin|text, "")) // an empty one
		p.nc.Write(p.frame(fin|text, "last"))
	}()
	kind, r, err := c.Reader(ctx)
	if err != nil || kind != websocket.MessageBinary {
		t.Fatal(kind, err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != big+big {
		t.Fatal(len(got), err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatal(n, err)
	}
	_, dropped, err := c.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(dropped, make([]byte, 3))
	_, r, err = c.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	if n, err := dropped.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
		t.Fatal("the stream of an earlier message still reads:", n, err)
	}
	if _, got, err := c.Read(ctx); err != nil || string(got) != "last" {
		t.Fatal(got, err)
	}
}

func TestConn_MessagesEndsQuietlyWithANormalClose(t *testing.T) {
	for code, quiet := range map[int]bool{1000: true, 1001: true, 1011: false} {
		c, p := meet(t, nil)
		p.write(p.frame(fin|text, "a"), p.frame(fin|binaryOp, "b"), p.frame(fin|closeOp, closePayload(code, "")))
		p.nc.(*net.TCPConn).CloseWrite()
		var got []string
		var last error
		for m, err := range c.Messages(testContext(t)) {
			if last = err; err == nil {
				got = append(got, m.Type.String()+" "+string(m.Data))
			}
		}
		if fmt.Sprint(got) != "[text a binary b]" || (last == nil) != quiet {
			t.Fatal(code, got, last)
		}
	}
}

func TestConn_ReadAppendUsesTheSlice(t *testing.T) {
	c, p := meet(t, nil)
	p.write(p.frame(fin|text, "one"), p.frame(text, "tw"), p.frame(fin|cont, "o"))
	buf := make([]byte, 0, 100)
	for _, want := range []string{"one", "two"} {
		_, got, err := c.ReadAppend(testContext(t), buf)
		if err != nil || string(got) != want || &got[0] != &buf[:1][0] {
			t.Fatal(got, err)
		}
	}
	_, got, err := func() (websocket.MessageType, []byte, error) {
		return c.ReadAppend(canceledContext(), []byte("kept"))
	}()
	if err == nil || string(got) != "kept" {
		t.Fatal(got, err)
	}
}

func TestConn_WriteManyKeepsOrderAndBorders(t *testing.T) {
	s := serve(t, nil, nil)
	ctx := testContext(t)
	c, _, err := websocket.Dial(ctx, s.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	var batch [][]byte
	for i := range 200 {
		batch = append(batch, bytes.Repeat([]byte{byte(i)}, rand.IntN(3000)))
	}
	batch = append(batch, nil, bytes.Repeat([]byte("big"), 100_000), []byte{})
	errs := make(chan error, 1)
	go func() { errs <- c.WriteMany(ctx, websocket.MessageBinary, batch) }()
	for i, want := range batch {
		_, got, err := c.Read(ctx)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("message %d has %d bytes, not %d: %v", i, len(got), len(want), err)
		}
	}
	if err := await(t, errs); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteMany(ctx, websocket.MessageBinary, nil); err != nil {
		t.Fatal(err)
	}
}

func TestConn_ManyGoroutinesWrite(t *testing.T) {
	s := serve(t, nil, nil)
	ctx := testContext(t)
	c, _, err := websocket.Dial(ctx, s.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				message := fmt.Appendf(nil, "%d %d %s", w, i, strings.Repeat("x", rand.IntN(5000)))
				var err error
				switch i % 3 {
				case 0:
					err = c.Write(ctx, websocket.MessageText, message)
				case 1:
					err = c.WriteMany(ctx, websocket.MessageText, [][]byte{message})
				case 2:
					var out io.WriteCloser
					if out, err = c.Writer(ctx, websocket.MessageText); err == nil {
						out.Write(message[:len(message)/2])
						out.Write(message[len(message)/2:])
						err = out.Close()
					}
				}
				if err == nil && i%10 == 0 {
					err = c.Ping(ctx)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := [writers]int{}
	for range writers * each {
		_, got, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var w, i int
		fmt.Sscan(string(got), &w, &i)
		if next[w] != i {
			t.Fatalf("writer %d: message %d came, not %d", w, i, next[w])
		}
		next[w]++
	}
	go c.Read(ctx) // for the pongs still on their way
	wg.Wait()
}

func TestConn_WriteToAPeerThatDoesNotRead(t *testing.T) {
	t.Run("WriteTimeout", func(t *testing.T) {
		c, p := meet(t, &websocket.DialOptions{WriteTimeout: 50 * time.Millisecond})
		err := writeUntilError(context.Background(), c)
		if !errors.Is(err, websocket.ErrWriteTimeout) || !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
		if _, _, err := c.Read(testContext(t)); !errors.Is(err, websocket.ErrWriteTimeout) {
			t.Fatal(err)
		}
		_ = p
	})
	t.Run("cancelled", func(t *testing.T) {
		c, p := meet(t, nil)
		ctx, cancel := context.WithCancel(context.Background())
		errs := make(chan error, 1)
		go func() { errs <- c.Write(ctx, websocket.MessageBinary, make([]byte, 64<<20)) }()
		if _, err := p.br.ReadByte(); err != nil { // it has begun, and does not fit into any socket's buffers
			t.Fatal(err)
		}
		cancel()
		if err := await(t, errs); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := c.Write(testContext(t), websocket.MessageText, nil); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal("a message was cut off, and the connection is still open:", err)
		}
	})
	t.Run("CloseNow", func(t *testing.T) {
		c, _ := meet(t, nil)
		time.AfterFunc(50*time.Millisecond, func() { c.CloseNow() })
		if err := writeUntilError(context.Background(), c); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
	})
	t.Run("Close", func(t *testing.T) {
		c, _ := meet(t, &websocket.DialOptions{CloseTimeout: 50 * time.Millisecond})
		errs := make(chan error, 1)
		go func() { errs <- writeUntilError(context.Background(), c) }()
		time.Sleep(20 * time.Millisecond) // so that the write hangs, most likely
		if err := c.Close(websocket.StatusNormalClosure, ""); err == nil {
			t.Fatal("the peer cannot have answered")
		}
		if err := await(t, errs); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
	})
}

func writeUntilError(ctx context.Context, c *websocket.Conn) error {
	message := make([]byte, 1<<20)
	for {
		if err := c.Write(ctx, websocket.MessageBinary, message); err != nil {
			return err
		}
	}
}

func TestConn_CloseNowReleasesWhoWaitsForAWriter(t *testing.T) {
	c, _ := meet(t, nil)
	if _, err := c.Writer(testContext(t), websocket.MessageText); err != nil { // and is never closed
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	go func() { errs <- c.Write(context.Background(), websocket.MessageText, nil) }()
	go func() { _, err := c.Writer(context.Background(), websocket.MessageText); errs <- err }()
	time.AfterFunc(20*time.Millisecond, func() { c.CloseNow() })
	for range 2 {
		if err := await(t, errs); !errors.Is(err, websocket.ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestConn_ReadDuringCloseEndsWithIt(t *testing.T) {
	c, p := meet(t, nil)
	closed := make(chan error, 1)
	go func() { closed <- c.Close(websocket.StatusNormalClosure, "") }()
	p.expectClose(1000)
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := c.Read(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, _, err := c.Read(testContext(t)); read <- err }()
	p.sendClose(1000, "")
	p.nc.(*net.TCPConn).CloseWrite()
	wantClose(t, await(t, read), 1000, "")
	if err := await(t, closed); err != nil {
		t.Fatal(err)
	}
}

func TestConn_CancelledWaitForAnotherWriterIsHarmless(t *testing.T) {
	c, p := meet(t, nil)
	w, err := c.Writer(testContext(t), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte("no")); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if _, err := c.Writer(ctx, websocket.MessageText); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	io.WriteString(w, "yes")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal("closing twice:", err)
	}
	if _, err := w.Write(nil); err == nil {
		t.Fatal("a complete message was written to")
	}
	p.expect(text, "yes")
	roundTripRaw(t, c, p)
}

func TestConn_PingWaitsForItsPong(t *testing.T) {
	c, p := meet(t, nil)
	reading(t, c)
	errs := make(chan error, 2)
	go func() { errs <- c.Ping(testContext(t)) }()
	first := p.recv()
	go func() { errs <- c.Ping(testContext(t)) }()
	second := p.recv()
	if first.op != ping || second.op != ping || bytes.Equal(first.payload, second.payload) {
		t.Fatal(first, second)
	}
	p.send(fin|pong, "unasked")
	p.send(fin|pong, "\xff\xff\xff\xff\xff\xff\xff\xff")
	select {
	case err := <-errs:
		t.Fatal("a pong that answers nothing was taken:", err)
	case <-time.After(20 * time.Millisecond): // nothing to await: it must not happen
	}
	p.send(fin|pong, string(second.payload)) // the latest only, as section 5.5.3 allows
	for range 2 {
		if err := await(t, errs); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := c.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	go func() { errs <- c.Ping(testContext(t)) }()
	p.recv()
	p.recv()
	p.nc.Close()
	if err := await(t, errs); !errors.Is(err, websocket.ErrClosed) {
		t.Fatal(err)
	}
}

func TestConn_CloseReadAnswersPingsAndEndsWithTheConnection(t *testing.T) {
	s := serve(t, nil, func(ctx context.Context, c *websocket.Conn) error {
		<-c.CloseRead(ctx).Done()
		return nil
	})
	p := s.open()
	p.send(fin|ping, "x")
	p.expect(pong, "x")
	p.sendClose(1000, "")
	p.expectClose(1000)
	s.end()

	p = s.open()
	p.send(fin|text, "not wanted")
	p.expectClose(1008)
	p.sendClose(1008, "")
	s.end()
}

func TestConn_CloseNowEndsEverything(t *testing.T) {
	s := serve(t, nil, nil)
	p := s.open()
	c := <-s.conns
	c.CloseNow()
	if err := s.end(); !errors.Is(err, websocket.ErrClosed) {
		t.Fatal(err)
	}
	p.expectEnd()
	if err := c.Ping(testContext(t)); !errors.Is(err, websocket.ErrClosed) {
		t.Fatal(err)
	}
	if err := c.Close(1000, ""); !errors.Is(err, websocket.ErrClosed) {
		t.Fatal(err)
	}
	if c.RemoteAddr().String() != p.nc.LocalAddr().String() || c.LocalAddr().String() != p.nc.RemoteAddr().String() {
		t.Fatal(c.RemoteAddr(), c.LocalAddr())
	}
}

func TestConn_NothingIsLeftOf2000Connections(t *testing.T) {
	s := serve(t, nil, nil)
	ctx := context.Background()
	goroutines, fds := runtime.NumGoroutine(), openFDs(t)
	for range 20 {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				c, _, err := websocket.Dial(ctx, s.url(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.CloseNow()
				read, cancel := context.WithCancel(ctx)
				defer cancel()
				if err := c.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
					t.Error(err)
				}
				if _, _, err := c.Read(read); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	for range 2000 {
		s.end()
	}
	// The servers' goroutines end just behind their handlers.
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		g, f := runtime.NumGoroutine(), openFDs(t)
		if g <= goroutines+1 && f <= fds+1 { // the accept loop may still be in a call
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d files more than before", g-goroutines, f-fds)
		}
	}
}

func TestConn_StreamIsOverWhenCloseReads(t *testing.T) {
	c, p := meet(t, nil)
	p.send(text, "a first fragment")
	_, r, err := c.Reader(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- c.Close(websocket.StatusNormalClosure, "") }()
	p.expectClose(1000)
	p.send(fin|cont, "XXXXXXXXXXXXXXXXX")
	p.sendClose(1000, "")
	p.nc.(*net.TCPConn).CloseWrite()
	if err := await(t, closed); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 100)); n != 0 || !errors.Is(err, websocket.ErrClosed) {
		t.Fatalf("the stream gave %d bytes of a buffer that is another's: %v", n, err)
	}
}
