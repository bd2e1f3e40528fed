package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/transport"
)

// later runs a request in the background.
func (w *world) later(request string, headers ...string) chan answer {
	answers := make(chan answer, 1)
	go func() {
		a, err := w.try(request, "", headers...)
		if err != nil {
			w.t.Error(err)
		}
		answers <- a
	}()
	return answers
}

// waiting waits until n streams and long polls are held.
func (w *world) waiting(n int64) {
	w.t.Helper()
	eventually(w.t, fmt.Sprintf("%d streams and long polls held", n), func() bool { return w.site.held.Load() == n })
}

func TestLongPollIsReleasedByAPublish(t *testing.T) {
	w := newWorld(t, transport.Options{})
	p := w.say(lobby, "one")
	answers := w.later("GET /v1/channels/room:lobby/messages?wait=60&after=" + p.String())
	w.waiting(1)
	select {
	case a := <-answers:
		t.Fatalf("answered before there was something: %+v", a)
	default:
	}
	two := w.say(lobby, "two")
	a := (<-answers).is(t, 200, "")
	b := parse[batch](t, a.body)
	if b.From != p.String() || b.To != two.String() || !slices.Equal(b.texts(), []string{"two"}) {
		t.Fatalf("got %s", a.body)
	}
	if a.header.Get("Etag") != `"`+two.String()+`"` || a.header.Get("Retry-After") != "" {
		t.Fatalf("headers: %v", a.header)
	}
}

func TestLongPollAnswersAtOnceWhatIsThere(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.say(lobby, "one")
	if b := parse[batch](t, w.get("/v1/channels/room:lobby/messages?wait=60").is(t, 200, "").body); len(b.Messages) != 1 {
		t.Fatalf("got %+v", b)
	}
}

// settled is how long a poll that was counted may still take until it really waits: what is published earlier is answered at
// once, and not gathered.
const settled = 300 * time.Millisecond

func TestLongPollGathers(t *testing.T) {
	w := newWorld(t, transport.Options{Gather: time.Second})
	answers := w.later("GET /v1/channels/room:lobby/messages?wait=60&limit=3")
	w.waiting(1)
	time.Sleep(settled)
	w.say(lobby, "one")
	w.say(lobby, "two")
	if b := parse[batch](t, (<-answers).is(t, 200, "").body); !slices.Equal(b.texts(), []string{"one", "two"}) || b.From != "0" || b.More {
		t.Fatalf("got %+v", b)
	}
	// But never more than was asked for.
	answers = w.later("GET /v1/channels/room:lobby/messages?wait=60&limit=3&after=2")
	w.waiting(1)
	time.Sleep(settled)
	w.say(lobby, "0")
	w.say(lobby, "1", "2", "3", "4")
	if b := parse[batch](t, (<-answers).is(t, 200, "").body); !slices.Equal(b.texts(), []string{"0", "1", "2"}) || !b.More {
		t.Fatalf("got %+v", b)
	}
}

func TestLongPollRunsOut(t *testing.T) {
	w := newWorld(t, transport.Options{})
	p := w.say(lobby, "one").String()
	path := "/v1/channels/room:lobby/messages?wait=0.2&after=" + p
	began := time.Now()
	a := w.get(path).is(t, 200, "")
	if want := `{"channel":"room:lobby","from":"` + p + `","to":"` + p + `","messages":[]}` + "\n"; a.body != want {
		t.Fatalf("got %s, want %s", a.body, want)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Fatalf("it waited for %v only", took)
	}
	w.get(path, `If-None-Match: "`+p+`"`).is(t, 304, "")
	many := w.get("/v1/messages?wait=0.01&channel=room:lobby@"+p+"&channel=room:b").is(t, 200, "")
	if many.body != "{\"batches\":[]}\n" {
		t.Fatalf("got %s", many.body)
	}
}

