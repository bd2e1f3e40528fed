package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestParsersTakeWholeUnits, wherever what comes is cut.
func TestParsersTakeWholeUnits(t *testing.T) {
	var got []string
	collect := func(p []byte) error { got = append(got, string(p)); return nil }
	answers := func(p []byte) (taken int, err error) {
		for {
			var h Head
			body, n, err := parseAnswer(p[taken:], &h)
			if n == 0 || err != nil {
				return taken, err
			}
			taken += n
			got = append(got, fmt.Sprintf("%d %s %s", h.Status, h.ETag, body))
		}
	}
	frame := func(s string) string { // as a server sends it
		f := appendFrame(nil, opText, []byte(s))
		head := len(f) - len(s) - 4
		f[1] &= 0x7f
		return string(f[:head]) + s
	}
	long := strings.Repeat("long ", 100)
	for _, c := range []struct {
		name  string
		bytes string
		take  func() func([]byte) (int, error)
		want  []string
	}{
		{"answers", "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 304 Not Modified\r\nEtag: b\r\n\r\n" +
			"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
			func() func([]byte) (int, error) { return answers },
			[]string{`200 "a" hi`, "304 b ", "201  abc0123456789"}},
		{"frames", frame("one") + frame(long) + frame("two"),
			func() func([]byte) (int, error) {
				return func(p []byte) (int, error) { return (&Conn{}).frames(p, collect) }
			},
			[]string{"one", long, "two"}},
		{"events", ": hi\n\nevent: a\nid: 1\ndata: one\n\ndata: two\n\n",
			func() func([]byte) (int, error) {
				return func(p []byte) (int, error) { return (&events{}).take(p, collect) }
			},
			[]string{"one", "two"}},
		{"events in chunks", "b\r\ndata: one\n\n\r\n6\r\nid: 2\n\r\n6\r\ndata: \r\n5\r\ntwo\n\n\r\n",
			func() func([]byte) (int, error) {
				e := &events{chunked: true}
				return func(p []byte) (int, error) { return e.take(p, collect) }
			},
			[]string{"one", "two"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for size := 1; size <= len(c.bytes); size++ {
				got = nil
				take, pending := c.take(), []byte(nil)
				for part := range slices.Chunk([]byte(c.bytes), size) {
					pending = append(pending, part...)
					n, err := take(pending)
					if err != nil {
						t.Fatal(err)
					}
					pending = pending[n:]
				}
				if !slices.Equal(got, c.want) || len(pending) != 0 {
					t.Fatalf("in parts of %d: %q, and %q is left", size, got, pending)
				}
			}
		})
	}
}

// TestTheLogFindsOut what readers get that they should not.
func TestTheLogFindsOut(t *testing.T) {
	message := func(publisher int, n int64) string {
		d := NewData(publisher)
		d.Stamp(n, 5)
		return `{"data":` + string(d) + `}`
	}
	a1, a2, a3, b1 := message(1, 1), message(1, 2), message(1, 3), message(2, 1)
	for _, c := range []struct {
		name          string
		first, second string
		want          string
	}{
		{"all well", a1 + b1 + a2, a1 + b1 + a2, ""},
		{"the second is behind", a1 + b1 + a2, a1, ""},
		{"the second is ahead", a1, a1 + b1 + a2, ""},
		{"lost", a1 + a3, "", "message 3 of publisher 1 came after their message 1"},
		{"twice", a1 + a1, "", "message 1 of publisher 1 came after their message 1"},
		{"lost by one", a1 + b1 + a2, a1 + a2, "number 2 of the channel, where others got message 1 of publisher 2"},
		{"another order", a1 + b1, b1 + a1, "number 1 of the channel, where others got message 1 of publisher 1"},
		{"cut", a1[:50], "", "is cut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &Log{}
			var err error
			for _, p := range []string{c.first, c.second} {
				r := &Reader{Conn: &Conn{load: &Load{}}, Log: log}
				_, e := r.Messages([]byte(p))
				err = errors.Join(err, e)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestStamps(t *testing.T) {
	d := NewData(7)
	d.Stamp(123, 1234567890123456789)
	want := `{"p":"007","n":"0000000123","t":"1234567890123456789","x":"`
	if len(d) != Size || !strings.HasPrefix(string(d), want) || !strings.HasSuffix(string(d), `x"}`) {
		t.Errorf("%s", d)
	}
	if get(d[nAt:nAt+10]) != 123 || get(d[tAt:tAt+19]) != 1234567890123456789 || get(d[pAt:pAt+3]) != 7 {
		t.Errorf("it is read otherwise than written: %s", d)
	}
}

// TestAPipe keeps its window, and a large one crosses a kernel that takes only a part of it.
func TestAPipe(t *testing.T) {
	const window, all = 20000, 50000
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	frame := appendFrame(nil, opText, []byte("command"))
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 1024)) // the request
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		buf := make([]byte, len(frame))
		for {
			if _, err := io.ReadFull(c, buf); err != nil || string(buf) != string(frame) {
				return
			}
			_, _ = c.Write([]byte{0x81, 2, 'o', 'k'})
		}
	}()
	l, err := New(netip.MustParseAddrPort(listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := l.Pipe([]byte("GET / HTTP/1.1\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	p.Window = window
	p.Command = func(dst []byte, n int64) ([]byte, error) {
		if ahead := n - p.Answered; ahead > window {
			return nil, fmt.Errorf("command %d is sent when %d are answered", n, p.Answered)
		}
		p.Stopped = n == all
		return append(dst, "command"...), nil
	}
	p.Answer = func(m []byte) (int, error) { return 1, nil }
	if err := errors.Join(l.Until(p.Accepted), p.Go(), l.Until(func() bool { return p.Answered == all })); err != nil {
		t.Fatal(err)
	}
}
