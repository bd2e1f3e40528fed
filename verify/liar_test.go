package verify_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/websocket"
)

// batch is a batch whose messages stay the bytes that they are.
type batch struct {
	Channel  string            `json:"channel"`
	From     string            `json:"from,omitempty"`
	To       string            `json:"to,omitempty"`
	Messages []json.RawMessage `json:"messages"`
	More     bool              `json:"more,omitempty"`
	Gap      json.RawMessage   `json:"gap,omitempty"`
}

// liar stands before a server and passes everything on, with a lie in it.
type liar struct {
	url, to string
	told    atomic.Int64
	client  *http.Client

	// batch changes what readers are given, in place or by returning others; stream tells SSE and WebSocket from polls.
	batch func(l *liar, b *batch, stream bool) []*batch
	// request sees what is changed on the server, and may answer itself.
	request func(l *liar, w http.ResponseWriter, r *http.Request, body []byte) bool
	// response changes answers to what was changed on the server; replayed: to a repetition.
	response func(l *liar, r *http.Request, replayed bool, body []byte) []byte
	// command changes what a WebSocket client says.
	command func(l *liar, text []byte) [][]byte
}

// A lie is told a few times: readers that leave and publishers that hang up may not hear it.
const times, enough = 6, 3

// may reports whether to lie now.
func (l *liar) may() bool { return l.told.Add(1) <= times }

func (l *liar) start(t *testing.T, to string) {
	l.to, l.client = to, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	s := httptest.NewServer(l)
	l.url = s.URL
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		l.client.CloseIdleConnections()
	})
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if websocket.IsUpgrade(r) {
		l.tunnel(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	changes := r.Method != http.MethodGet
	if changes && l.request != nil && l.request(l, w, r, body) {
		return
	}
	out, _ := http.NewRequestWithContext(r.Context(), r.Method, l.to+r.URL.RequestURI(), bytes.NewReader(body))
	out.Header = r.Header.Clone()
	out.Header.Del("Accept-Encoding")
	resp, err := l.client.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		w.WriteHeader(resp.StatusCode)
		l.events(w, resp.Body)
		return
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch {
	case changes && l.response != nil && resp.StatusCode < 300:
		answer = l.response(l, r, resp.Header.Get("Idempotency-Replayed") != "", answer)
	case !changes && l.batch != nil && resp.StatusCode == http.StatusOK && strings.HasSuffix(r.URL.Path, "/messages"):
		answer = l.polled(answer)
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

func (l *liar) polled(answer []byte) []byte {
	var many struct {
		Batches []*batch `json:"batches"`
	}
	if json.Unmarshal(answer, &many) == nil && many.Batches != nil {
		var batches []*batch
		for _, b := range many.Batches {
			batches = append(batches, l.batch(l, b, false)...)
		}
		many.Batches = batches
		answer, _ = json.Marshal(many)
		return answer
	}
	var one batch
	if json.Unmarshal(answer, &one) == nil && one.To != "" {
		answer, _ = json.Marshal(l.batch(l, &one, false)[0])
	}
	return answer
}

// streamed is what an object of a stream becomes.
func (l *liar) streamed(data []byte) [][]byte {
	var b batch
	if l.batch == nil || json.Unmarshal(data, &b) != nil || b.To == "" || b.Messages == nil {
		return [][]byte{data}
	}
	var out [][]byte
	for _, b := range l.batch(l, &b, true) {
		data, _ := json.Marshal(b)
		out = append(out, data)
	}
	return out
}

func (l *liar) events(w http.ResponseWriter, from io.Reader) {
	for lines := bufio.NewReader(from); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if data, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: ")); ok {
			line = nil
			for _, o := range l.streamed(data) {
				line = append(append(append(line, "data: "...), o...), "\n\n"...)
			}
		}
		if _, err := w.Write(line); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

func (l *liar) tunnel(w http.ResponseWriter, r *http.Request) {
	server, _, err := websocket.Dial(r.Context(), "ws"+strings.TrimPrefix(l.to, "http")+r.URL.RequestURI(),
		&websocket.DialOptions{Header: http.Header{"Authorization": r.Header["Authorization"]}, ReadLimit: 16 << 20})
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer server.CloseNow()
	client, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer client.CloseNow()
	var pumps sync.WaitGroup
	pump := func(to, from *websocket.Conn, lie func([]byte) [][]byte) {
		defer to.CloseNow()
		for {
			_, data, err := from.Read(context.Background())
			if err != nil {
				return
			}
			for _, o := range lie(data) {
				if to.Write(context.Background(), websocket.MessageText, o) != nil {
					return
				}
			}
		}
	}
	pumps.Go(func() { pump(client, server, l.streamed) })
	pumps.Go(func() {
		pump(server, client, func(text []byte) [][]byte {
			if l.command == nil {
				return [][]byte{text}
			}
			return l.command(l, text)
		})
	})
	pumps.Wait()
}