func TestLongPollOfManyChannels(t *testing.T) {
	w := newWorld(t, transport.Options{})
	answers := w.later("GET /v1/messages?wait=60&channel=room:a&channel=room:b")
	w.waiting(1)
	w.say("room:b", "hello")
	all := parse[struct{ Batches []batch }](t, (<-answers).is(t, 200, "").body)
	if len(all.Batches) != 1 || all.Batches[0].Channel != "room:b" {
		t.Fatalf("got %+v", all)
	}
}

func TestLongPollOfADeletedChannel(t *testing.T) {
	w := newWorld(t, transport.Options{})
	p := w.say(lobby, "one")
	answers := w.later("GET /v1/channels/room:lobby/messages?wait=60&after=" + p.String())
	w.waiting(1)
	if err := w.hub.Delete(context.Background(), lobby); err != nil {
		t.Fatal(err)
	}
	a := (<-answers).is(t, 200, "")
	if b := parse[batch](t, a.body); b.Gap == nil || b.Gap.Reason != "deleted" || a.header.Get("Etag") != "" {
		t.Fatalf("got %s, %v", a.body, a.header)
	}
}

func TestTooManyAreHeld(t *testing.T) {
	w := newWorld(t, transport.Options{})
	w.site.set(func() { w.site.full = true })
	path := "/v1/channels/room:lobby/messages"
	w.get(path+"?wait=1").is(t, 429, "too_many_connections")
	w.get(path, "Accept: text/event-stream").is(t, 429, "too_many_connections")
	if _, err := w.tryConnect(path); err == nil || !strings.Contains(err.Error(), "too_many_connections") {
		t.Fatalf("WebSocket: %v", err)
	}
	w.get(path).is(t, 200, "") // a poll holds nothing
}

// goroutines counts those that are somewhere in the transports, but for the one that accepts, and those of net/http that wait for a request.
func goroutines() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "parley/transport.(*") && !strings.Contains(stack, "(*front).Accept(") && !strings.Contains(stack, "(*homing).Read(") {
			n++
		}
	}
	return n
}

func TestWhoLeavesIsForgotten(t *testing.T) {
	w := newWorld(t, transport.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	const clients = 50
	for range clients {
		go func() {
			response, err := w.http.Do(w.request(ctx, "GET /v1/channels/room:lobby/messages?wait=60", ""))
			if err == nil {
				response.Body.Close()
			}
		}()
	}
	w.waiting(clients)
	events, socket := w.events("/v1/channels/room:lobby/messages"), w.connect("/v1/connect")
	w.waiting(clients + 2)
	eventually(t, "the end of all goroutines while they wait", func() bool { return goroutines() == 0 })
	cancel()
	events.close()
	socket.conn.CloseNow()
	w.waiting(0)
}

func TestPersonsWhoReadAreThere(t *testing.T) {
	w := newWorld(t, transport.Options{})
	if got := w.get("/v1/channels/room:lobby/presence").is(t, 200, "").body; got != `{"channel":"room:lobby","here":[],"count":0}`+"\n" {
		t.Fatalf("got %s", got)
	}
	w.get("/v1/channels/room:lobby/messages", "Authorization: Bearer ann").is(t, 200, "")
	w.get("/v1/channels/room:lobby/messages?wait=0.01", "Authorization: Bearer bob").is(t, 200, "")
	w.events("/v1/channels/room:lobby/messages", "Authorization: Bearer cleo")
	w.connect("/v1/channels/room:lobby/messages", "Authorization: Bearer dora")
	w.events("/v1/channels/room:lobby/messages") // nobody
	got := w.get("/v1/channels/room:lobby/presence").is(t, 200, "").body
	want := `{"channel":"room:lobby","here":[{"id":"ann","name":"Ann"},{"id":"bob","name":"Bob"},{"id":"cleo","name":"Cleo"},{"id":"dora","name":"Dora"}],"count":4}` + "\n"
	if got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	w.site.forbid(lobby, channel.ErrDeleted.Detail("gone"))
	w.get("/v1/channels/room:lobby/presence").is(t, http.StatusGone, "channel_deleted")
}
