package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"parley/websocket"
)

func TestBoth_5_5_1_CloseIsAnsweredWithItsCode(t *testing.T) {
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
			p.sendClose(code, "därum")
			p.expectClose(code)
			if p.client {
				p.expectEnd()
			}
			p.nc.Close()
			wantClose(t, end(), websocket.StatusCode(code), "därum")
		})
	}
}

func TestBoth_5_5_1_CloseWithoutCodeIsAnswered(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
		p.send(fin|closeOp, "")
		p.expect(closeOp, "")
		p.nc.Close()
		wantClose(t, end(), websocket.StatusNoStatus, "")
	})
}

func TestBoth_5_5_1_CloseWithLongestReasonIsAccepted(t *testing.T) {
	reason := strings.Repeat("x", 123)
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
		p.sendClose(1000, reason)
		p.expectClose(1000)
		p.nc.Close()
		wantClose(t, end(), 1000, reason)
	})
}

func TestBoth_5_5_1_CloseOfOneByteIsRefused1002(t *testing.T) {
	refusedFrames(t, 1002, "5.5.1", func(p *rawPeer) []byte { return p.frame(fin|closeOp, "\x03") })
}

func TestBoth_5_5_1_CloseReasonMustBeUTF8(t *testing.T) {
	refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte { return p.frame(fin|closeOp, closePayload(1000, "a\xff")) })
	refusedFrames(t, 1007, "8.1", func(p *rawPeer) []byte { return p.frame(fin|closeOp, closePayload(1000, "\xe2\x82")) })
}

func TestBoth_7_4_CodesThatMayNotBeSentAreRefused1002(t *testing.T) {
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		refusedFrames(t, 1002, "7.4", func(p *rawPeer) []byte { return p.frame(fin|closeOp, closePayload(code, "")) })
	}
}

func TestBoth_5_5_1_NothingIsSentAfterClose(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
		p.write(p.frame(fin|closeOp, closePayload(1000, "")), p.frame(fin|text, "late"), p.frame(fin|ping, "late"))
		p.expectClose(1000)
		p.nc.(*net.TCPConn).CloseWrite()
		p.expectEnd()
		wantClose(t, end(), 1000, "")
	})
}

// closing begins Close on the endpoint in both roles. The endpoint does not read otherwise if reads is false.
func closing(t *testing.T, reads bool, o websocket.DialOptions, code websocket.StatusCode, reason string,
	test func(t *testing.T, p *rawPeer, c *websocket.Conn, closed <-chan error)) {
	begin := func(t *testing.T, c *websocket.Conn, p *rawPeer) {
		t.Cleanup(func() { c.CloseNow() })
		if reads {
			reading(t, c)
			p.send(fin|text, "is it reading?")
			p.expect(text, "is it reading?")
		}
		closed := make(chan error, 1)
		go func() { closed <- c.Close(code, reason) }()
		test(t, p, c, closed)
	}
	t.Run("server", func(t *testing.T) {
		s := serve(t, &websocket.AcceptOptions{CloseTimeout: o.CloseTimeout}, func(_ context.Context, c *websocket.Conn) error {
			<-c.Done()
			return nil
		})
		p := s.open()
		begin(t, <-s.conns, p)
	})
	t.Run("client", func(t *testing.T) {
		c, p := meet(t, &o)
		begin(t, c, p)
	})
}

func TestBoth_7_1_2_CloseSendsAFrameAndWaitsForThePeers(t *testing.T) {
	for _, reads := range []bool{true, false} {
		closing(t, reads, websocket.DialOptions{}, 4321, "bye", func(t *testing.T, p *rawPeer, c *websocket.Conn, closed <-chan error) {
			f := p.expectClose(4321)
			if string(f.payload[2:]) != "bye" {
				t.Fatalf("reason %q", f.payload[2:])
			}
			p.send(fin|text, "on its way") // data before the answer is legal
			p.send(fin|ping, "on its way") // and is not answered any more
			select {
			case err := <-closed:
				t.Fatal("Close did not wait:", err)
			default:
			}
			p.sendClose(4321, "")
			p.nc.(*net.TCPConn).CloseWrite()
			p.expectEnd()
			if err := await(t, closed); err != nil {
				t.Fatal(err)
			}
			if err := c.Write(testContext(t), websocket.MessageText, nil); !errors.Is(err, websocket.ErrClosed) {
				t.Fatal(err)
			}
		})
	}
}

