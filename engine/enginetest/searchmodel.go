package enginetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"parley/channel"
	"parley/chat"
)

// model has people say, edit and erase at random, and compares what is found with what is in the logs.
func (t *searchTest) model() {
	draw := rand.New(rand.NewPCG(7, 7))
	vocabulary := []string{"tea", "teapot", "milk", "Tea", "投票", "投", "票吧", "大家", "🎉", "👍🏽", "שלום", "café", "10", "1.5"}
	some := func(n int) string {
		var said []string
		for range 1 + draw.IntN(n) {
			said = append(said, vocabulary[draw.IntN(len(vocabulary))])
		}
		return strings.Join(said, []string{" ", "", ", "}[draw.IntN(3)])
	}
	ann, bob := t.person("Ann"), t.person("Bob")
	channels := []channel.Name{channel.Direct(ann.ID, bob.ID), t.room(ann, "One", false), t.room(ann, "Two", true), t.room(ann, "Three", false)}
	texts := map[channel.Name][]uint64{} // what can be amended
	for step := range 160 {
		name := channels[draw.IntN(len(channels))]
		switch n := draw.IntN(20); {
		case n < 12 || len(texts[name]) == 0:
			texts[name] = append(texts[name], t.say(ann, name, some(6)))
		case n < 15:
			t.edit(ann, name, texts[name][draw.IntN(len(texts[name]))], some(6))
		case n < 17:
			i := draw.IntN(len(texts[name]))
			t.erase(ann, name, texts[name][i])
			texts[name] = slices.Delete(texts[name], i, i+1)
		case n == 17 && step%2 == 0:
			t.settle()
		default:
			t.compare(ann, []channel.Name{name}, name, some(2), 4+draw.IntN(20))
			t.compare(ann, channels, "", some(2), 4+draw.IntN(40))
		}
	}
}

// compare searches page by page, and looks through the channels.
func (t *searchTest) compare(who channel.Sender, channels []channel.Name, in channel.Name, query string, limit int) {
	t.Helper()
	words, err := chat.ParseWords(query)
	if err != nil {
		return
	}
	type found struct {
		channel.Name
		seq  uint64
		text string
	}
	var want, got []found
	for _, name := range channels {
		batch, err := t.Engine.Before(t.Context(), name, channel.End, 250, 1<<20)
		t.ok(err)
		for _, m := range batch.Messages {
			if words.Find(&m) {
				want = append(want, found{m.Channel, m.Seq, textOf(m)})
			}
		}
	}
	for _, m := range t.follow(who, chat.Search{Query: query, Channel: in, Limit: limit}, func(int) {}) {
		got = append(got, found{m.Channel, m.Seq, textOf(m)})
	}
	order := func(a, b found) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.seq, b.seq)) }
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if !slices.Equal(got, want) {
		t.Fatalf("%q in %q finds\n%v\nwant\n%v", query, in, got, want)
	}
}

// crowd has several people write, edit and erase in one room: each finds at once what they said, and not what they said before.
func (t *searchTest) crowd() {
	const people, rounds = 4, 15
	owner := t.person("Owner")
	room := t.room(owner, "Tea", false)
	var all sync.WaitGroup
	for p := range people {
		who := t.person(fmt.Sprint("Person ", p))
		all.Go(func() {
			publish := func(typ string, data any) uint64 {
				encoded, _ := json.Marshal(data) // of strings and numbers: cannot fail
				r, err := t.talk.Publish(t.Context(), who, false, room, channel.Draft{Type: typ, Data: encoded})
				if err != nil {
					t.Error(err)
				}
				return r.Position.Seq
			}
			wants := func(query string, seqs ...uint64) {
				t.Helper()
				results, err := t.talk.Search(t.Context(), who, chat.Search{Query: query, Channel: room})
				var got []uint64
				for _, m := range results.Messages {
					got = append(got, m.Seq)
				}
				if err != nil || !slices.Equal(got, seqs) {
					t.Errorf("%q finds %v, %v; want %v", query, got, err, seqs)
				}
			}
			for n := 0; n < rounds && !t.Failed(); n++ {
				one, two := fmt.Sprintf("p%dn%done", p, n), fmt.Sprintf("p%dn%dtwo", p, n)
				seq := publish("text", map[string]any{"text": "first " + one})
				wants(one, seq)
				publish("edit", map[string]any{"seq": seq, "text": "then " + two})
				wants(two, seq)
				wants(one)
				if n%3 == 0 {
					publish("delete", map[string]any{"seq": seq})
					wants(two)
				}
			}
		})
	}
	all.Wait()
	t.settle()
	want := 0
	for n := range rounds {
		if n%3 != 0 {
			want += people
		}
	}
	if got := len(t.search(owner, room, "then")); got != want {
		t.Fatalf("%d are found at the end; want %d", got, want)
	}
}
