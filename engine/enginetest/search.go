package enginetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/identity"
	"parley/problem"
)

// SearchUnderTest is an engine that is searched.
type SearchUnderTest struct {
	Engine ChatEngine
	Settle func()                 // waits until what the engine derives from its log in its own time is there
	Sweep  func()                 // carries out what policies give up
	Reopen func() SearchUnderTest // closes the engine and opens the same data again
}

// Search is what every engine must do with searches, through the service of chat: at once after a message was acknowledged, and when the engine has
// done in its own time what it does. open returns an empty engine, which the test's end closes.
func Search(t *testing.T, open func(t *testing.T, o Options) SearchUnderTest) {
	for _, test := range []struct {
		name     string
		policies channel.Policies
		run      func(*searchTest)
	}{
		{"words of every script", nil, (*searchTest).words},
		{"an edit, an erasure", nil, (*searchTest).amended},
		{"only what may be read", nil, (*searchTest).rights},
		{"a room that was left, and one that was deleted", nil, (*searchTest).gone},
		{"what retention removed", channel.Policies{channel.KindRoom: {KeepCount: 5}}, (*searchTest).retention},
		{"pages of one room, while it goes on", nil, (*searchTest).pages},
		{"pages of many rooms, while they go on", nil, (*searchTest).pagesOfMany},
		{"far back", nil, (*searchTest).farBack},
		{"anything that people do, beside what is in the logs", nil, (*searchTest).model},
		{"at once, while others write", nil, (*searchTest).crowd},
		{"what is refused", nil, (*searchTest).refused},
		{"opened again", nil, (*searchTest).reopened},
	} {
		for name, settles := range map[string]bool{"at once": false, "settled": true} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				s := &searchTest{T: t, settles: settles, clock: NewClock()}
				s.use(open(t, Options{Policies: test.policies, Clock: s.clock.Now}))
				test.run(s)
			})
		}
	}
}

type searchTest struct {
	*testing.T
	SearchUnderTest
	settles bool
	clock   *Clock // so that no two messages are of the same time
	people  *identity.Service
	talk    *chat.Service
}

func (t *searchTest) use(e SearchUnderTest) {
	t.Helper()
	t.SearchUnderTest = e
	hub := channel.NewHub(e.Engine, channel.Options{})
	t.Cleanup(hub.Close)
	var err error
	t.people, err = identity.New(t.Context(), e.Engine, identity.Options{})
	t.ok(err)
	t.talk = chat.New(e.Engine, hub, t.people, chat.Options{})
}

func (t *searchTest) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settle lets the engine finish, in those runs in which it may.
func (t *searchTest) settle() {
	if t.settles {
		t.Settle()
	}
}

func (t *searchTest) person(name string) channel.Sender {
	t.Helper()
	u, _, err := t.people.SignIn(t.Context(), name)
	t.ok(err)
	return u.Sender()
}

func (t *searchTest) room(owner channel.Sender, name string, private bool) channel.Name {
	t.Helper()
	r, err := t.talk.CreateRoom(t.Context(), owner, chat.NewRoom{Name: name, Private: private})
	t.ok(err)
	return r.Channel()
}

func (t *searchTest) publish(who channel.Sender, name channel.Name, typ string, data any) uint64 {
	t.Helper()
	encoded, err := json.Marshal(data)
	t.ok(err)
	t.clock.Advance(time.Second)
	r, err := t.talk.Publish(t.Context(), who, false, name, channel.Draft{Type: typ, Data: encoded})
	t.ok(err)
	return r.Position.Seq
}

func (t *searchTest) say(who channel.Sender, name channel.Name, text string) uint64 {
	t.Helper()
	return t.publish(who, name, "text", map[string]any{"text": text})
}

func (t *searchTest) edit(who channel.Sender, name channel.Name, seq uint64, text string) {
	t.Helper()
	t.publish(who, name, "edit", map[string]any{"seq": seq, "text": text})
}

