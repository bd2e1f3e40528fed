package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"parley"
)

// house is a real server behind a real socket, in this process, that can be killed and started again in the same place.
type house struct {
	t      testing.TB
	config parley.Config
	url    string
	lines  *lines

	inside sync.RWMutex // held for reading by every request
	server *parley.Server
}

func open(t testing.TB, change ...func(*parley.Config)) *house {
	t.Helper()
	h := &house{t: t, config: parley.Config{Data: t.TempDir()}}
	for _, f := range change {
		f(&h.config)
	}
	h.lines = listen(t)
	h.url = "http://" + h.lines.Addr().String()
	h.start()
	s := &http.Server{Handler: h, MaxHeaderBytes: parley.MaxHeaderBytes}
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(h.lines) }()
	t.Cleanup(func() {
		h.kill()
		s.Close()
		<-served
	})
	return h
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.inside.RLock()
	defer h.inside.RUnlock()
	if h.server == nil {
		panic(http.ErrAbortHandler)
	}
	h.server.ServeHTTP(w, r)
}

func (h *house) start() {
	h.t.Helper()
	p, err := parley.New(context.Background(), h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	h.inside.Lock()
	h.server = p
	h.inside.Unlock()
}

// kill breaks every connection, without a word, and closes the database.
func (h *house) kill() {
	h.lines.down(true)
	h.inside.Lock()
	p := h.server
	h.server = nil
	h.inside.Unlock()
	h.lines.down(false)
	if p == nil {
		return
	}
	if err := errors.Join(p.Shutdown(context.Background()), p.Close()); err != nil {
		h.t.Error(err)
	}
}

// copy keeps what is in the data folder, or puts it back. The server must be dead.
func (h *house) copy(from, to string) {
	h.t.Helper()
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
		h.t.Fatal(err)
	}
}

// lines is a listener whose connections can be broken.
type lines struct {
	net.Listener
	mu    sync.Mutex
	dead  bool
	conns map[net.Conn]bool
}

func listen(t testing.TB) *lines {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &lines{Listener: l, conns: map[net.Conn]bool{}}
}

func (l *lines) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		c.Close()
	}
	l.conns[c] = true
	return &line{c.(*net.TCPConn), l}, nil
}

// down breaks all connections, and as long as dead is true all new ones.
func (l *lines) down(dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = dead
	for c := range l.conns {
		c.Close()
	}
	clear(l.conns)
}

// line is one connection; it stays a *net.TCPConn in what it can do.
type line struct {
	*net.TCPConn
	l *lines
}

func (c *line) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c.TCPConn)
	c.l.mu.Unlock()
	return c.TCPConn.Close()
}

// hurried is everything that a program waits for, in a hurry; but a busy machine still has the time to say hello.
var hurried = Timeouts{
	Request: 10 * time.Second, Wait: 2 * time.Second, Hello: 5 * time.Second, Poll: 50 * time.Millisecond,
	RetryMin: 20 * time.Millisecond, RetryMax: 200 * time.Millisecond,
	ClimbMin: 200 * time.Millisecond, ClimbMax: time.Second, Stable: 300 * time.Millisecond,
}

// frantic is for where it does not matter which transport is found, only that nothing is lost on the way.
func frantic() Timeouts {
	t := hurried
	t.Hello, t.Request = 300*time.Millisecond, 2*time.Second
	return t
}

// client makes a client of a server, or of a proxy before it, that ends with the test.
func connect(t testing.TB, url string, change ...func(*Options)) *Client {
	t.Helper()
	transport := &http.Transport{}
	o := Options{Timeouts: hurried, HTTPClient: &http.Client{Transport: transport}}
	for _, f := range change {
		f(&o)
	}
	c, err := New(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		transport.CloseIdleConnections()
	})
	return c
}

func by(kind Transport) func(*Options)   { return func(o *Options) { o.Transport = kind } }
func with(times Timeouts) func(*Options) { return func(o *Options) { o.Timeouts = times } }

// person is a client that has signed in.
func person(t testing.TB, url, name string, change ...func(*Options)) *Client {
	t.Helper()
	c := connect(t, url, change...)
	if _, err := c.SignIn(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return c
}

func room(t testing.TB, c *Client, name string) string {
	t.Helper()
	r, err := c.CreateRoom(t.Context(), NewRoom{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return r.Channel
}

func say(t testing.TB, c *Client, channel string, texts ...string) Receipt {
	t.Helper()
	var last Receipt
	for _, text := range texts {
		var err error
		if last, err = c.SendText(t.Context(), channel, text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	return last
}

// numbers are from … to as texts.
func numbers(from, to int) []string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// log is what a subscription has given so far.
type log struct {
	t    testing.TB
	sub  *Subscription
	mu   sync.Mutex
	all  []Message
	gaps []*Gap
	err  error
	done bool
}

// read takes everything that a subscription gives, until it ends.
func read(t testing.TB, sub *Subscription) *log {
	l := &log{t: t, sub: sub}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for m, err := range sub.Messages() {
			l.mu.Lock()
			var gap *Gap
			if errors.As(err, &gap) {
				l.gaps = append(l.gaps, gap)
			} else if err != nil {
				l.err = err
			} else {
				l.all = append(l.all, m)
			}
			l.mu.Unlock()
		}
		l.mu.Lock()
		l.done = true
		l.mu.Unlock()
	}()
	t.Cleanup(func() { sub.Close(); <-ended })
	return l
}

func (l *log) messages() []Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[:len(l.all):len(l.all)]
}

func (l *log) texts() []string {
	var all []string
	for _, m := range l.messages() {
		if m.Type == "text" {
			all = append(all, m.Text())
		}
	}
	return all
}

func (l *log) reasons() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, g := range l.gaps {
		all = append(all, g.Reason)
	}
	return all
}

func (l *log) ended() (error, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err, l.done
}

// until waits for something to become true.
func until(t testing.TB, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !check(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func isOpen(t testing.TB, c *Client, kind Transport) {
	t.Helper()
	await(t, c, func(now Connection) bool { return now.State == Open && (kind == "" || now.Transport == kind) })
}

func await(t testing.TB, c *Client, wanted func(Connection) bool) Connection {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	now, err := c.Await(ctx, wanted)
	if err != nil {
		t.Fatalf("the connection is %+v: %v", now, err)
	}
	return now
}

func codeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func fails(t testing.TB, err error, code string) {
	t.Helper()
	if codeOf(err) != code {
		t.Fatalf("the error is %v, want code %s", err, code)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
