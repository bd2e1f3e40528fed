package transport_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/channel"
	"parley/transport"
)

// All four transports deliver the same bytes for the same messages.
func TestSameJSON(t *testing.T) {
	w := newWorld(t, transport.Options{})
	for name, texts := range map[channel.Name][]string{
		"room:lobby": {"plain", "<b>&\u2028 \"quoted\"", "你好 👋"},
		"room:long":  slices.Repeat([]string{strings.Repeat("x", 1000)}, 120), // cut by the limit
		"vote:K7QM3": {"old", "newest"},                                       // conflated
	} {
		w.say(name, texts...)
		one, many := "/v1/channels/"+string(name)+"/messages", "/v1/messages?channel="+string(name)
		want := strings.TrimSuffix(w.get(one).is(t, 200, "").body, "\n")
		if b := parse[batch](t, want); len(b.Messages) == 0 || b.More != (name == "room:long") {
			t.Fatalf("got %.300s", want)
		}
		inList := `{"batches":[` + want + "]}\n"
		for how, got := range map[string]string{
			"long poll":         strings.TrimSuffix(w.get(one+"?wait=1").is(t, 200, "").body, "\n"),
			"SSE":               w.events(one).want("batch").data,
			"WebSocket":         w.connect(one).want(`"messages"`),
			"SSE, many":         w.events(many).want("batch").data,
			"WebSocket, many":   w.connect(many).want(`"messages"`),
			"poll of many":      strings.TrimSuffix(strings.TrimPrefix(w.get(many).body, `{"batches":[`), "]}\n"),
			"long poll of many": strings.TrimSuffix(strings.TrimPrefix(w.get(many+"&wait=1").body, `{"batches":[`), "]}\n"),
		} {
			if got != want {
				t.Errorf("%s of %s:\n got %.300s\nwant %.300s", how, name, got, want)
			}
		}
		if got := w.get(many).body; got != inList {
			t.Errorf("the list of %s is %.300s", name, got)
		}
	}
}

// wanderer reads a channel to its end, now over this transport and now over that, leaving each in the middle.
type wanderer struct {
	*world
	name     channel.Name
	random   *rand.Rand
	position string
	texts    []string
	used     map[string]int
}

// apply takes a batch by the rule that every receiver follows. Here the server answers from the reader's own position, so
// nothing may overlap and nothing be missing.
func (r *wanderer) apply(text string) error {
	var b batch
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	if b.Gap != nil || b.Channel != string(r.name) || b.From != r.position {
		return fmt.Errorf("at %s came %.200s", r.position, text)
	}
	for _, m := range b.Messages {
		if m.Seq != uint64(len(r.texts)+1) {
			return fmt.Errorf("message %d came after %d", m.Seq, len(r.texts))
		}
		r.texts = append(r.texts, m.Data.Text)
	}
	r.position = b.To
	return nil
}

func (r *wanderer) some() int { return 1 + r.random.IntN(4) }

func (r *wanderer) poll(extra string) error {
	for range r.some() {
		a, err := r.try(fmt.Sprintf("GET /v1/channels/%s/messages?after=%s&limit=%d%s", r.name, r.position, 1+r.random.IntN(50), extra), "")
		if err != nil {
			return err
		}
		if err := r.apply(a.body); err != nil {
			return err
		}
	}
	return nil
}

func (r *wanderer) pollMany() error {
	a, err := r.try(fmt.Sprintf("GET /v1/messages?channel=room:quiet@0&channel=%s@%s", r.name, r.position), "")
	if err != nil {
		return err
	}
	var all struct{ Batches []json.RawMessage }
	if err := json.Unmarshal([]byte(a.body), &all); err != nil {
		return err
	}
	for _, b := range all.Batches {
		if err := r.apply(string(b)); err != nil {
			return err
		}
	}
	return nil
}

func (r *wanderer) sse() error {
	path, header := "/v1/channels/"+string(r.name)+"/messages?after="+r.position, "X-None: 1"
	if r.random.IntN(2) == 0 { // as a browser resumes
		path, header = "/v1/channels/"+string(r.name)+"/messages?after=0", "Last-Event-ID: "+r.position
	}
	s, err := r.tryEvents(path, header)
	if err != nil {
		return err
	}
	defer s.close()
	for n := r.some(); n > 0; {
		e, err := s.next()
		if err != nil {
			return err
		}
		if e.name == "batch" {
			n--
			if err := r.apply(e.data); err != nil {
				return err
			}
			if s.lastID != r.position {
				return fmt.Errorf("the id is %s, the position %s", s.lastID, r.position)
			}
		}
	}
	return nil
}

func (r *wanderer) webSocket() error {
	path, subscribe := "/v1/channels/"+string(r.name)+"/messages?after="+r.position, false
	if r.random.IntN(2) == 0 {
		path, subscribe = "/v1/connect", true
	}
	s, err := r.tryConnect(path)
	if err != nil {
		return err
	}
	defer s.conn.CloseNow()
	if subscribe {
		s.send(fmt.Sprintf(`{"op":"subscribe","channel":"%s","after":"%s"}`, r.name, r.position))
	}
	for n := r.some(); n > 0; {
		text, err := s.next()
		if err != nil {
			return err
		}
		if strings.Contains(text, `"messages":`) {
			n--
			if err := r.apply(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// wander reads until it has n texts.
func (r *wanderer) wander(n int) error {
	all := []string{"poll", "long poll", "many", "SSE", "WebSocket"}
	first := r.random.Perm(len(all)) // each once, and then at random
	for len(r.texts) < n {
		ways := all
		if n-len(r.texts) < 4*100 { // what some batches of a stream may bring
			ways = ways[:3] // near the end a stream might wait for what never comes
		}
		way, err := ways[r.random.IntN(len(ways))], error(nil)
		if len(first) > 0 {
			way, first = all[first[0]], first[1:]
		}
		switch way {
		case "poll":
			err = r.poll("")
		case "long poll":
			err = r.poll("&wait=0.2")
		case "many":
			err = r.pollMany()
		case "SSE":
			err = r.sse()
		case "WebSocket":
			err = r.webSocket()
		}
		if err != nil {
			return fmt.Errorf("over %s: %w", way, err)
		}
		r.used[way]++
	}
	return nil
}

func TestAReaderThatChangesTransportMissesNothing(t *testing.T) {
	w := newWorld(t, transport.Options{})
	const messages, readers = 4000, 4
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	want := make([]string, messages)
	for i := range want {
		want[i] = fmt.Sprint(i)
	}
	var group sync.WaitGroup
	for i := range readers {
		r := &wanderer{world: w, name: lobby, random: rand.New(rand.NewPCG(seed, uint64(i))), position: "0", used: map[string]int{}}
		group.Go(func() {
			if err := r.wander(messages); err != nil {
				t.Errorf("reader %d: %v", i, err)
			} else if !slices.Equal(r.texts, want) {
				t.Errorf("reader %d has other messages than were published", i)
			} else if len(r.used) < 5 {
				t.Errorf("reader %d used only %v: the test shows too little", i, r.used)
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, readers))
	for i := 0; i < messages; {
		n := min(1+random.IntN(20), messages-i)
		w.say(lobby, want[i:i+n]...)
		i += n
	}
	group.Wait()
}
