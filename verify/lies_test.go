package verify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/internal/parleytest"
	"parley/verify"
)

func isRoom(b *batch) bool { return strings.HasPrefix(b.Channel, "room:") }
func isVote(b *batch) bool { return strings.HasPrefix(b.Channel, "vote:") }

// inPlace is a lie in a room's batch of three messages at least.
func inPlace(f func(b *batch)) func(*liar, *batch, bool) []*batch {
	return func(l *liar, b *batch, _ bool) []*batch {
		if isRoom(b) && len(b.Messages) > 2 && l.may() {
			f(b)
		}
		return []*batch{b}
	}
}

var (
	seqField     = regexp.MustCompile(`^\{"seq":\d+`)
	byField      = regexp.MustCompile(`"by":"p\d+"`)
	senderField  = regexp.MustCompile(`"from":\{"id":"[^"]*"`)
	versionField = regexp.MustCompile(`"version":\d+`)
	atField      = regexp.MustCompile(`"at":"[^"]*"`)
	seqAnywhere  = regexp.MustCompile(`"seq":\d+,"position":"\d+`)
)

// lies are ways in which a server can break its promises; each is told a few times, or always, and must be found out.
var lies = []struct {
	name  string
	rules []string // by which it may be found out
	liar  func() *liar
}{
	{"leaves out a message", []string{"lost"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) { b.Messages = slices.Delete(b.Messages, 1, 2) })}
	}},
	{"leaves out the last message", []string{"lost"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) { b.Messages = b.Messages[:len(b.Messages)-1] })}
	}},
	{"leaves out a batch of a stream", []string{"lost"}, func() *liar {
		return &liar{batch: func(l *liar, b *batch, stream bool) []*batch {
			if stream && isRoom(b) && len(b.Messages) > 0 && l.may() {
				return nil
			}
			return []*batch{b}
		}}
	}},
	{"delivers a message twice", []string{"twice"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) { b.Messages = slices.Insert(b.Messages, 1, b.Messages[0]) })}
	}},
	{"delivers a batch twice", []string{"twice"}, func() *liar {
		return &liar{batch: func(l *liar, b *batch, stream bool) []*batch {
			if stream && isRoom(b) && len(b.Messages) > 0 && l.may() {
				return []*batch{b, b}
			}
			return []*batch{b}
		}}
	}},
	{"lets two messages change places", []string{"order"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) {
			first, second := b.Messages[0], b.Messages[1]
			b.Messages[0] = append(seqField.Find(first), second[len(seqField.Find(second)):]...)
			b.Messages[1] = append(seqField.Find(second), first[len(seqField.Find(first)):]...)
		})}
	}},
	{"alters a message", []string{"altered"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) { b.Messages[1] = byField.ReplaceAll(b.Messages[1], []byte(`"by":"p99"`)) })}
	}},
	{"names another sender", []string{"altered"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) {
			b.Messages[1] = senderField.ReplaceAll(b.Messages[1], []byte(`"from":{"id":"somebody"`))
		})}
	}},
	{"tells of a gap where there is none", []string{"lost"}, func() *liar {
		return &liar{batch: inPlace(func(b *batch) {
			gap := fmt.Sprintf(`{"from":%q,"reason":"retention","resume":%q,"tail":%q}`, b.From, b.To, b.To)
			*b = batch{Channel: b.Channel, Gap: json.RawMessage(gap)}
		})}
	}},
	{"keeps a kind of stream silent, always", []string{"lost"}, func() *liar {
		return &liar{batch: func(l *liar, b *batch, stream bool) []*batch {
			if stream && isRoom(b) {
				l.told.Add(1)
				return nil
			}
			return []*batch{b}
		}}
	}},
	{"acknowledges what it does not keep", []string{"acknowledged"}, func() *liar {
		return &liar{request: func(l *liar, w http.ResponseWriter, r *http.Request, body []byte) bool {
			if !strings.HasSuffix(r.URL.Path, "/messages") || !l.may() {
				return false
			}
			var in struct{ ID string }
			_ = json.Unmarshal(body, &in)
			channel := strings.Split(r.URL.Path, "/")[3]
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"channel":%q,"seq":7,"position":"7-abc","id":%q,"at":"2026-01-01T00:00:00.000Z","durability":"fsynced"}`, channel, in.ID)
			return true
		}}
	}},
	{"acknowledges another seq", []string{"acknowledged", "replay"}, func() *liar {
		return &liar{response: func(l *liar, r *http.Request, _ bool, body []byte) []byte {
			if strings.HasSuffix(r.URL.Path, "/messages") && l.may() {
				return seqAnywhere.ReplaceAll(body, []byte(`"seq":12345,"position":"12345`))
			}
			return body
		}}
	}},
	{"answers repetitions in another way, always", []string{"replay"}, func() *liar {
		return &liar{response: func(l *liar, r *http.Request, replayed bool, body []byte) []byte {
			if replayed {
				l.told.Add(1)
				return atField.ReplaceAll(body, []byte(`"at":"2026-01-01T00:00:00.000Z"`))
			}
			return body
		}}
	}},
	{"takes a repetition for another message", []string{"altered", "replay"}, func() *liar {
		return &liar{request: func(l *liar, w http.ResponseWriter, r *http.Request, body []byte) bool {
			if strings.HasSuffix(r.URL.Path, "/messages") && l.may() {
				second := bytes.Replace(body, []byte(`"id":"`), []byte(`"id":"again-`), 1)
				out, _ := http.NewRequest("POST", l.to+r.URL.Path, bytes.NewReader(second))
				out.Header = r.Header.Clone()
				if resp, err := l.client.Do(out); err == nil {
					resp.Body.Close()
				}
			}
			return false
		}}
	}},
	{"carries out pipelined publishes in another order", []string{"order", "altered"}, func() *liar {
		held := map[string][]byte{}
		var mu sync.Mutex
		return &liar{command: func(l *liar, text []byte) [][]byte {
			if !bytes.Contains(text, []byte(`"op":"publish"`)) {
				return [][]byte{text}
			}
			var c struct {
				Ref     int
				Channel string
				Data    struct{ By string }
			}
			_ = json.Unmarshal(text, &c)
			mu.Lock()
			defer mu.Unlock()
			key := c.Data.By + c.Channel
			if first := held[key]; first != nil {
				delete(held, key)
				// The answers come in the other order, too.
				return [][]byte{text, first}
			}
			if l.told.Load() < times && l.may() {
				held[key] = text
				return nil
			}
			return [][]byte{text}
		}}
	}},
	{"counts other ballots than one voter cast", []string{"tally"}, func() *liar {
		var mu sync.Mutex
		victim := ""
		return &liar{request: func(l *liar, w http.ResponseWriter, r *http.Request, body []byte) bool {
			if !strings.HasSuffix(r.URL.Path, "/ballot") {
				return false
			}
			mu.Lock()
			if victim == "" {
				victim = r.Header.Get("Authorization")
			}
			mu.Unlock()
			if victim != r.Header.Get("Authorization") {
				return false
			}
			var in struct{ Options []int }
			_ = json.Unmarshal(body, &in)
			out, _ := http.NewRequest("PUT", l.to+r.URL.Path, strings.NewReader(fmt.Sprintf(`{"options":[%d]}`, in.Options[0]%4+1)))
			out.Header = r.Header.Clone()
			if resp, err := l.client.Do(out); err == nil {
				resp.Body.Close()
			}
			l.told.Add(1)
			fmt.Fprintf(w, `{"version":1000000,"voters":0,"ballot":%s,"options":[]}`, strings.ReplaceAll(fmt.Sprint(in.Options), " ", ","))
			return true
		}}
	}},
	{"lets a tally go back", []string{"tally"}, func() *liar {
		var mu sync.Mutex
		shown := 0
		return &liar{batch: func(l *liar, b *batch, stream bool) []*batch {
			mu.Lock()
			defer mu.Unlock()
			if isVote(b) && len(b.Messages) > 0 && b.From != "0" {
				if shown++; shown > 20 && l.may() {
					b.Messages[0] = versionField.ReplaceAll(b.Messages[0], []byte(`"version":1`))
				}
			}
			return []*batch{b}
		}}
	}},
	{"miscounts a tally", []string{"tally"}, func() *liar {
		return &liar{batch: func(l *liar, b *batch, stream bool) []*batch {
			if isVote(b) && len(b.Messages) > 0 && l.may() {
				b.Messages[0] = bytes.Replace(b.Messages[0], []byte(`"voters":`), []byte(`"voters":1`), 1)
			}
			return []*batch{b}
		}}
	}},
}

