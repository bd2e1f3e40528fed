package examples_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// voted is what the votes say over HTTP.
type voted struct {
	Status bool
	Data   *struct {
		UID   string
		Count int
	}
	Error string
}

func parse(t *testing.T, text string) (v voted) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// is fails unless the answer is that a candidate has so many votes.
func (v voted) is(t *testing.T, uid string, count int) {
	t.Helper()
	if !v.Status || v.Data == nil || v.Data.UID != uid || v.Data.Count != count {
		t.Fatalf("%+v %+v, not %d for %s", v, v.Data, count, uid)
	}
}

func (v voted) isNothing(t *testing.T) {
	t.Helper()
	if v.Status || v.Data != nil || v.Error != "" {
		t.Fatalf("%+v %+v, not nothing", v, v.Data)
	}
}

// browser is a client with cookies, as a page is.
type browser struct {
	t      *testing.T
	p      *program
	client *http.Client
}

func (p *program) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{p.t, p, &http.Client{Jar: jar, Timeout: 2 * patience}}
}

func (b *browser) get(ctx context.Context, path string) (string, error) {
	req, _ := http.NewRequestWithContext(ctx, "GET", b.p.url+path, nil)
	resp, err := b.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// loads loads the page.
func (b *browser) loads() string {
	b.t.Helper()
	page, err := b.get(context.Background(), "/")
	if err != nil {
		b.t.Fatal(err)
	}
	return page
}

// asks is one long poll.
func (b *browser) asks() voted {
	b.t.Helper()
	text, err := b.get(context.Background(), "/get_new_vote")
	if err != nil {
		b.t.Fatal(err)
	}
	return parse(b.t, text)
}

// post votes over HTTP.
func (p *program) post(path, uid string) voted {
	p.t.Helper()
	resp, err := http.PostForm(p.url+path, url.Values{"uid": {uid}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return parse(p.t, string(body))
}

// voteByHTTP is what both votes over HTTP have in common.
func voteByHTTP(t *testing.T, p *program, path string) {
	parse(t, p.curl("-d", "uid=1", path)).is(t, "1", 1)
	parse(t, p.curl("-H", "Content-Type: application/json", "-d", `{"uid":1}`, path)).is(t, "1", 2)
	parse(t, p.curl("-H", "Content-Type: application/json;charset=utf-8", "-d", `{"uid":"2"}`, path)).is(t, "2", 1)
	for _, uid := range []string{"9", "", "-1", "<script>", strings.Repeat("1", 5000)} {
		if v := p.post(path, uid); v.Status || v.Data != nil || !strings.Contains(v.Error, "no candidate") {
			t.Errorf("to a vote for %.20q it says %+v", uid, v)
		}
	}
	if code := p.curl("-w", "%{http_code}", "-d", "uid=9", path); !strings.HasSuffix(code, "404") {
		t.Errorf("a vote for nobody is answered with %s", code)
	}
	if code := p.curl("-w", "%{http_code}", "-H", "Origin: http://elsewhere.example", "-d", "uid=1", path); !strings.HasSuffix(code, "403") {
		t.Errorf("a page of another site votes: %s", code)
	}
	// Two hundred votes at once, and none is lost.
	var wait sync.WaitGroup
	for range 200 {
		wait.Go(func() { p.post(path, "3") })
	}
	wait.Wait()
	p.post(path, "3").is(t, "3", 201)
	if page := p.get("/"); !strings.Contains(page, `<output id="count-3">201</output>`) || !strings.Contains(page, `<output id="count-1">2</output>`) {
		t.Errorf("the page shows:\n%s", page)
	}
}

func TestVotePoll(t *testing.T) {
	t.Parallel()
	p := start(t, "vote-poll")
	voteByHTTP(t, p, "/ticket")
	if !strings.Contains(p.get("/page.js"), "setTimeout(() => location.reload(), 2000)") {
		t.Error("the page does not load itself again every 2 s")
	}
}

// TestLongPoll runs with both kinds of queues.
func TestLongPoll(t *testing.T) {
	for name, flags := range map[string]func(t *testing.T) []string{
		"memory": func(*testing.T) []string { return nil },
		"redis":  func(t *testing.T) []string { return []string{"--redis", startRedis(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := flags(t)
			for name, test := range map[string]func(t *testing.T, p *program){
				"votes":    func(t *testing.T, p *program) { voteByHTTP(t, p, "/vote") },
				"hold":     testHold,
				"wakes":    testWakes,
				"coalesce": testCoalesce,
				"reload":   testReload,
				"leaves":   testLeaves,
				"stranger": testStranger,
			} {
				t.Run(name, func(t *testing.T) {
					if f != nil {
						flushRedis(t, f[1])
					}
					test(t, start(t, "vote-longpoll", f...))
				})
			}
		})
	}
}

// testHold: a request without news is answered after 10 s, and the next one waits again.
func testHold(t *testing.T, p *program) {
	began := time.Now()
	out := p.curl("-i", "/get_new_vote")
	if took := time.Since(began); took < 9500*time.Millisecond || took > 15*time.Second {
		t.Errorf("it was held %s", took)
	}
	if !strings.Contains(out, "HttpOnly; SameSite=Lax") || !strings.HasSuffix(out, `{"data":null,"status":false}`+"\n") {
		t.Errorf("after the hold it says %s", out)
	}
}

// testWakes: a vote answers whoever waits, at once, and waits for whoever is between two requests.
func testWakes(t *testing.T, p *program) {
	ann, bob := p.browser(), p.browser()
	ann.loads()
	bob.loads()
	heard := make(chan voted)
	go func() { heard <- ann.asks() }()
	p.post("/vote", "2")
	began := time.Now()
	(<-heard).is(t, "2", 1)
	bob.asks().is(t, "2", 1) // though it asked only afterwards
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// testCoalesce: a queue is as long as there are candidates, however many votes; what comes out of it is the newest.
func testCoalesce(t *testing.T, p *program) {
	ann := p.browser()
	ann.loads()
	for range 50 {
		p.post("/vote", "1")
	}
	p.post("/vote", "2")
	p.post("/vote", "1")
	got := map[string]int{}
	for range 2 {
		v := ann.asks()
		got[v.Data.UID] = v.Data.Count
	}
	if fmt.Sprint(got) != "map[1:51 2:1]" {
		t.Errorf("%v", got)
	}
	p.post("/vote", "3")
	ann.asks().is(t, "3", 1) // nothing else was queued
}

// testReload: the request of a page that was loaded again takes nothing from the new one, not even from the same browser.
func testReload(t *testing.T, p *program) {
	ann := p.browser()
	for i := range 10 {
		ann.loads()
		ctx, reload := context.WithCancel(context.Background())
		asked := make(chan struct{})
		go func() { ann.get(ctx, "/get_new_vote"); close(asked) }()
		if i%2 == 0 {
			time.Sleep(20 * time.Millisecond) // whether it has begun to wait or not
		}
		reload()
		<-asked
		page := ann.loads()
		p.post("/vote", "1")
		ann.asks().is(t, "1", i+1)
		if !strings.Contains(page, fmt.Sprintf(`<output id="count-1">%d</output>`, i)) {
			t.Fatalf("loaded again, the page shows\n%s", page)
		}
	}
	// The same without loading the page: a script that gave up and asks again.
	for i := range 10 {
		ctx, giveUp := context.WithTimeout(context.Background(), 30*time.Millisecond)
		ann.get(ctx, "/get_new_vote")
		giveUp()
		time.Sleep(200 * time.Millisecond) // the server notices
		p.post("/vote", "2")
		ann.asks().is(t, "2", i+1)
	}
}

// testLeaves: visitors who come and go leave nothing behind that could end the vote.
func testLeaves(t *testing.T, p *program) {
	for range 50 {
		p.browser().loads()
	}
	ann := p.browser()
	ann.loads()
	p.post("/vote", "1")
	ann.asks().is(t, "1", 1)
}

// testStranger: a visitor that the server does not know, say because it was started again, is told all counts.
func testStranger(t *testing.T, p *program) {
	p.post("/vote", "2")
	ann := p.browser()
	home := mustParse(p.url)
	ann.client.Jar.SetCookies(home, []*http.Cookie{{Name: "visitor", Value: "from-before"}})
	ann.asks().is(t, "1", 0)
	ann.asks().is(t, "2", 1)
	ann.asks().is(t, "3", 0)
	p.post("/vote", "3")
	ann.asks().is(t, "3", 1)
}

func TestHoldFlag(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]time.Duration{"15s": 15 * time.Second, "300ms": 300 * time.Millisecond} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			b := start(t, "vote-longpoll", "--hold", flag).browser()
			b.loads()
			began := time.Now()
			b.asks().isNothing(t)
			if took := time.Since(began); took < want-10*time.Millisecond || took > want+5*time.Second {
				t.Errorf("it was held %s", took)
			}
		})
	}
}

func TestVoteWebSocket(t *testing.T) {
	t.Parallel()
	p := start(t, "vote-websocket")
	ann, bob := p.dial("/message"), p.dial("/message")
	for _, s := range []*socket{ann, bob} {
		for uid := range 3 {
			s.hears(fmt.Sprintf(`{"uid":"%d","count":0}`, uid+1))
		}
	}
	ann.text("2") // as the tutorials' pages write
	ann.hears(`{"uid":"2","count":1}`)
	bob.hears(`{"uid":"2","count":1}`)
	bob.text(`{"uid":"3"}`)
	ann.hears(`{"uid":"3","count":1}`)
	bob.hears(`{"uid":"3","count":1}`)
	for _, nobody := range []string{"9", "", "{}", "[1]", `{"uid":null}`, "<script>"} {
		ann.text(nobody)
		if heard := ann.object(); !strings.Contains(fmt.Sprint(heard["error"]), "no candidate") {
			t.Errorf("to %q it says %v", nobody, heard)
		}
	}
	bob.hearsNothing()
	ann.frame(fin|opText, make([]byte, 70000))
	ann.isClosed(1009)
	bob.text("1")
	bob.hears(`{"uid":"1","count":1}`)
	bob.frame(opText, nil)
	bob.frame(fin|opContinuation, []byte("1"))
	bob.hears(`{"uid":"1","count":2}`)
	if page := p.get("/"); !strings.Contains(page, `<output id="count-1">2</output>`) {
		t.Errorf("the page shows:\n%s", page)
	}
}

// TestVoteWebSocketAnswersHTTP: the same path, asked without Upgrade.
func TestVoteWebSocketAnswersHTTP(t *testing.T) {
	t.Parallel()
	out := start(t, "vote-websocket").curl("-i", "/message")
	for _, want := range []string{"HTTP/1.1 426 Upgrade Required", "Upgrade: websocket", "use the WebSocket protocol", "请使用WebSocket协议"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestTwoHundredVotesAtOnce: each is counted once, and everybody sees each count once and in order.
func TestTwoHundredVotesAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, "vote-websocket")
	watcher := p.dial("/message")
	for range 3 {
		watcher.next()
	}
	var wait sync.WaitGroup
	for range 20 {
		voter := p.dial("/message")
		wait.Go(func() {
			for range 10 {
				voter.text("2")
			}
			for last := ""; last != `{"uid":"2","count":200}`; { // reads until it has seen them all
				_, payload, err := voter.read()
				if err != nil {
					t.Error(err)
					return
				}
				last = string(payload)
			}
		})
	}
	for n := range 200 {
		watcher.hears(fmt.Sprintf(`{"uid":"2","count":%d}`, n+1))
	}
	wait.Wait()
}

// TestVotersWhoVanish: dead connections are no obstacle for the others.
func TestVotersWhoVanish(t *testing.T) {
	t.Parallel()
	p := start(t, "vote-websocket")
	for range 100 {
		p.dial("/message").conn.Close()
	}
	s := p.dial("/message")
	for range 3 {
		s.next()
	}
	for n := range 100 {
		s.text("1")
		s.hears(fmt.Sprintf(`{"uid":"1","count":%d}`, n+1))
	}
}

func mustParse(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

// await waits until something is so that no event tells of.
func await(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}
