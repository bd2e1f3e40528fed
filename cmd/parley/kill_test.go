package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestKill kills the server with SIGKILL in a loop while people publish, vote and read on every transport, and then
// demands: every acknowledged message is there once and in order, every reader ends with the same log, and the tally is
// the sum of the ballots. PARLEY_KILLS says how often (default 5; `make test-crash-long`: 50).
func TestKill(t *testing.T) {
	kills := 5
	if s := os.Getenv("PARLEY_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("PARLEY_KILLS=%q is not a number of kills", s)
		}
		kills = n
	}
	s := startServer(t, unlimited...)
	const room = "room:lobby"

	var publishers []*publisher
	for i := range 4 {
		name := fmt.Sprintf("pub%d", i)
		publishers = append(publishers, &publisher{client: s.signIn(name), name: name, channel: room})
	}
	owner := s.signIn("owner")
	var vote struct{ Code string }
	if err := owner.insist("POST", "/v1/votes", map[string]any{"question": "Which?", "options": []string{"A", "B", "C"}}, &vote); err != nil {
		t.Fatal(err)
	}
	var voters []*voter
	for i := range 8 {
		voters = append(voters, &voter{client: s.signIn(fmt.Sprintf("voter%d", i)), code: vote.Code})
	}
	var readers []*reader
	for _, transport := range allTransports {
		readers = append(readers, newReader(transport, s.signIn("reads by "+transport), room, transport))
	}
	readers = append(readers, newReader("switching", s.signIn("switches"), room, allTransports...))
	watcher := newWatcher(s.signIn("watches"), vote.Code)

	writing, stopWriting := context.WithCancel(t.Context())
	reading, stopReading := context.WithCancel(t.Context())
	var writers, others sync.WaitGroup
	for _, p := range publishers {
		writers.Go(func() { p.run(writing) })
	}
	for _, v := range voters {
		writers.Go(func() { v.run(writing) })
	}
	for _, r := range append(readers, watcher.reader) {
		others.Go(func() { r.run(reading) })
	}
	for range kills {
		time.Sleep(300*time.Millisecond + rand.N(500*time.Millisecond))
		s.kill()
		s.start()
	}
	time.Sleep(300 * time.Millisecond)
	stopWriting()
	writers.Wait()

	truth := newReader("afterwards", owner, room, "poll")
	last := s.tail(owner, room)
	catchUp, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	for truth.where() != last && catchUp.Err() == nil {
		if err := truth.ask(catchUp, false); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range readers {
		for r.where() != last && catchUp.Err() == nil && r.failure() == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
	stopReading()
	others.Wait()

	log := truth.messages()
	checkLog(t, log)
	for _, p := range publishers {
		p.check(t, log)
	}
	for _, r := range readers {
		checkReader(t, r, log)
	}
	checkTally(t, s, owner, vote.Code, voters)
	watcher.check(t)
	var acknowledged, ballots int
	for _, p := range publishers {
		acknowledged += len(p.acknowledged)
	}
	for _, v := range voters {
		ballots += v.cast
	}
	t.Logf("%d kills: %d messages and %d ballots acknowledged, %d messages in the log, %d readers alike (%d connections of the switching one)",
		kills, acknowledged, ballots, len(log), len(readers), readers[len(readers)-1].switches)
	if acknowledged < 20*kills || ballots < 20*kills {
		t.Errorf("too little happened to prove anything")
	}
}

// publisher publishes one message after the other, each with its key, and repeats it until it is acknowledged.
type publisher struct {
	client        client
	name, channel string
	failure       error
	acknowledged  []acknowledgement
}

type acknowledgement struct {
	key string
	seq uint64
}

func (p *publisher) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		key := fmt.Sprintf("%s-%d", p.name, n)
		var receipt struct{ Seq uint64 }
		in := map[string]any{"type": "text", "data": map[string]string{"text": "message " + key}}
		if p.failure = p.client.insist("POST", "/v1/channels/"+p.channel+"/messages", in, &receipt, "Idempotency-Key", key); p.failure != nil {
			return
		}
		p.acknowledged = append(p.acknowledged, acknowledgement{key, receipt.Seq})
	}
}

// check demands that what was acknowledged is in the log, once, where the acknowledgement said, and in order.
func (p *publisher) check(t *testing.T, log []wireMessage) {
	t.Helper()
	if p.failure != nil {
		t.Errorf("%s: %v", p.name, p.failure)
	}
	times := map[string]int{}
	for _, m := range log {
		if strings.HasPrefix(m.ID, p.name+"-") {
			times[m.ID]++
		}
	}
	var before uint64
	for _, a := range p.acknowledged {
		if a.seq <= before {
			t.Errorf("%s has seq %d, the one before it %d", a.key, a.seq, before)
		}
		before = a.seq
		if times[a.key] != 1 {
			t.Errorf("acknowledged message %s is in the log %d times", a.key, times[a.key])
		} else if m := log[a.seq-1]; m.ID != a.key || !strings.Contains(string(m.Data), `"message `+a.key+`"`) {
			t.Errorf("%s was acknowledged as %d, where there is %s %s", a.key, a.seq, m.ID, m.Data)
		}
	}
}

// voter changes their mind again and again, and knows which ballot was acknowledged last.
type voter struct {
	client  client
	code    string
	failure error
	option  int
	cast    int
}

