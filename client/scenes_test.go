package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley"
)

// whole is all that a channel has, by the history, which no live connection had a hand in.
func whole(t testing.TB, c *Client, channel string) []Message {
	t.Helper()
	var all []Message
	for m, err := range c.AllHistory(t.Context(), channel) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func sameMessages(t testing.TB, got, want []Message) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Fatalf("%d messages, want %d:\n%s\nwant\n%s", len(got), len(want), a, b)
	}
}

func sameTexts(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
}

func pastThenLive(t *testing.T, kind Transport) {
	h := open(t)
	ann, reader := person(t, h.url, "Ann"), person(t, h.url, "Reader", by(kind))
	channel := room(t, ann, "Den")
	say(t, ann, channel, numbers(1, 30)...)
	sub := reader.Subscribe(t.Context(), channel, FromStart())
	got := read(t, sub)
	until(t, "the past", func() bool { return len(got.texts()) == 30 })
	var last Receipt
	for i := range 5 {
		last = say(t, ann, channel, numbers(31+2*i, 32+2*i)...)
		until(t, "what is new", func() bool { return len(got.texts()) == 32+2*i })
	}
	sameMessages(t, got.messages(), whole(t, ann, channel))
	isOpen(t, reader, kind)
	until(t, "the position", func() bool { return sub.Position() == last.Position })
}

func fromTheEnd(t *testing.T, kind Transport) {
	h := open(t)
	ann := person(t, h.url, "Ann", by(kind))
	channel := room(t, ann, "Den")
	say(t, ann, channel, "1", "2", "3")
	sub := ann.Subscribe(t.Context(), channel)
	got := read(t, sub)
	if err := sub.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	say(t, ann, channel, "4", "5")
	until(t, "the new ones", func() bool { return len(got.texts()) == 2 })
	sameTexts(t, got.texts(), "4", "5")
}

func publishAndReceive(t *testing.T, kind Transport) {
	h := open(t)
	p := startProxy(t, h.url)
	ann := person(t, p.url, "Ann", by(kind))
	channel := room(t, ann, "Den")
	got := read(t, ann.Subscribe(t.Context(), channel, FromStart()))
	isOpen(t, ann, kind)
	posts := p.count("POST")
	say(t, ann, channel, "a", "b", "c")
	until(t, "one's own", func() bool { return len(got.texts()) == 3 })
	sameTexts(t, got.texts(), "a", "b", "c")
	for _, m := range got.messages() {
		if m.Type == "text" && m.From.Name != "Ann" {
			t.Fatalf("from %v", m.From)
		}
	}
	want := 3
	if kind == WebSocket {
		want = 0
	}
	if n := p.count("POST") - posts; n != want {
		t.Fatalf("%d requests to publish, want %d", n, want)
	}
}