// TestEveryLieIsFoundOut: a server that breaks a promise once is told so, and by the right rule.
func TestEveryLieIsFoundOut(t *testing.T) {
	honest := parleytest.Open(t).URL
	t.Run("all", func(t *testing.T) { // ends when all parallel ones have
		for _, lie := range lies {
			t.Run(lie.name, func(t *testing.T) {
				t.Parallel()
				l := lie.liar()
				l.start(t, honest)
				stop := make(chan struct{})
				told := sync.OnceFunc(func() { time.AfterFunc(300*time.Millisecond, func() { close(stop) }) })
				r, err := verify.Run(t.Context(), verify.Options{
					URL: l.url, Stop: stop, For: 30 * time.Second, Seed: 1, Settle: 10 * time.Second, Timeout: 2 * time.Second,
					Progress: func(p verify.Progress) {
						if l.told.Load() >= enough {
							told()
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if l.told.Load() == 0 {
					t.Fatal("the lie was not told")
				}
				if r.Counts.Violations == 0 {
					t.Fatalf("the lie was believed: %+v", r)
				}
				if !slices.ContainsFunc(r.Violations, func(v verify.Violation) bool { return slices.Contains(lie.rules, v.Rule) }) {
					t.Errorf("found out as something else than %v: %v", lie.rules, r.Violations[0])
				}
			})
		}
	})
}

// TestAnHonestServer: through the same proxy, and with retention that makes true gaps, nothing is found.
func TestAnHonestServer(t *testing.T) {
	for name, change := range map[string]func(*parley.Config){
		"that keeps everything": func(*parley.Config) {},
		"that keeps little":     func(c *parley.Config) { c.KeepRooms.Count = 20 },
	} {
		t.Run(name, func(t *testing.T) {
			l := &liar{batch: func(l *liar, b *batch, _ bool) []*batch { return []*batch{b} }}
			l.start(t, parleytest.Open(t, change).URL)
			r, err := verify.Run(t.Context(), verify.Options{URL: l.url, Messages: 1200, Rate: -1, Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Violations) > 0 || len(r.Open) > 0 {
				t.Errorf("%v\n%v", r.Violations, r.Open)
			}
			if r.Counts.Acknowledged < 100 || r.Counts.Delivered < r.Counts.Acknowledged || r.Counts.Ballots < 10 || r.Counts.Repeated == 0 {
				t.Errorf("too little happened to prove anything: %+v", r.Counts)
			}
			if name == "that keeps little" && r.Counts.Gaps == 0 {
				t.Error("nobody was told of a gap")
			}
		})
	}
}

// TestWhatCannotRun is an error, not a violation.
func TestWhatCannotRun(t *testing.T) {
	server := parleytest.Open(t).URL
	for name, o := range map[string]verify.Options{
		"no address":     {URL: "127.0.0.1:8080"},
		"nobody there":   {URL: "http://127.0.0.1:1"},
		"no such room":   {URL: server, Room: "nowhere"},
		"no such token":  {URL: server, Token: "nobody's"},
		"less than none": {URL: server, Readers: -1},
		"no such level":  {URL: server, MayLose: []string{"everything"}},
		"others' room":   {URL: server, MayLose: []string{"memory"}, Room: "lobby"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := verify.Run(t.Context(), o)
			if err == nil {
				t.Fatalf("no error: %+v", r)
			}
			t.Log(err)
		})
	}
}
