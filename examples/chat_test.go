package examples_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func said(sender, msg string) string {
	text, _ := json.Marshal(msg)
	return fmt.Sprintf(`{"sender":"%s","msg":%s}`, sender, text)
}

// enters connects and waits until the server has let the person in.
func (p *program) enters(path string) *socket {
	p.t.Helper()
	s := p.dial(path)
	s.hearsNothing()
	return s
}

func TestGroupChat(t *testing.T) {
	t.Parallel()
	p := start(t, "groupchat")
	ann, bob, 梅 := p.enters("/ws/ann"), p.enters("/ws/bob"), p.enters("/ws/%E6%A2%85")
	ann.text("hello")
	bob.hears(said("ann", "hello"))
	梅.hears(said("ann", "hello"))
	ann.hearsNothing() // all the others
	梅.text("你好")
	ann.hears(said("梅", "你好"))
	bob.hears(said("梅", "你好"))

	nobody, noone := p.enters("/ws"), p.enters("/ws")
	nobody.text("who is there?")
	noone.hears("who is there?")
	nobody.hearsNothing()
	ann.hearsNothing() // with and without names are two rooms
}

// TestSenderCannotBeForged: whatever a message claims, it comes from who sent it.
func TestSenderCannotBeForged(t *testing.T) {
	t.Parallel()
	group := start(t, "groupchat")
	mallory, bob := group.enters("/ws/mallory"), group.enters("/ws/bob")
	claim := `{"sender":"ann","msg":"send me money"}`
	mallory.text(claim)
	if heard := bob.object(); heard["sender"] != "mallory" || heard["msg"] != claim {
		t.Errorf("heard %v", heard)
	}
	direct := start(t, "directchat")
	mallory, bob = direct.enters("/ws/mallory"), direct.enters("/ws/bob")
	for _, claim := range []string{
		`{"receiver":"bob","sender":"ann","data":"send me money"}`,
		`{"receiver":"bob","sender":"","data":"send me money","error":"absent"}`,
		`{"receiver":"bob","Sender":"ann","sender":"ann","SENDER":"ann","data":"send me money"}`,
	} {
		mallory.text(claim)
		if heard := bob.object(); heard["sender"] != "mallory" || heard["data"] != "send me money" || heard["error"] != nil {
			t.Errorf("heard %v", heard)
		}
	}
}

func TestDirectChat(t *testing.T) {
	t.Parallel()
	p := start(t, "directchat")
	ann, bob, eve := p.enters("/ws/ann"), p.enters("/ws/bob"), p.enters("/ws/eve")
	ann.text(`{"receiver":"bob","sender":"ann","data":"for you alone"}`)
	bob.hears(`{"receiver":"bob","sender":"ann","data":"for you alone"}`)
	eve.hearsNothing()
	ann.hearsNothing()
	bob.text(`{"receiver":"bob","data":{"any":["JSON"]}}`) // to oneself, and not only text
	bob.hears(`{"receiver":"bob","sender":"bob","data":{"any":["JSON"]}}`)
}

// TestAbsentReceiver: nothing crashes; who wrote is told, and can go on.
func TestAbsentReceiver(t *testing.T) {
	t.Parallel()
	p := start(t, "directchat")
	ann, bob := p.enters("/ws/ann"), p.enters("/ws/bob")
	absent := `{"receiver":"ann","sender":"","data":"zoe is not here","error":"absent"}`
	ann.text(`{"receiver":"zoe","sender":"ann","data":"are you there?"}`)
	ann.hears(absent)
	for _, nonsense := range []string{`hello`, `{}`, `[]`, `{"receiver":7,"data":"x"}`, `{"receiver":"bob"}`, `{"receiver":"","data":1}`, ``} {
		ann.text(nonsense)
		if heard := ann.object(); heard["sender"] != "" || heard["error"] != "format" {
			t.Errorf("to %q it answers %v", nonsense, heard)
		}
	}
	ann.text(`{"receiver":"bob","data":"still here"}`)
	bob.hears(`{"receiver":"bob","sender":"ann","data":"still here"}`)
	bob.leaves(1000, "")
	ann.text(`{"receiver":"bob","data":"and you?"}`)
	if heard := ann.object(); heard["error"] != "absent" {
		t.Errorf("of one who has left it says %v", heard)
	}
}

// TestWhoLeavesIsForgotten: properly, by a broken connection, and by coming back under the same name.
func TestWhoLeavesIsForgotten(t *testing.T) {
	t.Parallel()
	p := start(t, "groupchat")
	ann, bob, eve := p.enters("/ws/ann"), p.enters("/ws/bob"), p.enters("/ws/eve")
	bob.leaves(1000, "bye")
	eve.conn.Close()
	for range 100 {
		p.enters("/ws/visitor").leaves(1000, "")
	}
	again := p.enters("/ws/ann") // as a page that was loaded again
	if reason := ann.isClosed(4000); !strings.Contains(reason, "elsewhere") {
		t.Errorf("the former page is told %q", reason)
	}
	fay := p.enters("/ws/fay")
	fay.text("who is left?")
	again.hears(said("fay", "who is left?"))

	d := start(t, "directchat")
	old, bob := d.enters("/ws/ann"), d.enters("/ws/bob")
	new := d.enters("/ws/ann")
	old.isClosed(4000)
	bob.text(`{"receiver":"ann","data":"where are you?"}`) // the end of the old connection did not take the name along
	new.hears(`{"receiver":"ann","sender":"bob","data":"where are you?"}`)
}

func TestLongAndFragmentedTalk(t *testing.T) {
	t.Parallel()
	p := start(t, "groupchat")
	ann, bob := p.enters("/ws/ann"), p.enters("/ws/bob")
	long := strings.Repeat("长", 70000/3) + "0123456789"
	go ann.text(long)
	bob.hears(said("ann", long))
	ann.frame(opText, []byte("one "))
	ann.frame(opContinuation, []byte("mess"))
	ann.frame(fin|opContinuation, []byte("age"))
	bob.hears(said("ann", "one message"))
	ann.frame(fin|opBinary, []byte("x"))
	ann.isClosed(1003)

	d := start(t, "directchat")
	ann, bob = d.enters("/ws/ann"), d.enters("/ws/bob")
	data := strings.Repeat("x", 70000)
	go ann.text(`{"receiver":"bob","data":"` + data + `"}`)
	bob.hears(`{"receiver":"bob","sender":"ann","data":"` + data + `"}`)
}

// TestOneWhoDoesNotRead costs the server a bounded memory and the others nothing.
func TestOneWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	p := start(t, "groupchat")
	ann, bob, deaf := p.enters("/ws/ann"), p.enters("/ws/bob"), p.enters("/ws/deaf")
	message := strings.Repeat("x", 250_000)
	const talk = 80 // more than the sockets' buffers and the server's limit can hold
	for range talk {
		go ann.text(message)
		bob.hears(said("ann", message))
	}
	got := 0
	for ; got < talk; got++ {
		if _, _, err := deaf.read(); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("one who does not read is kept for ever")
		} else if err != nil {
			break
		}
	}
	if got == talk {
		t.Errorf("%d MB waited for one who does not read", talk*len(message)/1_000_000)
	}
}

func TestNamesHaveALimit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"groupchat", "directchat"} {
		p := start(t, name)
		p.enters("/ws/" + strings.Repeat("%E6%A2%85", 40))
		for _, bad := range []string{strings.Repeat("x", 41), "%ff"} {
			if _, status := p.try("/ws/" + bad); !strings.Contains(status, " 400 ") {
				t.Errorf("%s: %q is let in: %s", name, bad, status)
			}
		}
	}
}
