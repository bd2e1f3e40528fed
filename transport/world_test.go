package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/sqlite"
	"parley/transport"
	"parley/websocket"
)

// patience is how long a test waits for what must happen, before it fails.
const patience = 30 * time.Second

const lobby = channel.Name("room:lobby")

// world is a server with a real hub, engine and sockets.
type world struct {
	t         *testing.T
	url       string
	http      *http.Client
	server    *httptest.Server
	transport *transport.Transport
	hub       *channel.Hub
	engine    *sqlite.Engine
	site      *site
}

// policies keep so little of "short:" channels that tests can outlive it, and conflate "vote:" ones.
var policies = channel.Policies{
	"vote":  {Conflate: true},
	"short": {KeepCount: 10},
}

// withFront says whether silent clients have no goroutine.
var withFront = true

func newWorld(t *testing.T, o transport.Options) *world {
	return newWorldOver(t, o, (*httptest.Server).Start)
}

func newWorldOver(t *testing.T, o transport.Options, start func(*httptest.Server)) *world {
	t.Helper()
	engine, err := sqlite.Open(filepath.Join(t.TempDir(), "parley.db"), sqlite.Options{Policies: policies, SweepEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	hub := channel.NewHub(engine, channel.Options{Policies: policies})
	s := &site{hub: hub, forbidden: map[channel.Name]error{}, lenses: map[channel.Name]channel.Lens{}, ended: map[string]bool{}}
	o.Node = "n1"
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	tr := transport.New(hub, s, o)
	mux := http.NewServeMux()
	tr.Register(mux)
	server := httptest.NewUnstartedServer(mux)
	if withFront {
		server.Listener = tr.Front(server.Config, server.Listener)
	}
	start(server)
	w := &world{t, server.URL, server.Client(), server, tr, hub, engine, s}
	w.http.Timeout = 10 * patience // of a whole stream, which may be a long one
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := tr.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		server.Client().CloseIdleConnections()
		server.Close()
		hub.Close()
		if err := engine.Close(); err != nil {
			t.Errorf("closing the engine: %v", err)
		}
		if n := s.held.Load(); n != 0 {
			t.Errorf("%d streams or waiting polls are still held", n)
		}
	})
	return w
}

// say publishes texts, past HTTP, and returns the position of the last.
func (w *world) say(name channel.Name, texts ...string) channel.Position {
	w.t.Helper()
	drafts := make([]channel.Draft, len(texts))
	for i, text := range texts {
		data, _ := json.Marshal(map[string]string{"text": text})
		drafts[i] = channel.Draft{Channel: name, Type: "text", From: channel.Sender{ID: "ann", Name: "Ann"}, Data: data}
	}
	receipts, err := w.hub.Append(context.Background(), drafts...)
	if err != nil {
		w.t.Fatal(err)
	}
	return receipts[len(receipts)-1].Position
}

// answer is what curl -i would show.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request: "GET /path", then a body if it is not empty, with headers as "Name: value".
func (w *world) do(request, body string, headers ...string) answer {
	w.t.Helper()
	a, err := w.try(request, body, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) try(request, body string, headers ...string) (answer, error) {
	r := w.request(context.Background(), request, body, headers...)
	response, err := w.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(content)}, err
}

func (w *world) request(ctx context.Context, request, body string, headers ...string) *http.Request {
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func (w *world) get(path string, headers ...string) answer {
	w.t.Helper()
	return w.do("GET "+path, "", headers...)
}

// is checks an answer's status and, if it is a problem, its code.
func (a answer) is(t *testing.T, status int, code string) answer {
	t.Helper()
	var p struct{ Code, Detail string }
	if code != "" {
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
			t.Fatalf("got %d %s, want problem %s", a.status, a.body, code)
		}
	}
	if a.status != status || p.Code != code {
		t.Fatalf("got %d %s, want %d %s", a.status, a.body, status, code)
	}
	if code != "" && p.Detail == "" && code != "forbidden" && code != "too_many_connections" {
		t.Fatalf("the problem %s does not say what to do", a.body)
	}
	return a
}

// batch is what all transports deliver, as a client would parse it.
type batch struct {
	Channel  string
	From, To string
	More     bool
	Messages []struct {
		Seq  uint64
		Data struct{ Text string }
	}
	Gap *struct{ From, Reason, Resume, Tail string }
}

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func (b *batch) texts() (texts []string) {
	for _, m := range b.Messages {
		texts = append(texts, m.Data.Text)
	}
	return texts
}

