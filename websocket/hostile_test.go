package websocket

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Peers that mean harm, against a server with the default options: each costs little memory and is left after a known time: that of the limit
// which it exceeds, and CloseTimeout more if it was told and stays. The time is synctest's, which also notices a goroutine that stays.

// hostile is a client's end of a connection.
type hostile struct {
	*memoryConn
	work *sync.WaitGroup
}

// drip sends a byte a second until the server has had enough.
func (h hostile) drip(p []byte) {
	for i := range p {
		time.Sleep(time.Second)
		if _, err := h.Write(p[i : i+1]); err != nil {
			return
		}
	}
}

// flood sends p a thousand times a second, until the server has had enough. (With no pause at all no time would pass.)
func (h hostile) flood(p []byte) {
	for {
		time.Sleep(time.Millisecond)
		if _, err := h.Write(p); err != nil {
			return
		}
	}
}

// take reads whatever comes.
func (h hostile) take() { h.work.Go(func() { io.Copy(io.Discard, h) }) }

func fragment(op opcode, fin bool, payload string) []byte {
	return appendFrame(nil, header{fin: fin, opcode: op, masked: true}, []byte(payload))
}

func TestHostile_EachIsLeftInTime(t *testing.T) {
	lie := func(bytes uint64) []byte {
		return binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, bytes)
	}
	abnormal := func(cause error) func(error) bool {
		return func(err error) bool { return CloseStatus(err) == StatusAbnormalClosure && errors.Is(err, cause) }
	}
	broke := func(code StatusCode) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*ProtocolError](err)
			return ok && e.Code == code
		}
	}
	message := string(make([]byte, 4000))
	for _, c := range []struct {
		name string
		peer func(hostile)
		serve
		left   func(error) bool
		within time.Duration
	}{
		{name: "says nothing", peer: func(h hostile) { h.take() }, left: abnormal(ErrPongTimeout), within: 45 * time.Second},
		{name: "says nothing and takes nothing", peer: func(hostile) {}, left: abnormal(ErrPongTimeout), within: 45 * time.Second},
		{name: "sends a byte of a message a second", left: broke(1008), within: 66 * time.Second, peer: func(h hostile) {
			h.take()
			h.drip(fragment(opText, true, message))
			h.Close()
		}},
		{name: "sends a header and no payload", left: broke(1008), within: 66 * time.Second, peer: func(h hostile) {
			h.take()
			h.Write(fragment(opText, true, message)[:8])
		}},
		{name: "sends an empty fragment a second", left: broke(1008), within: 66 * time.Second, peer: func(h hostile) {
			h.take()
			h.Write(fragment(opText, false, ""))
			for {
				time.Sleep(time.Second)
				if _, err := h.Write(fragment(opContinuation, false, "")); err != nil {
					break
				}
			}
			h.Close()
		}},
		{name: "keeps a message open by pings", left: broke(1008), within: 66 * time.Second, peer: func(h hostile) {
			h.take()
			h.Write(fragment(opText, false, "begun"))
			for {
				time.Sleep(time.Second)
				if _, err := h.Write(fragment(opPing, true, "still here")); err != nil {
					break
				}
			}
			h.Close()
		}},
		{name: "floods pings and takes no pongs", left: abnormal(ErrWriteTimeout), within: 16 * time.Second, peer: func(h hostile) {
			h.flood(fragment(opPing, true, "0123456789"))
		}},
		{name: "asks for much and takes nothing", left: func(err error) bool { return errors.Is(err, ErrWriteTimeout) }, within: 11 * time.Second, peer: func(h hostile) {
			h.flood(fragment(opBinary, true, message))
		}},
		{name: "announces 2^62 bytes", peer: func(h hostile) { h.take(); h.Write(lie(1 << 62)); h.Write(make([]byte, 4)) }, left: broke(1009), within: 5 * time.Second},
		{name: "announces 2^63 bytes", peer: func(h hostile) { h.take(); h.Write(lie(1 << 63)); h.Write(make([]byte, 4)) }, left: broke(1002), within: 5 * time.Second},
		{name: "breaks a rule and goes on", left: broke(1002), within: 5 * time.Second, peer: func(h hostile) {
			h.take()
			h.Write([]byte{0x83, 0x80})
			h.flood([]byte(message))
		}},
		{name: "half closes", peer: func(h hostile) { h.CloseWrite() }, left: abnormal(io.ErrUnexpectedEOF)},
		{name: "half closes within a message", left: abnormal(io.ErrUnexpectedEOF), peer: func(h hostile) {
			h.Write(fragment(opText, false, "begun"))
			h.CloseWrite()
		}},
		{name: "closes the connection", peer: func(h hostile) { h.Close() }, left: func(err error) bool { return CloseStatus(err) == StatusAbnormalClosure }},
		{name: "does not answer a Close frame", serve: closing, peer: func(h hostile) { h.take() }, left: func(err error) bool { return errors.Is(err, ErrCloseTimeout) }, within: 5 * time.Second},
		{name: "floods instead of answering a Close frame", serve: closing, peer: func(h hostile) { h.take(); h.flood(fragment(opBinary, true, message)) }, left: func(err error) bool { return errors.Is(err, ErrCloseTimeout) }, within: 5 * time.Second},
	} {
		if c.serve == nil {
			c.serve = echoing
		}
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := liveMemory()
				ours, theirs := memoryPipe()
				var work sync.WaitGroup
				work.Go(func() { c.peer(hostile{theirs, &work}) })
				begun := time.Now()
				conn := plainConn(ours, false, (&AcceptOptions{}).limits())
				err := c.serve(conn)
				took := time.Since(begun)
				held := liveMemory() - before
				conn.CloseNow()
				theirs.Close()
				work.Wait()
				if !c.left(err) {
					t.Errorf("it was left with: %v", err)
				}
				if took > c.within {
					t.Errorf("it was left after %v, not %v", took, c.within)
				}
				if held > 512<<10 { // with what is under way, twice 64 KiB
					t.Errorf("%d bytes were held", held)
				}
			})
		})
	}
}

func liveMemory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// serve is what a server does with a connection until its end.
type serve func(*Conn) error

func echoing(c *Conn) error {
	var buf []byte
	for {
		kind, p, err := c.ReadAppend(context.Background(), buf[:0])
		if err == nil {
			err = c.Write(context.Background(), kind, p)
		}
		if err != nil {
			return err
		}
		buf = p
	}
}

func closing(c *Conn) error { return c.Close(StatusNormalClosure, "") }