func (t *searchTest) erase(who channel.Sender, name channel.Name, seq uint64) {
	t.Helper()
	t.publish(who, name, "delete", map[string]any{"seq": seq})
}

// search is all that a search finds, page by page.
func (t *searchTest) search(who channel.Sender, name channel.Name, query string) []channel.Message {
	t.Helper()
	var all []channel.Message
	for q := (chat.Search{Query: query, Channel: name, Limit: 100}); ; {
		results, err := t.talk.Search(t.Context(), who, q)
		t.ok(err)
		all = append(all, results.Messages...)
		if q.Before = results.Next; q.Before == "" {
			return all
		}
	}
}

// wants checks what a search finds, newest first.
func (t *searchTest) wants(who channel.Sender, name channel.Name, query string, want ...string) {
	t.Helper()
	var got []string
	for _, m := range t.search(who, name, query) {
		got = append(got, textOf(m))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q in %q finds %q; want %q", query, name, got, want)
	}
}

func textOf(m channel.Message) string {
	text, _ := chat.SearchedText(m.Type, m.Data)
	return text
}

func (t *searchTest) words() {
	ann, bob := t.person("Ann"), t.person("Bob")
	room, direct := t.room(ann, "Tea", false), channel.Direct(ann.ID, bob.ID)
	for _, text := range []string{
		"Hello, world", "请大家投票吧", "投，票", "これはﾃｽﾄです", "한국어를 배웁니다", "done 🎉🎊 fine 👍🏽", "I ❤ 👨‍👩‍👧", "אמר: שלום עולם", "مرحبا بالجميع", "Straße CAFE\u0301",
		"ПРИВЕТ, мир", "สวัสดีครับ", "the end of hello",
	} {
		t.say(ann, room, text)
	}
	t.say(bob, direct, "hello, Ann: 投票了吗")
	t.publish(ann, room, "site.note", map[string]any{"text": "hello"}) // no text
	t.settle()
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"hel", []string{"the end of hello", "Hello, world"}},
		{"HELLO wor", []string{"Hello, world"}},
		{"ello", nil},
		{"投票", []string{"请大家投票吧"}},
		{"票", []string{"投，票", "请大家投票吧"}},
		{"投", []string{"投，票", "请大家投票吧"}},
		{"大家投票", []string{"请大家投票吧"}},
		{"票投", nil},
		{"テスト", []string{"これはﾃｽﾄです"}},
		{"국어", []string{"한국어를 배웁니다"}},
		{"🎉", []string{"done 🎉🎊 fine 👍🏽"}},
		{"🎊 👍 DONE", []string{"done 🎉🎊 fine 👍🏽"}},
		{"👩", []string{"I ❤ 👨‍👩‍👧"}},
		{"❤️", []string{"I ❤ 👨‍👩‍👧"}},
		{"שלום", []string{"אמר: שלום עולם"}},
		{"مرحبا", []string{"مرحبا بالجميع"}},
		{"strasse café", []string{"Straße CAFE\u0301"}},
		{"привет", []string{"ПРИВЕТ, мир"}},
		{"ดี", []string{"สวัสดีครับ"}},
		{`"hello" OR NEAR(*`, nil}, // nothing of it is a language
		{strings.Repeat("投票", 100), nil},
	} {
		t.wants(ann, room, c.query, c.want...)
	}
	t.wants(bob, direct, "投票", "hello, Ann: 投票了吗")
	t.wants(ann, "", "hello", "hello, Ann: 投票了吗", "the end of hello", "Hello, world")
	t.wants(bob, "", "hello", "hello, Ann: 投票了吗")

	found := t.search(ann, room, "投票")[0]
	there, err := t.Engine.Message(t.Context(), room, found.Seq)
	t.ok(err)
	if fmt.Sprint(found) != fmt.Sprint(there) {
		t.Fatalf("found\n%v\nread\n%v", found, there)
	}
}