func forbiddenEndsAlone(t *testing.T, kind Transport) {
	h := open(t)
	ann, reader := person(t, h.url, "Ann"), person(t, h.url, "Reader", by(kind))
	channel := room(t, ann, "Den")
	secret, err := ann.CreateRoom(t.Context(), NewRoom{Name: "Secret", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	barred := read(t, reader.Subscribe(t.Context(), secret.Channel, FromStart()))
	got := read(t, reader.Subscribe(t.Context(), channel, FromStart()))
	say(t, ann, channel, "x")
	until(t, "the message", func() bool { return len(got.texts()) == 1 })
	until(t, "the end of the secret one", func() bool { _, done := barred.ended(); return done })
	why, _ := barred.ended()
	if code := codeOf(why); code != "forbidden" && code != "no_room" && code != "no_channel" {
		t.Fatalf("it ended with %v", why)
	}
	say(t, ann, channel, "y")
	until(t, "the next message", func() bool { return len(got.texts()) == 2 })
}

func gapsAreSaid(t *testing.T, kind Transport) {
	const kept = 20
	h := open(t, func(c *parley.Config) { c.KeepRooms.Count = kept })
	ann := person(t, h.url, "Ann")
	channel := room(t, ann, "Den")
	const all = kept + kept/4 + 256 + 30 // where retention trims at once
	var work sync.WaitGroup
	for part := range 8 {
		work.Go(func() {
			for i := part; i < all; i += 8 {
				if _, err := ann.SendText(t.Context(), channel, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	until(t, "retention", func() bool {
		batch, err := ann.History(t.Context(), channel, End, 1000)
		return err == nil && len(batch.Messages) < all
	})
	reader := person(t, h.url, "Reader", by(kind))
	sub := reader.Subscribe(t.Context(), channel, After("5"))
	got := read(t, sub)
	until(t, "the retention gap and what is kept", func() bool {
		return slices.Equal(got.reasons(), []string{"retention"}) && sub.Position() == must(ann.History(t.Context(), channel, End, 1))(t).To
	})

	// A failover that lost a tail: the folder as it was before the last messages, and others in their place.
	saved := t.TempDir()
	h.kill()
	h.copy(h.config.Data, saved)
	h.start()
	last := say(t, ann, channel, "lost", "lost", "lost")
	until(t, "what will be lost", func() bool { return sub.Position() == last.Position })
	h.kill()
	h.copy(saved, h.config.Data)
	h.start()
	say(t, ann, channel, "in its place", "in its place", "in its place", "in its place")
	until(t, "the rollback", func() bool {
		return slices.Contains(got.reasons(), "rollback") && sub.Position() == must(ann.History(t.Context(), channel, End, 1))(t).To
	})
	if err := ann.DeleteRoom(t.Context(), channel[len("room:"):]); err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { _, done := got.ended(); return done })
	reasons := got.reasons()
	// A request that comes after the deletion is refused: there is no such room.
	if why, _ := got.ended(); codeOf(why) != "no_room" && (codeOf(why) != "channel_deleted" || reasons[len(reasons)-1] != "deleted") {
		t.Fatalf("gaps %v, then %v", reasons, why)
	}
}

func manyChannels(t *testing.T, kind Transport) {
	h := open(t)
	ann := person(t, h.url, "Ann", by(kind))
	channels := make([]string, 230)
	var work sync.WaitGroup
	for part := range 4 {
		work.Go(func() {
			for i := part; i < len(channels); i += 4 {
				vote, err := ann.CreateVote(t.Context(), NewVote{Question: fmt.Sprint(i), Options: []string{"yes", "no"}})
				if err == nil {
					_, err = ann.Cast(t.Context(), vote.Code, 1)
				}
				if err != nil {
					t.Error(err)
				}
				channels[i] = vote.Channel
			}
		})
	}
	work.Wait()
	var logs []*log
	for _, channel := range channels {
		logs = append(logs, read(t, ann.Subscribe(t.Context(), channel, FromStart())))
	}
	for _, l := range logs {
		until(t, "a tally of "+l.sub.Channel(), func() bool {
			all := l.messages()
			var tally Vote
			return len(all) > 0 && json.Unmarshal(all[len(all)-1].Data, &tally) == nil && tally.Voters == 1
		})
	}
}

func comesBack(t *testing.T, kind Transport) {
	h := open(t)
	p := startProxy(t, h.url)
	ann := person(t, p.url, "Ann", by(kind))
	bob := person(t, h.url, "Bob")
	channel := room(t, bob, "Den")
	got := read(t, ann.Subscribe(t.Context(), channel, FromStart()))
	say(t, bob, channel, "1")
	until(t, "the first", func() bool { return len(got.texts()) == 1 })
	p.lines.down(true)
	if now := await(t, ann, func(now Connection) bool { return now.State == Waiting }); now.RetryAt.IsZero() {
		t.Fatal("it does not say when it tries again")
	}
	say(t, bob, channel, "2", "3", "4")
	receipt := make(chan Receipt, 1)
	go func() {
		r, err := ann.SendText(t.Context(), channel, "while away")
		if err != nil {
			t.Error(err)
		}
		receipt <- r
	}()
	time.Sleep(50 * time.Millisecond) // some tries in vain
	p.lines.down(false)
	mine := <-receipt
	until(t, "all", func() bool { return len(got.texts()) == 5 })
	sameTexts(t, got.texts(), "1", "2", "3", "4", "while away")
	if all := got.messages(); all[len(all)-1].Seq != mine.Seq {
		t.Fatalf("receipt %+v", mine)
	}
}

func killAndRestart(t *testing.T, kind Transport) {
	h := open(t)
	reader, ann := person(t, h.url, "Reader", by(kind)), person(t, h.url, "Ann")
	channel := room(t, ann, "Den")
	got := read(t, reader.Subscribe(t.Context(), channel, FromStart()))
	say(t, ann, channel, "0")
	until(t, "the first", func() bool { return len(got.texts()) == 1 })
	h.kill()
	sent := make(chan struct{})
	go func() { defer close(sent); say(t, ann, channel, "1", "2") }()
	h.start()
	<-sent
	until(t, "all", func() bool { return len(got.texts()) == 3 })
	sameMessages(t, got.messages(), whole(t, ann, channel))
}

func deletedRoom(t *testing.T, kind Transport) {
	h := open(t)
	ann := person(t, h.url, "Ann", by(kind))
	channel := room(t, ann, "Den")
	got := read(t, ann.Subscribe(t.Context(), channel, FromStart()))
	isOpen(t, ann, kind)
	if err := ann.DeleteRoom(t.Context(), channel[len("room:"):]); err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { _, done := got.ended(); return done })
	for _, reason := range got.reasons() {
		if reason != "deleted" {
			t.Fatalf("gaps %v", got.reasons())
		}
	}
	if why, _ := got.ended(); why == nil {
		t.Fatal("it ended without a word")
	}
}

func voteLive(t *testing.T, kind Transport) {
	h := open(t)
	ann, bob := person(t, h.url, "Ann"), person(t, h.url, "Bob", by(kind))
	vote := must(ann.CreateVote(t.Context(), NewVote{Question: "Tea?", Options: []string{"yes", "no"}}))(t)
	got := read(t, bob.Subscribe(t.Context(), vote.Channel, FromStart()))
	isOpen(t, bob, kind)
	if mine := must(bob.Cast(t.Context(), vote.Code, 1))(t); !slices.Equal(mine.Ballot, []int{1}) {
		t.Fatalf("ballot %v", mine.Ballot)
	}
	must(ann.Cast(t.Context(), vote.Code, 2))(t)
	must(bob.Cast(t.Context(), vote.Code, 2))(t)
	var version uint64
	until(t, "the last tally", func() bool {
		all := got.messages()
		if len(all) == 0 {
			return false
		}
		var tally Vote
		if err := json.Unmarshal(all[len(all)-1].Data, &tally); err != nil {
			t.Fatal(err)
		}
		return tally.Voters == 2 && tally.Options[1].Count == 2
	})
	for _, m := range got.messages() {
		var tally Vote
		if err := json.Unmarshal(m.Data, &tally); err != nil || tally.Version <= version {
			t.Fatalf("version %d after %d (%v)", tally.Version, version, err)
		}
		version = tally.Version
	}
}

func ownPositions(t *testing.T) {
	h := open(t)
	for _, kind := range Transports {
		ann := person(t, h.url, "Ann "+string(kind), by(kind))
		channel := room(t, ann, "Den "+string(kind))
		say(t, ann, channel, numbers(1, 10)...)
		seven := must(ann.History(t.Context(), channel, End, 3))(t).From
		a := read(t, ann.Subscribe(t.Context(), channel, After(seven)))
		until(t, "three", func() bool { return len(a.texts()) == 3 })
		last := ann.Subscribe(t.Context(), channel)
		b := read(t, last)
		first := ann.Subscribe(t.Context(), channel, After("0"))
		c := read(t, first)
		if err := last.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "ten", func() bool { return len(c.texts()) == 10 })
		say(t, ann, channel, "11", "12")
		until(t, "two more", func() bool { return len(a.texts()) == 5 && len(b.texts()) == 2 && len(c.texts()) == 12 })
		sameTexts(t, a.texts(), numbers(8, 12)...)
		sameTexts(t, b.texts(), "11", "12")
		sameTexts(t, c.texts(), numbers(1, 12)...)
		first.Close()
		last.Close()
		say(t, ann, channel, "13")
		until(t, "one more", func() bool { return len(a.texts()) == 6 })
		if len(b.texts()) != 2 || len(c.texts()) != 12 {
			t.Fatal("a closed subscription goes on")
		}
		ann.Close()
	}
}

func madeAtOnce(t *testing.T) {
	h := open(t)
	p := startProxy(t, h.url)
	for _, kind := range Transports {
		for n, order := range [][]string{{"10", "2"}, {"7", "2", End}, {End, "2", "7"}, {"2", End, "7"}} {
			ann := person(t, p.url, fmt.Sprint(kind, n), by(kind))
			channel, other := room(t, ann, fmt.Sprint("Den ", kind, n)), room(t, ann, fmt.Sprint("Other ", kind, n))
			base := len(whole(t, ann, channel))
			say(t, ann, channel, numbers(1, 10)...)
			ann.Subscribe(t.Context(), other)
			isOpen(t, ann, kind)
			p.set(func(f *faults) { f.delay = 30 * time.Millisecond })
			var logs []*log
			for _, after := range order {
				if after != End {
					var n int
					_, _ = fmt.Sscan(after, &n)
					after = fmt.Sprint(base + n)
				}
				logs = append(logs, read(t, ann.Subscribe(t.Context(), channel, After(after))))
			}
			p.calm()
			for _, l := range logs {
				if err := l.sub.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			say(t, ann, channel, "11")
			for i, after := range order {
				first := 11
				if after != End {
					_, _ = fmt.Sscan(after, &first)
					first++
				}
				want := numbers(first, 11)
				until(t, fmt.Sprintf("%s: what is after %s of %v", kind, after, order), func() bool { return len(logs[i].texts()) == len(want) })
				sameTexts(t, logs[i].texts(), want...)
			}
			ann.Close()
		}
	}
}

func autoSSE(t *testing.T) {
	p := startProxy(t, open(t).url)
	p.set(func(f *faults) { f.stripUpgrade = true })
	ann := person(t, p.url, "Ann", with(slowClimb(hurried)))
	ann.Subscribe(t.Context(), "room:lobby")
	await(t, ann, func(now Connection) bool { return now.State == Open && now.Transport == SSE })
}

// slowClimb tries nothing better while a test looks.
func slowClimb(times Timeouts) Timeouts {
	times.ClimbMin, times.ClimbMax = time.Hour, time.Hour
	return times
}

func autoLongPoll(t *testing.T) {
	h := open(t)
	p := startProxy(t, h.url)
	p.set(func(f *faults) { f.stripUpgrade, f.bufferSSE = true, true })
	times := slowClimb(hurried)
	times.Hello = time.Second
	ann := person(t, p.url, "Ann", with(times))
	channel := room(t, ann, "Den")
	got := read(t, ann.Subscribe(t.Context(), channel, FromStart()))
	await(t, ann, func(now Connection) bool { return now.State == Open && now.Transport == LongPoll })
	say(t, ann, channel, "1")
	until(t, "the message", func() bool { return len(got.texts()) == 1 })
}

func autoMute(t *testing.T) {
	p := startProxy(t, open(t).url)
	p.set(func(f *faults) { f.mute = true })
	times := slowClimb(hurried)
	times.Hello = 2 * time.Second
	ann := person(t, p.url, "Ann", with(times))
	ann.Subscribe(t.Context(), "room:lobby")
	await(t, ann, func(now Connection) bool { return now.State == Open && now.Transport == SSE })
}

func autoClimbs(t *testing.T) {
	h := open(t)
	p := startProxy(t, h.url)
	p.set(func(f *faults) { f.stripUpgrade, f.bufferSSE = true, true })
	times := hurried
	times.Hello = time.Second
	ann, bob := person(t, p.url, "Ann", with(times)), person(t, h.url, "Bob")
	channel := room(t, bob, "Den")
	got := read(t, ann.Subscribe(t.Context(), channel, FromStart()))
	isOpen(t, ann, LongPoll)
	states := map[State]bool{}
	ann.env.mu.Lock()
	ann.conn.observe = func(now Connection) { states[now.State] = true }
	ann.env.mu.Unlock()
	p.set(func(f *faults) { f.stripUpgrade = false })
	n := 0
	for ann.Connection().Transport != WebSocket {
		n++
		say(t, bob, channel, fmt.Sprint(n))
		time.Sleep(5 * time.Millisecond)
	}
	say(t, bob, channel, fmt.Sprint(n+1))
	until(t, "all", func() bool { return len(got.texts()) == n+1 })
	sameTexts(t, got.texts(), numbers(1, n+1)...)
	ann.env.mu.Lock()
	defer ann.env.mu.Unlock()
	if len(states) != 1 || !states[Open] {
		t.Fatalf("on the way it was %v", states)
	}
}

func forcedShows(t *testing.T) {
	p := startProxy(t, open(t).url)
	times := hurried
	times.Hello = time.Second
	ann := person(t, p.url, "Ann", with(times))
	ann.Subscribe(t.Context(), "room:lobby")
	isOpen(t, ann, WebSocket)
	p.set(func(f *faults) { f.bufferSSE = true })
	if err := ann.UseTransport(SSE); err != nil {
		t.Fatal(err)
	}
	if now := await(t, ann, func(now Connection) bool { return now.State == Waiting }); now.Forced != SSE {
		t.Fatalf("%+v", now)
	}
	if err := ann.UseTransport(Auto); err != nil {
		t.Fatal(err)
	}
	await(t, ann, func(now Connection) bool {
		return now.State == Open && now.Transport == WebSocket && now.Forced == Auto
	})
	fails(t, ann.UseTransport("pigeon"), CodeBadOption)
}

func signalsAndEnded(t *testing.T) {
	h := open(t)
	ann, bob := person(t, h.url, "Ann", by(SSE)), person(t, h.url, "Bob", by(WebSocket))
	secret := must(bob.CreateRoom(t.Context(), NewRoom{Name: "Secret", Private: true}))(t)
	invite := must(bob.Invite(t.Context(), secret.ID))(t)
	if err := ann.Join(t.Context(), secret.ID, invite.Invite); err != nil {
		t.Fatal(err)
	}
	sub := ann.Subscribe(t.Context(), secret.Channel)
	got := read(t, sub)
	if err := sub.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	isOpen(t, ann, SSE)
	typing := make(chan Signal, 1)
	go func() {
		for s := range sub.Signals() {
			if s.Type == "typing" {
				typing <- s
				return
			}
		}
		close(typing)
	}()
	if err := bob.Signal(t.Context(), secret.Channel, "typing", nil); err != nil {
		t.Fatal(err)
	}
	if s := <-typing; s.From == nil || s.From.Name != "Bob" || s.Channel != secret.Channel {
		t.Fatalf("%+v", s)
	}
	if err := ann.Leave(t.Context(), secret.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { _, done := got.ended(); return done })
	if why, _ := got.ended(); codeOf(why) != "forbidden" && codeOf(why) != "no_room" {
		t.Fatalf("it ended with %v", why)
	}
}

func publishGivenUp(t *testing.T) {
	h := open(t)
	p := startProxy(t, h.url)
	ann := person(t, p.url, "Ann")
	channel := room(t, ann, "Den")
	draft := Draft{Data: map[string]string{"text": "x"}, ID: "same"}
	for _, fault := range []func(*faults){func(f *faults) { f.busy = 1 }, func(f *faults) { f.lose = 1 }} {
		p.set(fault)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		receipt, err := ann.Publish(ctx, channel, draft)
		cancel()
		fails(t, err, CodeNetwork)
		if receipt.ID != "same" {
			t.Fatalf("the receipt does not say the key: %+v", receipt)
		}
		p.calm()
	}
	first := must(ann.Publish(t.Context(), channel, draft))(t)
	again := must(ann.Publish(t.Context(), channel, draft))(t)
	if first.Seq == 0 || first.Position != again.Position {
		t.Fatalf("%+v and %+v", first, again)
	}
	if texts := read(t, ann.Subscribe(t.Context(), channel, FromStart())); true {
		until(t, "the one", func() bool { return len(texts.texts()) == 1 })
	}
	before := p.count("POST")
	_, err := ann.SendText(t.Context(), channel, "")
	fails(t, err, "empty")
	_, err = ann.Publish(t.Context(), channel, Draft{Data: map[string]string{"text": "y"}, ID: "same"})
	fails(t, err, "key_reused")
	if n := p.count("POST") - before; n > 2 {
		t.Fatalf("a refused publish was repeated: %d requests", n)
	}
}

func errorsSaid(t *testing.T) {
	h := open(t)
	c := connect(t, h.url)
	if user := must(c.Session(t.Context()))(t); user != nil {
		t.Fatalf("we are %+v", user)
	}
	_, err := c.Room(t.Context(), "nowhere")
	fails(t, err, "no_room")
	_, err = c.Conversations(t.Context())
	fails(t, err, "no_session")
	h.kill()
	_, err = c.Rooms(t.Context())
	fails(t, err, CodeNetwork)
	_, err = New("chat.example.com", Options{})
	fails(t, err, CodeBadOption)
	_, err = New(h.url, Options{Transport: "pigeon"})
	fails(t, err, CodeBadOption)
	c.Close()
	_, err = c.SendText(t.Context(), "room:lobby", "x")
	fails(t, err, CodeClosed)
	for _, err := range c.Subscribe(t.Context(), "room:lobby").Messages() {
		fails(t, err, CodeClosed)
	}
}

func signingIn(t *testing.T) {
	h := open(t)
	p := startProxy(t, h.url)
	c := connect(t, p.url, by(WebSocket))
	got := read(t, c.Subscribe(t.Context(), "room:lobby", FromStart()))
	isOpen(t, c, WebSocket)
	if user := must(c.SignIn(t.Context(), "Eve"))(t); user.Name != "Eve" {
		t.Fatalf("%+v", user)
	}
	until(t, "the connection of Eve", func() bool {
		c.env.mu.Lock()
		defer c.env.mu.Unlock()
		l, is := c.conn.current.(*socketLink)
		return is && l.user != nil && l.user.Name == "Eve"
	})
	say(t, c, "room:lobby", "hi")
	until(t, "the message", func() bool { return len(got.texts()) == 1 })
	if from := got.messages()[len(got.messages())-1].From; from.Name != "Eve" {
		t.Fatalf("from %+v", from)
	}
}

func guestOnTheSpot(t *testing.T) {
	h := open(t)
	c := connect(t, h.url, by(WebSocket))
	c.Subscribe(t.Context(), "room:lobby")
	isOpen(t, c, WebSocket)
	say(t, c, "room:lobby", "hello")
	user := must(c.Session(t.Context()))(t)
	if user == nil || user.Name[:5] != "Guest" || c.Token() == "" {
		t.Fatalf("we are %+v", user)
	}
	until(t, "the guest's connection", func() bool {
		c.env.mu.Lock()
		defer c.env.mu.Unlock()
		l, is := c.conn.current.(*socketLink)
		return is && l.user != nil && l.user.ID == user.ID
	})
}

func typingAndHere(t *testing.T) {
	h := open(t)
	ann, bob := person(t, h.url, "Ann", by(WebSocket)), person(t, h.url, "Bob", by(SSE))
	channel := room(t, ann, "Den")
	hear := func(c *Client) func(string) {
		var mu sync.Mutex
		heard := map[string]bool{}
		sub := c.Subscribe(t.Context(), channel)
		go func() {
			for s := range sub.Signals() {
				mu.Lock()
				heard[s.Type] = true
				mu.Unlock()
			}
		}()
		return func(kind string) {
			t.Helper()
			until(t, kind, func() bool { mu.Lock(); defer mu.Unlock(); return heard[kind] })
		}
	}
	a := hear(ann)
	a("here")
	b := hear(bob)
	b("here")
	a("join")
	for _, c := range []*Client{ann, bob} {
		if err := c.Signal(t.Context(), channel, "typing", nil); err != nil {
			t.Fatal(err)
		}
	}
	a("typing")
	b("typing")
	if here := must(ann.Presence(t.Context(), channel))(t); here.Count != 2 {
		t.Fatalf("%+v", here)
	}
}
