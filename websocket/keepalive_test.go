package websocket

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is a server's Conn over a pipe, in a bubble of fake time, and the client's end of it by hand.
func pipe(t *testing.T, o AcceptOptions) (*Conn, net.Conn) {
	ours, theirs := net.Pipe()
	c := plainConn(ours, false, o.limits())
	t.Cleanup(func() { theirs.Close(); c.CloseNow() })
	return c, theirs
}

// plainConn is a connection whose handshake agreed on nothing.
func plainConn(nc net.Conn, client bool, l limits) *Conn {
	return newConn(nc, nil, client, &agreement{}, &l, nil)
}

// receive reads the next frame's opcode; frames here are short and unmasked.
func receive(t *testing.T, nc net.Conn) opcode {
	t.Helper()
	var h [2]byte
	if _, err := nc.Read(h[:]); err != nil {
		t.Fatal(err)
	}
	if h[1] > 0 {
		nc.Read(make([]byte, h[1]))
	}
	return opcode(h[0] & 0x0F)
}

func clientFrame(op opcode, payload string) []byte {
	return appendFrame(nil, header{fin: true, opcode: op, masked: true}, []byte(payload))
}

// readLoop reads until the error, which it sends.
func readLoop(c *Conn) <-chan error {
	ch := make(chan error, 1)
	go func() {
		for {
			if _, _, err := c.Read(context.Background()); err != nil {
				ch <- err
				return
			}
		}
	}()
	return ch
}

func TestKeepalive_SilentPeerIsPingedThenLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{})
		ended := readLoop(c)
		start := time.Now()
		for range 3 { // it answers: it stays
			if op := receive(t, peer); op != opPing {
				t.Fatal(op)
			}
			time.Sleep(14 * time.Second)
			peer.Write(clientFrame(opPong, ""))
		}
		if op := receive(t, peer); op != opPing {
			t.Fatal(op)
		}
		pinged := time.Now()
		err := <-ended
		if !errors.Is(err, ErrPongTimeout) || CloseStatus(err) != StatusAbnormalClosure {
			t.Fatal(err)
		}
		if waited := time.Since(pinged); waited != DefaultPongTimeout {
			t.Fatalf("left after %v", waited)
		}
		// First ping after 30 s; then, as the pong 14 s later counts at the next look, 15 s + 30 s apart.
		if total := pinged.Sub(start); total != 30*time.Second+3*45*time.Second {
			t.Fatalf("the last ping came after %v", total)
		}
		if err := c.Write(context.Background(), MessageText, nil); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrPongTimeout) {
			t.Fatal(err)
		}
	})
}

func TestKeepalive_PeerThatSendsIsNotPinged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{})
		ended := readLoop(c)
		for range 20 {
			time.Sleep(20 * time.Second)
			peer.Write(clientFrame(opText, "still here"))
			synctest.Wait()
		}
		got := make(chan opcode)
		go func() { got <- receive(t, peer) }()
		time.Sleep(29 * time.Second) // 20 s after its last frame at most one look has passed
		select {
		case op := <-got:
			t.Fatalf("it was sent opcode %d", op)
		default:
		}
		<-got // but the ping comes
		c.CloseNow()
		<-ended
	})
}

func TestKeepalive_AnApplicationThatDoesNotReadIsNotThePeersFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{})
		go func() { // a peer that answers whatever comes; the pongs wait until somebody reads
			for {
				var h [2]byte
				if _, err := peer.Read(h[:]); err != nil {
					return
				}
			}
		}()
		time.Sleep(time.Hour)
		if err := c.ended(); err != nil {
			t.Fatal(err)
		}
		ended := readLoop(c) // from here on it counts
		time.Sleep(time.Minute)
		select {
		case err := <-ended:
			if !errors.Is(err, ErrPongTimeout) {
				t.Fatal(err)
			}
		default:
			t.Fatal("a peer that answers nothing was kept")
		}
	})
}

func TestKeepalive_AReadThatBeganAfterThePingGivesThePeerItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{})
		if op := receive(t, peer); op != opPing { // while nobody reads
			t.Fatal(op)
		}
		time.Sleep(DefaultPongTimeout - time.Second)
		ended := readLoop(c)
		time.Sleep(DefaultPongTimeout - 2*time.Second)
		peer.Write(clientFrame(opPong, ""))
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
		c.CloseNow()
		<-ended
	})
}

func TestKeepalive_CanBeDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{PingInterval: -1})
		ended := readLoop(c)
		time.Sleep(24 * time.Hour)
		go peer.Write(clientFrame(opPing, "x"))
		if op := receive(t, peer); op != opPong {
			t.Fatal(op)
		}
		c.CloseNow()
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	})
}

func TestKeepalive_PeerThatTakesNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := pipe(t, AcceptOptions{}) // nobody reads the other end: the ping itself cannot be written
		start := time.Now()
		err := <-readLoop(c)
		if !errors.Is(err, ErrWriteTimeout) || time.Since(start) != DefaultPingInterval+DefaultWriteTimeout {
			t.Fatal(err, time.Since(start))
		}
	})
}

func TestAnswers_AreBoundedWhileAnotherWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{PingInterval: -1, WriteTimeout: -1})
		ended := readLoop(c)
		go c.Write(context.Background(), MessageBinary, make([]byte, 10)) // hangs: the peer does not read yet
		synctest.Wait()
		for i := range 1000 {
			peer.Write(clientFrame(opPing, string(bytes.Repeat([]byte{byte(i)}, 125))))
			synctest.Wait() // the reader is not held up
		}
		if c.answers.n > smallBuffer {
			t.Fatalf("%d bytes of pongs wait", c.answers.n)
		}
		if op := receive(t, peer); op != opBinary {
			t.Fatal(op)
		}
		var last byte
		pongs := 0
		for last != byte(999&0xff) {
			var frame [127]byte
			for n := 0; n < len(frame); {
				k, err := peer.Read(frame[n:])
				if err != nil {
					t.Fatal(err)
				}
				n += k
			}
			if opcode(frame[0]&0x0F) != opPong {
				t.Fatal(frame[0])
			}
			last = frame[126]
			pongs++
		}
		if pongs > smallBuffer/127 {
			t.Fatalf("%d pongs", pongs)
		}
		c.CloseNow()
		<-ended
	})
}

func TestServer_10_4_MessagesInTimeAreNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := pipe(t, AcceptOptions{})
		ended := readLoop(c)
		f := clientFrame(opText, "hello")
		peer.Write(f[:7])
		for range 4 { // together longer than one may take; with the end of each comes the first byte of the next
			time.Sleep(25 * time.Second)
			peer.Write(append(bytes.Clone(f[7:]), f[0]))
			time.Sleep(25 * time.Second)
			peer.Write(f[1:7])
			synctest.Wait()
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
		start := time.Now()
		if op := receive(t, peer); op != opClose {
			t.Fatal(op)
		}
		if waited := time.Since(start); waited != DefaultMessageTimeout-25*time.Second {
			t.Fatalf("it was cut after another %v", waited)
		}
		peer.Close()
		if err := <-ended; !errors.Is(err, ErrMessageTimeout) {
			t.Fatal(err)
		}
	})
}