func (t *searchTest) amended() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	first, second, third := t.say(ann, room, "green tea"), t.say(ann, room, "black tea"), t.say(ann, room, "no milk")
	t.settle()
	t.wants(ann, room, "tea", "black tea", "green tea")
	t.edit(ann, room, first, "white coffee")
	t.erase(ann, room, second)
	t.edit(ann, room, third, "tea with milk")
	t.settle()
	t.wants(ann, room, "tea", "tea with milk")
	t.wants(ann, room, "green")
	t.wants(ann, room, "black")
	t.wants(ann, room, "coffee", "white coffee")
	t.edit(ann, room, first, "white tea")
	t.edit(ann, room, third, "nothing")
	t.settle()
	t.wants(ann, room, "tea", "white tea")
	t.wants(ann, room, "milk")
	t.erase(ann, room, first)
	t.settle()
	t.wants(ann, room, "white")
	t.wants(ann, room, "tea")
	t.wants(ann, room, "nothing", "nothing")
}

func (t *searchTest) rights() {
	ann, bob, eve := t.person("Ann"), t.person("Bob"), t.person("Eve")
	open, shut := t.room(ann, "Open", false), t.room(ann, "Shut", true)
	direct := channel.Direct(ann.ID, bob.ID)
	t.say(ann, open, "a secret that all may know")
	t.say(ann, shut, "a secret of the room")
	t.say(ann, direct, "a secret of two")
	t.settle()
	t.wants(ann, "", "secret", "a secret of two", "a secret of the room", "a secret that all may know")
	t.wants(bob, "", "secret", "a secret of two")
	t.wants(eve, "", "secret")
	t.wants(eve, open, "secret", "a secret that all may know")
	t.wants(channel.Sender{}, open, "secret", "a secret that all may know")
	for _, c := range []struct {
		who  channel.Sender
		name channel.Name
		want error
	}{
		{eve, shut, chat.ErrNoRoom},
		{channel.Sender{}, shut, chat.ErrNoRoom},
		{eve, direct, problem.Forbidden},
		{channel.Sender{}, direct, identity.ErrNoSession},
		{channel.Sender{}, "", identity.ErrNoSession},
		{ann, channel.User(ann.ID), chat.ErrNoChannel},
		{ann, channel.Vote("K7QM3"), chat.ErrNoChannel},
		{ann, channel.Room("nowhere"), chat.ErrNoRoom},
	} {
		if _, err := t.talk.Search(t.Context(), c.who, chat.Search{Query: "secret", Channel: c.name}); !errors.Is(err, c.want) {
			t.Errorf("%s in %q: %v; want %v", c.who.Name, c.name, err, c.want)
		}
	}
}

func (t *searchTest) gone() {
	ann, bob := t.person("Ann"), t.person("Bob")
	shut, other := t.room(ann, "Shut", true), t.room(ann, "Other", false)
	invite, err := t.talk.Invite(t.Context(), ann, shut.ID())
	t.ok(err)
	t.ok(t.talk.Join(t.Context(), bob, shut.ID(), invite))
	t.say(ann, shut, "tea in here")
	t.say(bob, other, "tea out there")
	t.settle()
	t.wants(bob, "", "tea", "tea out there", "tea in here")
	first, err := t.talk.Search(t.Context(), bob, chat.Search{Query: "tea", Limit: 1})
	t.ok(err)

	t.ok(t.talk.Leave(t.Context(), bob, shut.ID()))
	t.wants(bob, "", "tea", "tea out there")
	if rest, err := t.talk.Search(t.Context(), bob, chat.Search{Query: "tea", Before: first.Next}); err != nil || len(rest.Messages) != 0 {
		t.Fatalf("the next page has what cannot be read any more: %v, %v", rest, err)
	}
	if _, err := t.talk.Search(t.Context(), bob, chat.Search{Query: "tea", Channel: shut}); !errors.Is(err, chat.ErrNoRoom) {
		t.Fatalf("in a room that was left: %v", err)
	}

	t.ok(t.talk.Delete(t.Context(), ann, false, other.ID()))
	t.wants(ann, "", "tea", "tea in here")
	t.settle()
	t.wants(ann, "", "tea", "tea in here")
	again := t.room(ann, "Other", false) // of another id
	t.wants(ann, again, "tea")
}