func TestBoth_7_1_2_SimultaneousCloseIsClean(t *testing.T) {
	for _, reads := range []bool{true, false} {
		closing(t, reads, websocket.DialOptions{}, 1000, "", func(t *testing.T, p *rawPeer, _ *websocket.Conn, closed <-chan error) {
			p.sendClose(1001, "") // without having seen theirs
			f := p.recv()         // the endpoint may have seen ours first, and echoed it
			if f.op != closeOp || (f.closeCode() != 1000 && f.closeCode() != 1001) {
				t.Fatalf("%+v", f)
			}
			p.nc.(*net.TCPConn).CloseWrite()
			p.expectEnd() // exactly one Close frame came
			if err := await(t, closed); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestServer_7_1_1_TCPIsClosedAtOnceByTheServer(t *testing.T) {
	s := serve(t, &websocket.AcceptOptions{CloseTimeout: time.Hour}, nil)
	p := s.open()
	p.sendClose(1000, "")
	p.expectClose(1000)
	p.expectEnd() // though the client has not closed
}

func TestClient_7_1_1_TCPIsLeftToTheServerForAWhile(t *testing.T) {
	c, p := meet(t, &websocket.DialOptions{CloseTimeout: time.Hour})
	ch := reading(t, c)
	p.sendClose(1000, "")
	p.expectClose(1000)
	select {
	case err := <-ch:
		t.Fatal("the client did not wait for the server to close:", err)
	case <-time.After(50 * time.Millisecond): // nothing to await: it must not happen
	}
	p.nc.Close()
	wantClose(t, await(t, ch), 1000, "")

	c, p = meet(t, &websocket.DialOptions{CloseTimeout: 20 * time.Millisecond})
	ch = reading(t, c)
	p.sendClose(1000, "")
	p.expectClose(1000)
	p.expectEnd() // but not for ever
	wantClose(t, await(t, ch), 1000, "")
}

func TestBoth_7_1_2_PeerThatDoesNotAnswerCloseIsLeft(t *testing.T) {
	for _, reads := range []bool{true, false} {
		closing(t, reads, websocket.DialOptions{CloseTimeout: 30 * time.Millisecond}, 1000, "",
			func(t *testing.T, p *rawPeer, _ *websocket.Conn, closed <-chan error) {
				p.expectClose(1000)
				if err := await(t, closed); !errors.Is(err, websocket.ErrCloseTimeout) {
					t.Fatal(err)
				}
				p.expectEnd()
			})
	}
}

func TestBoth_7_1_2_PeerThatFloodsInsteadOfAnsweringCloseIsLeft(t *testing.T) {
	closing(t, false, websocket.DialOptions{CloseTimeout: 50 * time.Millisecond}, 1000, "",
		func(t *testing.T, p *rawPeer, _ *websocket.Conn, closed <-chan error) {
			p.expectClose(1000)
			frame := p.frame(fin|text, strings.Repeat("x", 1000))
			for {
				if _, err := p.nc.Write(frame); err != nil {
					break
				}
			}
			if err := await(t, closed); !errors.Is(err, websocket.ErrCloseTimeout) {
				t.Fatal(err)
			}
		})
}

func TestBoth_7_1_5_EndWithoutCloseFrameIs1006(t *testing.T) {
	for name, cut := range map[string]func(p *rawPeer){
		"FIN":              func(p *rawPeer) { p.nc.Close() },
		"half close":       func(p *rawPeer) { p.nc.(*net.TCPConn).CloseWrite() },
		"reset":            func(p *rawPeer) { p.nc.(*net.TCPConn).SetLinger(0); p.nc.Close() },
		"within a header":  func(p *rawPeer) { p.write(p.frame(fin|text, "hello")[:1]); p.nc.Close() },
		"within a frame":   func(p *rawPeer) { f := p.frame(fin|text, "hello"); p.write(f[:len(f)-1]); p.nc.Close() },
		"within a message": func(p *rawPeer) { p.send(text, "hello"); p.nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
				cut(p)
				err := end()
				wantClose(t, err, websocket.StatusAbnormalClosure, "")
				if name != "reset" && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("the cause is missing: %v", err)
				}
				if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
					t.Fatal(websocket.CloseStatus(err))
				}
			})
		})
	}
}

