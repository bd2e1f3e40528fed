package examples_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The headers that Chromium sends with each request of a page.
const browserHeaders = `Connection: keep-alive
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36
sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
Accept: */*
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9
`

// meter is a connection that counts its bytes.
type meter struct {
	net.Conn
	up, down int
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.down += n
	return n, err
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.up += n
	return n, err
}

// exchange is one request of a page on an open connection: what it costs in bytes, and what it brought.
func exchange(t *testing.T, m *meter, r *bufio.Reader, path, addr string, headers ...string) (up, down int, body string) {
	t.Helper()
	up, down = m.up, m.down
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: " + addr, "Referer: http://" + addr + "/"}, headers...)
	fmt.Fprint(m, strings.Join(lines, "\r\n")+"\r\n"+strings.ReplaceAll(browserHeaders, "\n", "\r\n")+"\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return m.up - up, m.down - down, string(text)
}

func connect(t *testing.T, p *program) (*meter, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(3 * patience))
	m := &meter{Conn: conn}
	return m, bufio.NewReader(m)
}

// TestTheCostsInTheTutorialAreRight measures what one update costs, and what a minute without any, and compares with the tables.
func TestTheCostsInTheTutorialAreRight(t *testing.T) {
	t.Parallel()
	measured := map[string][]int{} // row: up, down, round trips

	poll := start(t, "vote-poll")
	m, r := connect(t, poll)
	poll.post("/ticket", "2")
	up, down, page := exchange(t, m, r, "/", poll.addr)
	if !strings.Contains(page, `count-2">1<`) {
		t.Fatalf("no update in\n%s", page)
	}
	measured["poll, update"] = []int{up, down, 1}
	measured["poll, minute"] = []int{30 * up, 30 * down, 30} // with or without news, it is the same

	long := start(t, "vote-longpoll")
	m, r = connect(t, long)
	up, down, body := exchange(t, m, r, "/get_new_vote", long.addr, "Cookie: visitor=ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if !strings.Contains(body, `"count":0`) { // an update, since it does not know this visitor
		t.Fatalf("no update in %s", body)
	}
	measured["long poll, update"] = []int{up, down, 1}
	for range 2 {
		exchange(t, m, r, "/get_new_vote", long.addr, "Cookie: visitor=ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	}
	up, down, body = exchange(t, m, r, "/get_new_vote", long.addr, "Cookie: visitor=ABCDEFGHIJKLMNOPQRSTUVWXYZ") // held 10 s
	if !strings.Contains(body, `"status":false`) {
		t.Fatalf("news: %s", body)
	}
	measured["long poll, minute"] = []int{6 * up, 6 * down, 6}

	vote := start(t, "vote-websocket")
	m, r = connect(t, vote)
	up, _, _ = exchange(t, m, r, "/message", vote.addr, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	measured["WebSocket, once"] = []int{up, handshakeBytes(t, vote), 1}
	s := &socket{t: t, conn: m, r: r}
	for range 3 {
		s.next()
	}
	before := m.down
	other := vote.dial("/message")
	other.text("2")
	s.hears(`{"uid":"2","count":1}`)
	measured["WebSocket, update"] = []int{0, m.down - before, 0}
	// Nothing is said for 30 s: it pings. The answer has a masking key, and is six bytes.
	before, upBefore := m.down, m.up
	if first, payload := s.next(); first != fin|opPing || len(payload) > 8 {
		t.Fatalf("in silence it sends %#x %q", first, payload)
	} else {
		s.frame(fin|opPong, payload)
	}
	measured["WebSocket, minute"] = []int{2 * (m.up - upBefore), 2 * (m.down - before), 2}

	for _, file := range tutorials {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for row, want := range measured {
			cells := regexp.MustCompile(`(?m)^\| <!-- ` + row + ` -->[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|`).FindStringSubmatch(string(text))
			if cells == nil {
				t.Errorf("%s: the row %q is missing; measured %v", file, row, want)
				continue
			}
			for i, n := range want {
				shown, err := strconv.Atoi(strings.NewReplacer(",", "", " ", "").Replace(cells[i+1]))
				if err != nil || shown > n+n/10 || shown < n-n/10 {
					t.Errorf("%s: the row %q says %s, and it is %d", file, row, cells[i+1], n)
				}
			}
		}
	}
}

// handshakeBytes is the length of the server's answer to a handshake, up to the empty line.
func handshakeBytes(t *testing.T, p *program) int {
	t.Helper()
	m, r := connect(t, p)
	fmt.Fprintf(m, "GET /message HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", p.addr)
	n := 0
	for line := ""; line != "\r\n"; n += len(line) {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