func (t *searchTest) retention() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	for i := range 5 {
		t.say(ann, room, fmt.Sprint("tea ", i))
	}
	t.settle()
	for i := range 4 {
		t.say(ann, room, fmt.Sprint("water ", i))
	}
	t.Sweep()
	t.wants(ann, room, "tea", "tea 4")
	t.settle()
	t.wants(ann, room, "tea", "tea 4")
	t.wants(ann, room, "water", "water 3", "water 2", "water 1", "water 0")
	t.erase(ann, room, 5)
	t.Sweep()
	t.settle()
	t.wants(ann, "", "tea")
	t.wants(ann, "", "water", "water 3", "water 2", "water 1", "water 0")
}

// follow goes through the pages of a search, and has something happen between them.
func (t *searchTest) follow(who channel.Sender, q chat.Search, between func(page int)) []string {
	t.Helper()
	var all []string
	for page := 0; ; page++ {
		results, err := t.talk.Search(t.Context(), who, q)
		t.ok(err)
		if len(results.Messages) > q.Limit {
			t.Fatalf("%d messages on a page of %d", len(results.Messages), q.Limit)
		}
		for i, m := range results.Messages {
			if i > 0 && m.At.After(results.Messages[i-1].At) {
				t.Fatalf("%q is newer than what is before it", textOf(m))
			}
			all = append(all, textOf(m))
		}
		if results.Next == "" {
			return all
		}
		if page > 1000 {
			t.Fatal("it has no end")
		}
		between(page)
		q.Before = results.Next
	}
}

func (t *searchTest) pages() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	var want []string
	for i := range 60 {
		if i%3 == 0 {
			want = append(want, fmt.Sprint("tea ", i))
		}
		t.say(ann, room, fmt.Sprint([]string{"tea ", "milk ", "no "}[i%3], i))
	}
	slices.Reverse(want)
	t.settle()
	for _, limit := range []int{1, 3, 20, 100} {
		got := t.follow(ann, chat.Search{Query: "tea", Channel: room, Limit: limit}, func(page int) {
			if page < 4 {
				t.say(ann, room, "late tea")
			}
		})
		got = slices.DeleteFunc(got, func(text string) bool { return text == "late tea" })
		if !slices.Equal(got, want) {
			t.Fatalf("in pages of %d: %q; want %q", limit, got, want)
		}
	}
}

func (t *searchTest) pagesOfMany() {
	ann, bob := t.person("Ann"), t.person("Bob")
	channels := []channel.Name{channel.Direct(ann.ID, bob.ID)}
	for i := range 24 {
		channels = append(channels, t.room(ann, fmt.Sprint("Room ", i), i%2 == 0))
	}
	var want []string
	for i := range 140 {
		text := fmt.Sprint("tea ", i)
		if i%5 == 4 {
			text = fmt.Sprint("milk ", i)
		} else {
			want = append(want, text)
		}
		t.say(ann, channels[i*i%23], text) // two of them have nothing
	}
	slices.Sort(want)
	t.settle()
	for _, limit := range []int{1, 7, 100} {
		changing := 0
		got := t.follow(ann, chat.Search{Query: "tea", Limit: limit}, func(page int) {
			if page%10 == 0 {
				t.say(ann, channels[page%len(channels)], "late tea")
				changing++
			}
		})
		got = slices.DeleteFunc(got, func(text string) bool { return text == "late tea" })
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("in pages of %d: %d messages; want %d:\n%q", limit, len(got), len(want), got)
		}
	}
}

