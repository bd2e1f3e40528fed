package examples_test

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	p := start(t, "echo")
	for _, path := range []string{"/", "/ws", "/chat/42?x=y"} { // as clients of such servers ask
		s := p.dial(path)
		s.text("Hello")
		s.hears("Hello")
		s.text("")
		s.hears("")
		s.text("你好，世界 🎉")
		s.hears("你好，世界 🎉")
		s.leaves(4001, "enough")
	}
}

// TestEveryLength sends messages around each boundary of the three length encodings, and the 70,000 bytes that many a server by
// hand does not read whole.
func TestEveryLength(t *testing.T) {
	t.Parallel()
	s := start(t, "echo").dial("/")
	for _, n := range []int{1, 124, 125, 126, 127, 1023, 1024, 1025, 65535, 65536, 70000, 1 << 20} {
		message := bytes.Repeat([]byte("0123456789"), n/10+1)[:n]
		go s.frame(fin|opBinary, message)
		if first, payload := s.next(); first != fin|opBinary || !bytes.Equal(payload, message) {
			t.Fatalf("of %d bytes %d came back, %#x", n, len(payload), first)
		}
	}
	s.frame(fin|opBinary, make([]byte, 1<<20+1))
	s.isClosed(1009)
}

func TestFragmentsAreOneMessage(t *testing.T) {
	t.Parallel()
	s := start(t, "echo").dial("/")
	s.frame(opText, []byte("Hel"))
	s.frame(opContinuation, nil)
	s.frame(fin|opPing, []byte("still there?")) // may come between
	s.frame(fin|opContinuation, []byte("lo"))
	if first, payload := s.next(); first != fin|opPong || string(payload) != "still there?" {
		t.Fatalf("%#x %q is no pong", first, payload)
	}
	s.hears("Hello")
}

// TestSeveralMessagesInOnePacket: TCP has no messages, so one read may bring many or a part of one.
func TestSeveralMessagesInOnePacket(t *testing.T) {
	t.Parallel()
	s := start(t, "echo").dial("/")
	hello := "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
	if _, err := s.conn.Write([]byte(hello + hello + hello[:7])); err != nil {
		t.Fatal(err)
	}
	s.hears("Hello")
	s.hears("Hello")
	if _, err := s.conn.Write([]byte(hello[7:])); err != nil {
		t.Fatal(err)
	}
	s.hears("Hello")
}

func TestTextThatIsNone(t *testing.T) {
	t.Parallel()
	s := start(t, "echo").dial("/")
	s.frame(fin|opText, []byte{0xff})
	s.isClosed(1007)
}

// TestOtherSites: a page of another site may not connect, unless the flag lets it in.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"echo": "/", "groupchat": "/ws/ann", "directchat": "/ws/ann", "vote-websocket": "/message"} {
		p := start(t, name)
		p.dial(path, "Origin: http://"+p.addr)
		for _, origin := range []string{"http://elsewhere.example", "null"} {
			if _, status := p.try(path, "Origin: "+origin); !strings.Contains(status, " 403 ") {
				t.Errorf("%s lets a page of %s in: %s", name, origin, status)
			}
		}
		open := start(t, name, "--origin", "*")
		open.dial(path, "Origin: http://elsewhere.example")
		open.dial(path, "Origin: null") // a tutorial's page, opened from a disk
	}
}

// TestTheServerSaysGoodbye: who stops a server does not leave its pages guessing.
func TestTheServerSaysGoodbye(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"echo": "/", "groupchat": "/ws/ann", "directchat": "/ws/ann", "vote-websocket": "/message"} {
		p := start(t, name)
		s := p.dial(path)
		s.frame(fin|opPing, nil) // it is in once it is answered
		for first := byte(0); first != fin|opPong; {
			first, _ = s.next()
		}
		p.cmd.Process.Signal(syscall.SIGTERM)
		s.isClosed(1001)
	}
}