func (v *voter) run(ctx context.Context) {
	for ctx.Err() == nil {
		option := 1 + rand.N(3)
		if v.failure = v.client.insist("PUT", "/v1/votes/"+v.code+"/ballot", map[string]any{"options": []int{option}}, nil); v.failure != nil {
			return
		}
		v.option = option
		v.cast++
	}
}

func checkLog(t *testing.T, log []wireMessage) {
	t.Helper()
	for i, m := range log {
		if m.Seq != uint64(i+1) {
			t.Fatalf("message %d of the log has seq %d", i+1, m.Seq)
		}
	}
}

func checkReader(t *testing.T, r *reader, log []wireMessage) {
	t.Helper()
	if err := r.failure(); err != nil {
		t.Error(err)
		return
	}
	got := r.messages()
	if len(got) != len(log) {
		t.Errorf("reader %s has %d messages, the log %d", r.name, len(got), len(log))
		return
	}
	for i := range log {
		if got[i].Seq != log[i].Seq || got[i].ID != log[i].ID || string(got[i].Data) != string(log[i].Data) {
			t.Errorf("reader %s has %d %s %s where the log has %d %s %s", r.name, got[i].Seq, got[i].ID, got[i].Data, log[i].Seq, log[i].ID, log[i].Data)
			return
		}
	}
}

// checkTally demands that the counts are those of the last acknowledged ballots, and that the recount agrees.
func checkTally(t *testing.T, s *server, c client, code string, voters []*voter) {
	t.Helper()
	want := make([]int, 3)
	for i, v := range voters {
		if v.failure != nil {
			t.Errorf("voter %d: %v", i, v.failure)
		}
		if v.option > 0 {
			want[v.option-1]++
		}
	}
	var view wireVote
	if err := c.insist("GET", "/v1/votes/"+code, nil, &view); err != nil {
		t.Fatal(err)
	}
	if got := view.counts(); view.Voters != len(voters) || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the tally is %v of %d voters, the acknowledged ballots are %v of %d", got, view.Voters, want, len(voters))
	}
	s.recount(t)
}

type wireVote struct {
	Version uint64
	Voters  int
	Open    bool
	Visible bool
	Options []struct {
		ID    int
		Count *int
	}
}

func (v wireVote) counts() (counts []int) {
	for _, o := range v.Options {
		if o.Count != nil {
			counts = append(counts, *o.Count)
		}
	}
	return counts
}

// watcher follows a vote's tallies over changing transports: the version only grows, and the counts add up to the voters.
type watcher struct {
	*reader
}

func newWatcher(c client, code string) watcher {
	return watcher{newReader("watcher", c, "vote:"+code, allTransports...)}
}

func (w watcher) check(t *testing.T) {
	t.Helper()
	if err := w.failure(); err != nil {
		t.Error(err)
	}
	var version uint64
	for _, m := range w.messages() {
		var v wireVote
		if err := json.Unmarshal(m.Data, &v); err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, n := range v.counts() {
			sum += n
		}
		if v.Version <= version || sum != v.Voters {
			t.Errorf("after version %d the screen shows version %d with %d counted of %d voters", version, v.Version, sum, v.Voters)
		}
		version = v.Version
	}
	if version == 0 {
		t.Error("the watcher saw no tally")
	}
}

// tail is the newest position of a channel.
func (s *server) tail(c client, channel string) string {
	s.t.Helper()
	var b wireBatch
	if err := c.insist("GET", "/v1/channels/"+channel+"/messages?before=end&limit=1", nil, &b); err != nil {
		s.t.Fatal(err)
	}
	return b.To
}

// TestEveryBallotOnce: 200 people vote at once, each three times over: 200 ballots.
func TestEveryBallotOnce(t *testing.T) {
	s := startServer(t, unlimited...)
	owner := s.signIn("owner")
	var vote struct{ Code string }
	if err := owner.insist("POST", "/v1/votes", map[string]any{"question": "Which?", "options": []string{"A", "B"}}, &vote); err != nil {
		t.Fatal(err)
	}
	const people = 200
	clients := make([]client, people)
	for i := range clients {
		clients[i] = s.signIn(fmt.Sprintf("person %d", i))
	}
	var all sync.WaitGroup
	var answered atomic.Int64
	for i, c := range clients {
		for range 3 {
			all.Go(func() {
				if err := c.insist("PUT", "/v1/votes/"+vote.Code+"/ballot", map[string]any{"options": []int{1 + i%2}}, nil); err != nil {
					t.Error(err)
				}
				answered.Add(1)
			})
		}
	}
	all.Wait()
	var view wireVote
	if err := owner.insist("GET", "/v1/votes/"+vote.Code, nil, &view); err != nil {
		t.Fatal(err)
	}
	if counts := view.counts(); answered.Load() != 3*people || view.Voters != people || counts[0] != people/2 || counts[1] != people/2 {
		t.Errorf("%d requests were answered; the tally is %v of %d voters, want 100 and 100 of 200", answered.Load(), counts, view.Voters)
	}
	s.recount(t)
}

// recount runs the command that counts the ballots anew, beside the running server.
func (s *server) recount(t *testing.T) {
	t.Helper()
	out, err := s.command("recount")
	if err != nil || !strings.Contains(out, " 0 wrong") {
		t.Errorf("parley recount: %v\n%s", err, out)
	}
}