func TestBoth_7_4_1_OnlyCodesThatMayBeSentAreSent(t *testing.T) {
	for _, code := range []websocket.StatusCode{-1, 0, 999, 1004, 1006, 1015, 1016, 2999, 5000, 70000} {
		closing(t, false, websocket.DialOptions{}, code, "x", func(t *testing.T, p *rawPeer, _ *websocket.Conn, closed <-chan error) {
			p.expectClose(1011)
			p.sendClose(1011, "")
			p.nc.(*net.TCPConn).CloseWrite()
			if err := await(t, closed); !errors.Is(err, websocket.ErrBadClose) {
				t.Fatal(code, err)
			}
		})
	}
	closing(t, false, websocket.DialOptions{}, websocket.StatusNoStatus, "x",
		func(t *testing.T, p *rawPeer, _ *websocket.Conn, closed <-chan error) {
			p.expect(closeOp, "")
			p.send(fin|closeOp, "")
			p.nc.(*net.TCPConn).CloseWrite()
			if err := await(t, closed); err != nil {
				t.Fatal(err)
			}
		})
}

func TestBoth_5_5_1_ReasonIsMadeToFit(t *testing.T) {
	for reason, want := range map[string]string{
		strings.Repeat("x", 123): strings.Repeat("x", 123),
		strings.Repeat("x", 124): strings.Repeat("x", 123),
		strings.Repeat("é", 100): strings.Repeat("é", 61), // 122 bytes
		"a\xffb":                 "a\uFFFDb",
	} {
		closing(t, false, websocket.DialOptions{}, 1000, reason, func(t *testing.T, p *rawPeer, _ *websocket.Conn, closed <-chan error) {
			if f := p.expectClose(1000); string(f.payload[2:]) != want {
				t.Fatalf("%q was sent as %q", reason, f.payload[2:])
			}
			p.sendClose(1000, "")
			p.nc.(*net.TCPConn).CloseWrite()
			if err := await(t, closed); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestBoth_7_1_7_FailingSendsTheCloseFrameThoughInputIsUnread(t *testing.T) {
	bothRoles(t, nil, func(t *testing.T, p *rawPeer, end func() error) {
		// Closing a socket with unread input resets it; the Close frame must get through all the same.
		p.write(p.frame(fin|3, ""), p.frame(fin|binaryOp, strings.Repeat("x", 300_000)))
		p.expectClose(1002)
		if _, err := p.br.ReadByte(); err != io.EOF {
			t.Fatalf("the connection ended with %v, not in order", err)
		}
		p.write(bytes.Repeat(p.frame(fin|binaryOp, strings.Repeat("x", 300_000)), 10)) // is taken, not reset
		p.nc.Close()
		wantProtocolError(t, end(), 1002)
	})
}

func TestBoth_7_1_7_PeerThatDoesNotLeaveIsCut(t *testing.T) {
	bothRoles(t, &websocket.AcceptOptions{CloseTimeout: 30 * time.Millisecond}, func(t *testing.T, p *rawPeer, end func() error) {
		p.send(fin|3, "")
		wantProtocolError(t, end(), 1002) // though p keeps its side open
	})
}
