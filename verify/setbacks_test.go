package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/verify"
)

// restorable is a server whose data can be put back, while people use it.
type restorable struct {
	*testing.T
	url, dir string
	saved    []byte

	mu      sync.Mutex
	parley  *parley.Server // nil: away
	serving *sync.WaitGroup
}

func startRestorable(t *testing.T) *restorable {
	t.Helper()
	s := &restorable{T: t, dir: t.TempDir()}
	s.start()
	web := httptest.NewServer(s)
	s.url = web.URL
	t.Cleanup(func() {
		s.stop()
		web.CloseClientConnections()
		web.Close()
	})
	return s
}

func (s *restorable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p, serving := s.parley, s.serving
	if p != nil {
		serving.Add(1)
	}
	s.mu.Unlock()
	if p == nil {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	defer serving.Done()
	p.ServeHTTP(w, r)
}

func (s *restorable) start() {
	p, err := parley.New(context.Background(), parley.Config{Data: s.dir})
	if err != nil {
		s.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parley, s.serving = p, &sync.WaitGroup{}
}

func (s *restorable) stop() {
	s.mu.Lock()
	p, serving := s.parley, s.serving
	s.parley = nil
	s.mu.Unlock()
	if err := p.Shutdown(context.Background()); err != nil {
		s.Error(err)
	}
	serving.Wait()
	if err := p.Close(); err != nil {
		s.Error(err)
	}
}

// save and restore are what an operator does with a backup.
func (s *restorable) save() {
	s.stop()
	data, err := os.ReadFile(filepath.Join(s.dir, "parley.db"))
	if err != nil {
		s.Fatal(err)
	}
	s.saved = data
	s.start()
}

func (s *restorable) restore() {
	s.stop()
	if err := os.WriteFile(filepath.Join(s.dir, "parley.db"), s.saved, 0o600); err != nil {
		s.Fatal(err)
	}
	s.start()
}

// setBack verifies a server at url that is put back meanwhile, and goes on until it has taken more than it lost, and done is true.
func (s *restorable) setBack(url string, done func() bool, change ...func(*verify.Options)) *verify.Report {
	s.Helper()
	stop := make(chan struct{})
	var acked atomic.Int64
	o := verify.Options{
		URL: url, Stop: stop, For: 5 * time.Minute, Seed: 1, Settle: 20 * time.Second, Timeout: 5 * time.Second, MayLose: []string{"fsynced"},
		Progress: func(p verify.Progress) { acked.Store(p.Acknowledged) },
	}
	for _, f := range change {
		f(&o)
	}
	reports := make(chan *verify.Report, 1)
	go func() {
		r, err := verify.Run(s.Context(), o)
		if err != nil {
			s.Error(err)
		}
		reports <- r
	}()
	more := func(n int64, until func() bool) {
		from := acked.Load()
		for deadline := time.Now().Add(2 * time.Minute); acked.Load() < from+n || !until(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				s.Errorf("%d messages were not acknowledged, or the lie was not told", n)
				return
			}
		}
	}
	at := func() bool { return true }
	more(80, at)
	s.save()
	more(100, at)
	s.restore()
	more(300, done)
	close(stop)
	return <-reports
}

// TestALogThatGoesBack: an old backup is restored while people publish, vote and read. Who says so is believed, and what was lost is counted;
// who may lose nothing is not.
func TestALogThatGoesBack(t *testing.T) {
	always := func() bool { return true }
	t.Run("may", func(t *testing.T) {
		t.Parallel()
		s := startRestorable(t)
		r := s.setBack(s.url, always)
		for _, v := range r.Violations {
			t.Error(v)
		}
		for _, o := range r.Open {
			t.Error(o)
		}
		if c := r.Counts; c.Lost < 20 || c.Gaps < 3 || c.Lost >= c.Acknowledged {
			t.Errorf("%+v", c)
		}
	})
	t.Run("may not", func(t *testing.T) {
		t.Parallel()
		s := startRestorable(t)
		r := s.setBack(s.url, always, func(o *verify.Options) { o.MayLose = nil })
		if !found(r, "lost") || r.Counts.Lost != 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("may for another level", func(t *testing.T) {
		t.Parallel()
		s := startRestorable(t)
		r := s.setBack(s.url, always, func(o *verify.Options) { o.MayLose = []string{"memory"} })
		if !found(r, "acknowledged") {
			t.Errorf("%+v", r)
		}
	})
}

func found(r *verify.Report, rules ...string) bool {
	return slices.ContainsFunc(r.Violations, func(v verify.Violation) bool { return slices.Contains(rules, v.Rule) })
}

// smooth answers polls as if the log had not gone back: nothing while it is shorter than what the reader has, and then what follows.
type smooth struct {
	*liar
	may func(r *http.Request) bool // whom it lies to
	lie func(s *smooth, r *http.Request, b *batch, g *rollback)
}

type rollback struct {
	From   string `json:"from"`
	Reason string `json:"reason"`
	Resume string `json:"resume"`
	Tail   string `json:"tail"`
}

func (s *smooth) start(t *testing.T, to string) {
	s.liar.start(t, to)
	web := httptest.NewServer(s)
	s.url = web.URL
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
}

// ServeHTTP makes of polls for many channels those for one.
func (s *smooth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/messages") || r.URL.Query().Has("before") {
		s.liar.ServeHTTP(w, r)
		return
	}
	query := r.URL.Query()
	places := map[string]string{}
	for _, c := range query["channel"] {
		channel, at, _ := strings.Cut(c, "@")
		places[channel] = at
	}
	many := len(places) > 0
	if !many {
		places[strings.Split(r.URL.Path, "/")[3]] = query.Get("after")
	}
	var batches []*batch
	for _, channel := range slices.Sorted(maps.Keys(places)) {
		b, status := s.read(r, channel, places[channel])
		if b == nil {
			w.WriteHeader(status)
			return
		}
		var g rollback
		if json.Unmarshal(b.Gap, &g) == nil && g.Reason == "rollback" && isRoom(b) || s.lie == nil {
			if s.may(r) {
				s.lieNow(r, b, &g)
			}
		}
		batches = append(batches, b)
	}
	if many {
		_ = json.NewEncoder(w).Encode(map[string]any{"batches": batches})
	} else {
		_ = json.NewEncoder(w).Encode(batches[0])
	}
}

func (s *smooth) lieNow(r *http.Request, b *batch, g *rollback) {
	if s.lie != nil {
		s.told.Add(1)
		s.lie(s, r, b, g)
		return
	}
	if isRoom(b) && len(b.Messages) > 0 && b.From != "0" && s.liar.may() {
		*b = batch{Channel: b.Channel, Gap: json.RawMessage(fmt.Sprintf(`{"from":%q,"reason":"rollback","resume":"0","tail":%q}`, b.From, b.To))}
	}
}

// read asks the server.
func (s *smooth) read(r *http.Request, channel, after string) (*batch, int) {
	out, _ := http.NewRequestWithContext(r.Context(), "GET", s.to+"/v1/channels/"+channel+"/messages?limit=100&after="+url.QueryEscape(after), nil)
	out.Header.Set("Authorization", r.Header.Get("Authorization"))
	resp, err := s.client.Do(out)
	if err != nil {
		return nil, http.StatusBadGateway
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	var b batch
	switch {
	case resp.StatusCode >= 400:
		return nil, resp.StatusCode
	case err != nil || json.Unmarshal(data, &b) != nil: // broken off
		return nil, http.StatusBadGateway
	}
	return &b, http.StatusOK
}

// goOn says nothing of a rollback.
func goOn(s *smooth, r *http.Request, b *batch, g *rollback) {
	bare, _, _ := strings.Cut(g.From, "-")
	*b = batch{Channel: b.Channel, From: g.From, To: g.From, Messages: []json.RawMessage{}}
	if next, _ := s.read(r, b.Channel, bare); next != nil && strings.HasPrefix(next.From, bare+"-") {
		next.From = g.From
		if len(next.Messages) == 0 {
			next.To = g.From
		}
		*b = *next
	}
}

// setbackLies are ways to lose what was acknowledged, and to say something else of it than what happened.
var setbackLies = []struct {
	name  string
	rules []string
	liar  func() *smooth
}{
	{"goes back and tells nobody", []string{"rollback"}, func() *smooth {
		return &smooth{liar: &liar{}, may: everybody, lie: goOn}
	}},
	{"goes back and tells only some", []string{"rollback"}, func() *smooth {
		var mu sync.Mutex
		told := map[string]bool{}
		return &smooth{liar: &liar{}, lie: goOn, may: func(r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			who := r.Header.Get("Authorization")
			if _, known := told[who]; !known {
				told[who] = len(told)%3 > 0
			}
			return !told[who]
		}}
	}},
	{"says that less was lost, so that what came instead is left out", []string{"rollback"}, func() *smooth {
		return &smooth{liar: &liar{}, may: everybody, lie: func(s *smooth, r *http.Request, b *batch, g *rollback) {
			g.Resume = g.Tail
			b.Gap, _ = json.Marshal(g)
		}}
	}},
	{"tells of a rollback where there is none", []string{"rollback"}, func() *smooth {
		return &smooth{liar: &liar{}, may: everybody}
	}},
	{"acknowledges what it does not keep, in the next place", []string{"rollback", "acknowledged"}, func() *smooth {
		s := &smooth{may: nobody, lie: goOn}
		s.liar = &liar{request: func(l *liar, w http.ResponseWriter, r *http.Request, body []byte) bool {
			if !strings.HasSuffix(r.URL.Path, "/messages") || l.told.Load() >= times {
				return false
			}
			channel := strings.Split(r.URL.Path, "/")[3]
			tail, _ := s.read(r, channel, "end")
			if tail == nil || !l.may() {
				return false
			}
			var in struct{ ID string }
			var seq int
			_ = json.Unmarshal(body, &in)
			_, _ = fmt.Sscanf(tail.To, "%d", &seq)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"channel":%q,"seq":%d,"position":"%d-abc","id":%q,"at":"2026-01-01T00:00:00.000Z","durability":"fsynced"}`, channel, seq+1, seq+1, in.ID)
			return true
		}}
		return s
	}},
}

func everybody(*http.Request) bool { return true }
func nobody(*http.Request) bool    { return false }

// TestEveryLieAboutASetback: what a server that may lose something says of it is found out where it is not so. Some lies are told while it goes back,
// some while it does not.
func TestEveryLieAboutASetback(t *testing.T) {
	for _, lie := range setbackLies {
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			s, l := startRestorable(t), lie.liar()
			l.start(t, s.url)
			r := s.setBack(l.url, func() bool { return l.told.Load() >= enough }, func(o *verify.Options) { o.Transports = []string{"poll"} })
			if r.Counts.Violations == 0 {
				t.Fatalf("the lie was believed: %+v", r)
			}
			if !found(r, lie.rules...) {
				t.Errorf("found out as something else than %v: %v", lie.rules, r.Violations[0])
			}
			t.Logf("%d violations, as %v", r.Counts.Violations, r.Violations[0])
		})
	}
}
