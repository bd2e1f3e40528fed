package client

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// faults are what a proxy does wrong. Probabilities are 0 to 1.
type faults struct {
	stripUpgrade bool          // it knows no WebSocket
	bufferSSE    bool          // it holds back what has not ended
	mute         bool          // WebSockets open, and nothing comes
	halfClose    bool          // WebSockets: what is sent after the handshake is never passed on
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
	random *rand.Rand
	seen   map[string]int // requests by method and kind
}

func startProxy(t testing.TB, to string) *proxy {
	p := &proxy{to: to, lines: listen(t), onto: &http.Transport{DisableCompression: true}, random: rand.New(rand.NewPCG(1, 1)), seen: map[string]int{}}
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
	defer p.mu.Unlock()
	f(&p.faults)
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
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		// The head may pass; the body waits for an end that never comes.
		_ = http.NewResponseController(w).Flush()
	}
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		if p.chance(p.now().drop) {
			panic(http.ErrAbortHandler)
		}
		if n > 0 && !(p.now().bufferSSE && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")) {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
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
	pass := func(to io.Writer, from io.Reader, up bool) {
		defer client.Close()
		defer server.Close()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			f := p.now()
			if err != nil || p.chance(f.drop) {
				return
			}
			if !up && f.mute || up && f.halfClose {
				continue
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
	both.Go(func() { pass(server, buffered, true) })
	both.Go(func() { pass(client, from, false) })
	both.Wait()
}
