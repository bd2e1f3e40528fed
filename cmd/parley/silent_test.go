package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestSIGTERMLetsSilentClientsGo: whoever waits without a goroutine is told too, and the process ends by itself within the grace time.
func TestSIGTERMLetsSilentClientsGo(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	messages := "GET /v1/channels/room:lobby/messages?after=end"
	kinds := []struct{ request, greeting, goodbye string }{
		{messages + "&wait=60 HTTP/1.1\r\n", "", "HTTP/1.1 200 OK"},
		{messages + " HTTP/1.1\r\nAccept: text/event-stream\r\n", "HTTP/1.1 200 OK", "event: bye"},
		{messages + " HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "HTTP/1.1 101", `{"bye":`},
	}
	const each = 40
	var told sync.WaitGroup
	for i := range each {
		for _, k := range kinds {
			person := s.signIn(fmt.Sprintf("P%d %d", i, len(k.request)))
			c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
			fmt.Fprintf(c, "%sHost: parley\r\nAuthorization: Bearer %s\r\n\r\n", k.request, person.token)
			in := bufio.NewReader(c)
			if k.greeting != "" {
				if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, k.greeting) {
					t.Fatalf("got %q, %v", line, err)
				}
			}
			told.Go(func() {
				rest, err := io.ReadAll(in)
				if !strings.Contains(string(rest), k.goodbye) {
					t.Errorf("who asked %q was not told: %q, %v", k.request, rest, err)
				}
			})
		}
	}
	var here struct{ Count int }
	for c := s.signIn("Ann"); here.Count < len(kinds)*each; {
		if err := c.insist("GET", "/v1/channels/room:lobby/presence", nil, &here); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told.Wait()
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(s.out.String(), "within the grace time") {
		t.Errorf("exit code %d:\n%s", code, s.out)
	}
}