// sse is an EventSource.
type sse struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Reader
	cancel   context.CancelFunc
	lastID   string
	retry    string
}

type sseEvent struct{ name, data, id string }

// events opens an EventSource, and reads the greeting.
func (w *world) events(path string, headers ...string) *sse {
	w.t.Helper()
	s, err := w.tryEvents(path, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) tryEvents(path string, headers ...string) (*sse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), w.http.Timeout)
	r := w.request(ctx, "GET "+path, "", headers...)
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/event-stream")
	}
	response, err := w.http.Do(r)
	if err != nil {
		cancel()
		return nil, err
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		content, _ := io.ReadAll(response.Body)
		response.Body.Close()
		cancel()
		return nil, fmt.Errorf("got %s %s", response.Status, content)
	}
	s := &sse{t: w.t, response: response, lines: bufio.NewReader(response.Body), cancel: cancel}
	w.t.Cleanup(s.close)
	if e, err := s.next(); err != nil || e.name != "hello" {
		return nil, fmt.Errorf("the stream began with %+v, %v", e, err)
	}
	return s, nil
}

func (s *sse) close() {
	s.cancel()
	s.response.Body.Close()
}

// next reads an event, as section 9.2.6 of the HTML standard interprets a stream.
func (s *sse) next() (e sseEvent, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.name = value
		case "data":
			e.data += value
		case "id":
			e.id, s.lastID = value, value
		case "retry":
			s.retry = value
		case "":
			if line == "\n" && e.data != "" {
				return e, nil
			}
		}
	}
}

// want reads events until one of the given name, passing over the signals of presence.
func (s *sse) want(name string) sseEvent {
	s.t.Helper()
	for {
		e, err := s.next()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", name, err)
		}
		if e.name == name {
			return e
		}
		if e.name != "signal" && e.name != "heartbeat" {
			s.t.Fatalf("got %s %s, want %s", e.name, e.data, name)
		}
	}
}

// ws is a WebSocket.
type ws struct {
	t    *testing.T
	conn *websocket.Conn
}

// connect opens a WebSocket, and reads the greeting.
func (w *world) connect(path string, headers ...string) *ws {
	w.t.Helper()
	s, err := w.tryConnect(path, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) tryConnect(path string, headers ...string) (*ws, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	header := w.request(ctx, "GET /", "", headers...).Header
	conn, response, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(w.url, "http")+path, &websocket.DialOptions{Header: header})
	if err != nil {
		if response != nil {
			content, _ := io.ReadAll(response.Body)
			return nil, fmt.Errorf("got %s %s: %w", response.Status, content, err)
		}
		return nil, err
	}
	s := &ws{w.t, conn}
	w.t.Cleanup(func() { conn.CloseNow() })
	if hello, err := s.next(); err != nil || !strings.HasPrefix(hello, `{"hello":`) {
		return nil, fmt.Errorf("the stream began with %s, %v", hello, err)
	}
	return s, nil
}

func (s *ws) next() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := s.conn.Read(ctx)
	return string(data), err
}

// send writes a command.
func (s *ws) send(text string) {
	s.t.Helper()
	if err := s.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// sendf is send with a format.
func (s *ws) sendf(format string, args ...any) {
	s.t.Helper()
	s.send(fmt.Sprintf(format, args...))
}

// want reads objects until one that has the given text in it, passing over signals and heartbeats.
func (s *ws) want(part string) string {
	s.t.Helper()
	for {
		text, err := s.next()
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", part, err)
		}
		if strings.Contains(text, part) {
			return text
		}
		if !strings.Contains(text, `"signal":`) && !strings.Contains(text, `{"heartbeat":`) {
			s.t.Fatalf("got %s, want %s", text, part)
		}
	}
}

// closed reads until the connection is closed, and returns how.
func (s *ws) closed() *websocket.CloseError {
	s.t.Helper()
	for {
		_, err := s.next()
		if err == nil {
			continue
		}
		status := websocket.CloseStatus(err)
		if status == 0 {
			s.t.Fatalf("the connection ended with %v", err)
		}
		return &websocket.CloseError{Code: status}
	}
}

// eventually waits for what no event announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen in %v", what, patience)
		}
	}
}
