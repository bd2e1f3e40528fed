package websocket_test

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/websocket"
)

func TestBoth_10_4_MessageOverReadLimitIsRefused1009(t *testing.T) {
	o := &websocket.AcceptOptions{ReadLimit: 1000}
	over := map[string]func(p *rawPeer) []byte{
		"one frame": func(p *rawPeer) []byte { return p.frame(fin|binaryOp, strings.Repeat("x", 1001)) },
		"header alone": func(p *rawPeer) []byte {
			f := p.frame(fin|binaryOp, strings.Repeat("x", 1001))
			return f[:len(f)-1001]
		},
		"fragments": func(p *rawPeer) []byte {
			return append(p.frame(text, strings.Repeat("x", 600)), p.frame(cont, strings.Repeat("x", 401))...)
		},
		"small fragments": func(p *rawPeer) []byte {
			b := p.frame(binaryOp, "")
			for range 1001 {
				b = append(b, p.frame(cont, "x")...)
			}
			return b
		},
	}
	for name, bytesOf := range over {
		t.Run(name, func(t *testing.T) {
			bothRoles(t, o, func(t *testing.T, p *rawPeer, end func() error) {
				p.write(bytesOf(p))
				f := p.expectClose(1009)
				if !strings.Contains(string(f.payload), "1000") {
					t.Fatalf("the reason does not name the limit: %q", f.payload)
				}
				p.expectEnd()
				p.nc.Close()
				if err := end(); !errors.Is(err, websocket.ErrMessageTooBig) {
					t.Fatal(err)
				}
			})
		})
	}
	bothRoles(t, o, func(t *testing.T, p *rawPeer, _ func() error) { // the limit itself is allowed, time and again
		for range 3 {
			p.write(p.frame(binaryOp, strings.Repeat("x", 600)), p.frame(fin|cont, strings.Repeat("x", 400)))
			p.expect(binaryOp, strings.Repeat("x", 1000))
		}
	})
}

func TestBoth_10_4_FrameOverFrameLimitIsRefused1009(t *testing.T) {
	bothRoles(t, &websocket.AcceptOptions{FrameLimit: 200}, func(t *testing.T, p *rawPeer, end func() error) {
		p.write(p.frame(text, strings.Repeat("x", 200)), p.frame(fin|cont, strings.Repeat("y", 200)))
		p.expect(text, strings.Repeat("x", 200)+strings.Repeat("y", 200))
		p.send(text, strings.Repeat("x", 201))
		p.expectFailure(1009)
		p.nc.Close()
		wantProtocolError(t, end(), 1009)
	})
}

// hugeHeader announces 2^62 bytes.
func hugeHeader(p *rawPeer, b0 int) []byte {
	f := rawFrame(b0, p.client, nil, 64)
	binary.BigEndian.PutUint64(f[2:], 1<<62)
	return f
}

func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestBoth_10_4_AnnouncedBytesAreNotAllocated(t *testing.T) {
	for name, limit := range map[string]int64{"with a limit": 1 << 20, "without": -1} {
		t.Run(name, func(t *testing.T) {
			bothRoles(t, &websocket.AcceptOptions{ReadLimit: limit}, func(t *testing.T, p *rawPeer, end func() error) {
				got := allocatedBy(func() {
					p.write(hugeHeader(p, fin|binaryOp))
					if limit > 0 {
						p.expectFailure(1009)
						p.nc.Close()
						wantProtocolError(t, end(), 1009)
					} else { // legal; it only never comes
						p.write([]byte("xxx"))
						p.nc.Close()
						wantClose(t, end(), websocket.StatusAbnormalClosure, "")
					}
				})
				if got > 1<<20 {
					t.Fatalf("%d bytes were allocated for a header", got)
				}
			})
		})
	}
	bothRoles(t, &websocket.AcceptOptions{ReadLimit: -1}, func(t *testing.T, p *rawPeer, end func() error) {
		// Two such frames: their sum is beyond 63 bits.
		first := p.frame(binaryOp, "x")
		h := hugeHeader(p, fin|cont)
		binary.BigEndian.PutUint64(h[2:], 1<<63-1)
		p.write(first, h)
		p.expectFailure(1009)
	})
}

func TestBoth_10_4_MessageThatNeverEndsIsRefused1008(t *testing.T) {
	o := &websocket.AcceptOptions{MessageTimeout: 50 * time.Millisecond}
	for name, bytesOf := range map[string]func(p *rawPeer) []byte{
		"half a header": func(p *rawPeer) []byte { return p.frame(fin|text, "x")[:1] },
		"half a frame":  func(p *rawPeer) []byte { f := p.frame(fin|text, "hello"); return f[:len(f)-1] },
		"no last frame": func(p *rawPeer) []byte { return p.frame(text, "hello") },
	} {
		t.Run(name, func(t *testing.T) {
			bothRoles(t, o, func(t *testing.T, p *rawPeer, end func() error) {
				p.write(bytesOf(p))
				p.expectFailure(1008)
				p.nc.Close()
				if err := end(); !errors.Is(err, websocket.ErrMessageTimeout) {
					t.Fatal(err)
				}
			})
		})
	}
	t.Run("drop by drop", func(t *testing.T) { // empty fragments cost no memory and end all the same
		bothRoles(t, o, func(t *testing.T, p *rawPeer, end func() error) {
			p.send(text, "")
			for stop := false; !stop; {
				time.Sleep(5 * time.Millisecond) // the pace of the attack
				_, err := p.nc.Write(p.frame(cont, ""))
				stop = err != nil || p.br.Buffered() > 0 || readable(p)
			}
			p.expectFailure(1008)
			p.nc.Close()
			if err := end(); !errors.Is(err, websocket.ErrMessageTimeout) {
				t.Fatal(err)
			}
		})
	})
}

// readable reports whether something has come already.
func readable(p *rawPeer) bool {
	p.nc.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer p.nc.SetReadDeadline(time.Now().Add(patience))
	_, err := p.br.Peek(1)
	return err == nil
}

func TestBoth_10_4_PingFloodIsBounded(t *testing.T) {
	bothRoles(t, &websocket.AcceptOptions{WriteTimeout: 100 * time.Millisecond}, func(t *testing.T, p *rawPeer, end func() error) {
		// The peer sends pings and never reads a pong: the endpoint stops reading, then leaves.
		packet := []byte(strings.Repeat(string(p.frame(fin|ping, strings.Repeat("x", 125))), 1000))
		for {
			if _, err := p.nc.Write(packet); err != nil {
				break
			}
		}
		if err := end(); !errors.Is(err, websocket.ErrWriteTimeout) {
			t.Fatal(err)
		}
	})
}
