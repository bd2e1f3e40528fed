package enginetest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"parley/channel"
	"parley/chat"
	"parley/identity"
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
				s := &searchTest{strict: strict{t}, settles: settles, clock: NewClock()}
				s.use(open(t, Options{Policies: test.policies, Clock: s.clock.Now}))
				test.run(s)
			})
		}
	}
}

type searchTest struct {
	strict
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
	return t.follow(who, chat.Search{Query: query, Channel: name, Limit: 100}, func(int) {})
}

// follow goes through the pages of a search, and has something happen between them.
func (t *searchTest) follow(who channel.Sender, q chat.Search, between func(page int)) []channel.Message {
	t.Helper()
	var all []channel.Message
	for page := 0; ; page++ {
		results, err := t.talk.Search(t.Context(), who, q)
		t.ok(err)
		if len(results.Messages) > q.Limit {
			t.Fatalf("%q: %d messages on a page of %d", q.Query, len(results.Messages), q.Limit)
		}
		for i, m := range results.Messages {
			if i > 0 && m.At.After(results.Messages[i-1].At) {
				t.Fatalf("%q: %q is newer than what is before it", q.Query, textOf(m))
			}
		}
		all = append(all, results.Messages...)
		if results.Next == "" {
			return all
		}
		if page > 1000 {
			t.Fatalf("%q: it has no end", q.Query)
		}
		between(page)
		q.Before = results.Next
	}
}

// wants checks what a search finds, newest first.
func (t *searchTest) wants(who channel.Sender, name channel.Name, query string, want ...string) {
	t.Helper()
	if got := textsOf(t.search(who, name, query)); !slices.Equal(got, want) {
		t.Fatalf("%q in %q finds %q; want %q", query, name, got, want)
	}
}

func textsOf(messages []channel.Message) (texts []string) {
	for _, m := range messages {
		texts = append(texts, textOf(m))
	}
	return texts
}

func textOf(m channel.Message) string {
	text, _ := chat.SearchedText(m.Type, m.Data)
	return text
}
