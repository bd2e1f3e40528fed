package client

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/websocket"
)

const aBatch = `{"channel":"room:a","from":"0","to":"1-x","messages":[{"seq":1,"id":"1","type":"text","from":null,"at":"2026-01-31T09:30:00.000Z","data":{"text":"1"}}]}`

// scripted is a server whose first stream says these objects, and then nothing, ever; the later ones say a batch too.
func scripted(t *testing.T, objects ...string) (url string, streams *atomic.Int32) {
	streams = new(atomic.Int32)
	gone, leave := context.WithCancel(context.Background())
	later := []string{`{"hello":{"heartbeat":15,"user":null}}`, aBatch}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		says := objects
		if streams.Add(1) > 1 {
			says = later
		}
		if websocket.IsUpgrade(r) {
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer c.CloseNow()
			for _, o := range says {
				_ = c.Write(gone, websocket.MessageText, []byte(o))
			}
			for {
				if _, _, err := c.Read(gone); err != nil {
					return
				}
			}
		}
		if !strings.Contains(r.Header.Get("Accept"), "event-stream") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, o := range says {
			fmt.Fprintf(w, "data: %s\n\n", o)
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-gone.Done():
		}
	}))
	t.Cleanup(func() { leave(); s.CloseClientConnections(); s.Close() })
	return s.URL, streams
}

func silenceIsNoticed(t *testing.T) {
	for _, kind := range []Transport{WebSocket, SSE} {
		url, streams := scripted(t, `{"hello":{"heartbeat":0.2,"user":null}}`)
		c := connect(t, url, by(kind))
		got := read(t, c.Subscribe(t.Context(), "room:a", FromStart()))
		until(t, "what the second connection brings", func() bool { return len(got.texts()) == 1 })
		if n := streams.Load(); n != 2 {
			t.Fatalf("%s: %d connections", kind, n)
		}
		c.Close()
	}
}

func byeIsHonoured(t *testing.T) {
	for _, kind := range []Transport{WebSocket, SSE} {
		url, _ := scripted(t, `{"hello":{"heartbeat":15,"user":null}}`, `{"bye":{"retry_after":0.5}}`)
		c := connect(t, url, by(kind))
		waiting := make(chan Connection, 1) // it does not for long, and may be over before somebody looks
		c.env.mu.Lock()
		c.conn.observe = func(now Connection) {
			if now.State == Waiting && len(waiting) == 0 {
				waiting <- now
			}
		}
		c.env.mu.Unlock()
		begun := time.Now()
		got := read(t, c.Subscribe(t.Context(), "room:a", FromStart()))
		now := <-waiting
		if now.RetryAt.Sub(begun) < 500*time.Millisecond {
			t.Fatalf("%s: it comes back after %v", kind, now.RetryAt.Sub(begun))
		}
		until(t, "what the second connection brings", func() bool { return len(got.texts()) == 1 })
		if since := time.Since(begun); since < 500*time.Millisecond {
			t.Fatalf("%s: it came back after %v", kind, since)
		}
		c.Close()
	}
}