// farBack: what one search looks at is bounded, and so the oldest is found with the second only, unless there is an index.
func (t *searchTest) farBack() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	t.say(ann, room, "needle")
	const filler = 10_500
	drafts := make([]channel.Draft, 100)
	for i := range drafts {
		drafts[i] = channel.Draft{Channel: room, Type: "text", From: ann, Data: json.RawMessage(`{"text":"hay"}`)}
	}
	for range filler / len(drafts) {
		_, err := t.Engine.Append(t.Context(), drafts...)
		t.ok(err)
	}
	t.settle()
	first, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "needle"})
	t.ok(err)
	if len(first.Messages) == 1 && first.Next == "" {
		return
	}
	if first.Next == "" || first.Back.IsZero() {
		t.Fatalf("nothing is found, and nothing left: %+v", first)
	}
	second, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "needle", Before: first.Next})
	t.ok(err)
	if len(second.Messages) != 1 || second.Next != "" || second.Messages[0].Seq != 1 {
		t.Fatalf("the second page: %+v", second)
	}
}

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
	for q := (chat.Search{Query: query, Channel: in, Limit: limit}); ; {
		results, err := t.talk.Search(t.Context(), who, q)
		t.ok(err)
		for i, m := range results.Messages {
			if i > 0 && m.At.After(results.Messages[i-1].At) {
				t.Fatalf("%q: %q is newer than what is before it", query, textOf(m))
			}
			got = append(got, found{m.Channel, m.Seq, textOf(m)})
		}
		if q.Before = results.Next; q.Before == "" {
			break
		}
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

func (t *searchTest) refused() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	for _, c := range []struct {
		q    chat.Search
		want error
	}{
		{chat.Search{Query: ""}, problem.BadRequest},
		{chat.Search{Query: "?! …"}, problem.BadRequest},
		{chat.Search{Query: strings.Repeat("a", chat.MaxQuery+1)}, problem.TooLong},
		{chat.Search{Query: "tea", Limit: 101}, problem.BadRequest},
		{chat.Search{Query: "tea", Limit: -1}, problem.BadRequest},
		{chat.Search{Query: "tea", Before: "42"}, channel.ErrBadPosition},
		{chat.Search{Query: "tea", Before: "AQ-"}, channel.ErrBadPosition},
		{chat.Search{Query: "tea", Before: "AQECAwQF"}, channel.ErrBadPosition},
		{chat.Search{Query: "tea", Channel: room, Before: "x"}, channel.ErrBadPosition},
	} {
		if _, err := t.talk.Search(t.Context(), ann, c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v; want %v", c.q, err, c.want)
		}
	}
	for _, before := range []string{"", "0", "1", "42", "end", "42-k3x9q0zr"} {
		if results, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "tea", Channel: room, Before: before}); err != nil || len(results.Messages) != 0 || results.Next != "" {
			t.Errorf("before %q in an empty room: %+v, %v", before, results, err)
		}
	}
	t.say(ann, room, "tea")
	if results, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "tea", Channel: room, Before: "1000"}); err != nil || len(results.Messages) != 1 {
		t.Errorf("before what is not there yet: %+v, %v", results, err)
	}
}

func (t *searchTest) reopened() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	first, second := t.say(ann, room, "green tea"), t.say(ann, room, "black tea")
	t.settle()
	t.edit(ann, room, second, "black coffee")
	t.use(t.Reopen())
	t.wants(ann, room, "tea", "green tea")
	t.wants(ann, room, "coffee", "black coffee")
	t.say(ann, room, "red tea")
	t.settle()
	t.wants(ann, "", "tea", "red tea", "green tea")
	t.erase(ann, room, first)
	t.wants(ann, "", "tea", "red tea")
	t.settle()
	t.use(t.Reopen())
	t.wants(ann, "", "tea", "red tea")
	t.wants(ann, "", "coffee", "black coffee")
}
