package client

import (
	"bufio"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// faults are what a proxy does wrong. Probabilities are 0 to 1.
type faults struct {
	stripUpgrade bool          // it knows no WebSocket
	bufferSSE    bool          // it holds back what has not ended
	mute         bool          // WebSockets open, and nothing comes, as long as this lasts
	halfClose    bool          // WebSockets: what is sent after the handshake is not passed on, as long as this lasts
	drop         float64       // a connection breaks, at a request, an answer, or a piece of either
	lose         float64       // a request is carried out, its answer lost
	busy         float64       // a publish is answered 503
	delay        time.Duration // at most, before an answer
}

// proxy stands before a server, as proxies do in the world.
type proxy struct {
	url   string
	to    string
	lines *lines
	onto  *http.Transport

	mu     sync.Mutex
	faults faults
	valves map[*valve]bool
	random *rand.Rand
	seen   map[string]int // requests by method and kind
}

func startProxy(t testing.TB, to string) *proxy {
	p := &proxy{to: to, lines: listen(t), onto: &http.Transport{DisableCompression: true}, random: rand.New(rand.NewPCG(1, 1)), seen: map[string]int{}, valves: map[*valve]bool{}}
	p.url = "http://" + p.lines.Addr().String()
	s := &http.Server{Handler: p}
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(p.lines) }()
	t.Cleanup(func() {
		p.lines.down(true)
		s.Close()
		<-served
		p.onto.CloseIdleConnections()
	})
	return p
}

func (p *proxy) set(f func(*faults)) {
	p.mu.Lock()
	f(&p.faults)
	valves := slices.Collect(maps.Keys(p.valves))
	p.mu.Unlock()
	for _, v := range valves {
		_ = v.write(nil) // what fails here fails for who writes next
	}
}

func (p *proxy) now() faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

func (p *proxy) calm()     { p.set(func(f *faults) { *f = faults{} }) }
func (p *proxy) breakAll() { p.lines.down(false) }

func (p *proxy) count(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[what]
}

func (p *proxy) chance(of float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.Float64() < of
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p.now()
	p.mu.Lock()
	p.seen[r.Method]++
	pause := time.Duration(p.random.Float64() * float64(f.delay))
	p.mu.Unlock()
	time.Sleep(pause)
	if p.chance(f.drop) {
		panic(http.ErrAbortHandler)
	}
	if r.Header.Get("Upgrade") != "" {
		p.tunnel(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/messages") && r.Method == http.MethodPost && p.chance(f.busy) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, p.to+r.URL.RequestURI(), r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header = r.Header
	out.ContentLength = r.ContentLength
	resp, err := p.onto.RoundTrip(out)
	if err != nil || p.chance(f.drop) || r.Method != http.MethodGet && p.chance(f.lose) {
		if err == nil {
			resp.Body.Close()
		}
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	events := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	if events {
		// The head may pass; the body waits for an end that never comes.
		_ = http.NewResponseController(w).Flush()
	}
	onto := p.valve(flushed{w}, func(f faults) bool { return f.bufferSSE && events })
	defer onto.remove()
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		if p.chance(p.now().drop) {
			panic(http.ErrAbortHandler)
		}
		if onto.write(buf[:n]) != nil {
			return
		}
		if err != nil {
			if err != io.EOF {
				panic(http.ErrAbortHandler)
			}
			return
		}
	}
}

// tunnel passes on a WebSocket.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	if p.now().stripUpgrade {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	server, err := net.Dial("tcp", strings.TrimPrefix(p.to, "http://"))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer server.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if err := r.Write(server); err != nil {
		return
	}
	// The answer's head passes whatever is wrong afterwards.
	from := bufio.NewReader(server)
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(client, line); err != nil {
			return
		}
		if line == "\r\n" {
			break
		}
	}
	var both sync.WaitGroup
	pass := func(to *valve, from io.Reader) {
		defer client.Close()
		defer server.Close()
		defer to.remove()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			if err != nil || p.chance(p.now().drop) || to.write(buf[:n]) != nil {
				return
			}
		}
	}
	both.Go(func() { pass(p.valve(server, func(f faults) bool { return f.halfClose }), buffered) })
	both.Go(func() { pass(p.valve(client, func(f faults) bool { return f.mute }), from) })
	both.Wait()
}

// valve holds back what is written as long as a fault lasts. Nothing is lost: TCP loses nothing in the middle of a connection, and no
// client could know of what was.
type valve struct {
	p    *proxy
	shut func(faults) bool

	mu   sync.Mutex
	to   io.Writer
	held []byte
}

func (p *proxy) valve(to io.Writer, shut func(faults) bool) *valve {
	v := &valve{p: p, to: to, shut: shut}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.valves[v] = true
	return v
}

func (v *valve) write(b []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = append(v.held, b...)
	if len(v.held) == 0 || v.to == nil || v.shut(v.p.now()) {
		return nil
	}
	_, err := v.to.Write(v.held)
	v.held = v.held[:0]
	return err
}

// remove ends it, with what is held: when it returns, nobody writes any more.
func (v *valve) remove() {
	v.p.mu.Lock()
	delete(v.p.valves, v)
	v.p.mu.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.to = nil
}

// flushed sends each write at once.
type flushed struct{ http.ResponseWriter }

func (w flushed) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	if err == nil {
		err = http.NewResponseController(w.ResponseWriter).Flush()
	}
	return n, err
}
