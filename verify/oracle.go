package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// oracle hears of everything, and knows what must not be. All its methods may be called concurrently.
type oracle struct {
	counts  *counters
	run     string   // this run's mark in its messages
	mayLose []string // Options.MayLose: if there are any, logs may go back (setback.go)

	mu         sync.Mutex
	logs       map[string]*record
	intents    map[string]*intent // by id
	violations []Violation
}

func newOracle(run string, counts *counters, mayLose []string) *oracle {
	return &oracle{counts: counts, run: run, mayLose: mayLose, logs: map[string]*record{}, intents: map[string]*intent{}}
}

// mayGoBack reports whether a log may lose its end and grow another.
func (o *oracle) mayGoBack() bool { return len(o.mayLose) > 0 }

// record is what the readers have seen of a channel, together: who sees a message first writes it down, and all others are
// held against it.
type record struct {
	seen     map[uint64]*entry // by seq
	gaps     []toldGap
	setbacks []*setback
	breaks   []broken
	lowered  []lowered
}

type entry struct {
	id     string
	print  [16]byte // of everything in it
	intent *intent  // nil: not one of ours
	said   content

	seq    uint64
	first  time.Time // when it was first delivered
	before *entry    // the message before it, as it was delivered; nil: nobody was given both
	who    string    // was given both
	other  *entry    // another message at the same seq, of a past that was lost or is to be
	stands bool      // it is in the log in the end; only where logs may go back
}

type toldGap struct {
	who      string
	from, to uint64
}

// content is the data of our messages. Each has the hash of the publisher's message before it in the channel.
type content struct {
	Run  string `json:"run"`
	By   string `json:"by"`
	N    int    `json:"n"`
	Prev string `json:"prev"`
	Text string `json:"text"`
}

func (c content) hash() string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %s %s", c.Run, c.By, c.N, c.Prev, c.Text))
	return hex.EncodeToString(h[:8])
}

// intent is a message that a publisher means to publish, and what became of it.
type intent struct {
	id, channel string
	from        string // the person's id
	content     content

	fate    fate
	answer  receipt // the first, if acknowledged; where logs may go back, the last
	place   uint64  // the seq at which it was seen; 0: not yet; where logs may go back, that at which it is in the end
	anyRank bool    // later ones were let pass it, and that was said: its place in the order is not demanded

	sent    time.Time  // when it was first sent since it was last answered
	unheard bool       // it was sent again, and not answered
	tried   time.Time  // when it was first sent, if it was sent again before it was answered
	answers []answered // all that differ; only where logs may go back
}

// answered is an acknowledgement of something that was sent at a time.
type answered struct {
	receipt
	sent time.Time
}

// fate is what is known of an intent. Only what was acknowledged must be there, only what was refused must not.
type fate int

const (
	open         fate = iota // no answer yet
	acknowledged             // it is there
	refusedFate              // it is not there, and is not tried again
)

const messageType = "verify"

// violate notes a broken promise.
func (o *oracle) violate(v Violation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.note(v)
}

func (o *oracle) note(v Violation) {
	v.At = time.Now()
	o.counts.violations.Add(1)
	if len(o.violations) < MaxViolations {
		o.violations = append(o.violations, v)
	}
}

func (o *oracle) log(channel string) *record {
	l := o.logs[channel]
	if l == nil {
		l = &record{seen: map[uint64]*entry{}}
		o.logs[channel] = l
	}
	return l
}

// intend registers a message before it is sent.
func (o *oracle) intend(in *intent) {
	o.counts.published.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.intents[in.id] = in
}

// sends notes that an intent is sent, for the first time or again.
func (o *oracle) sends(in *intent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if in.sent.IsZero() {
		in.sent = time.Now()
	} else if in.fate == open {
		in.tried = in.sent
	}
	in.unheard = true
}

// acknowledge takes an answer to a publish, the first or a later one.
func (o *oracle) acknowledge(who string, in *intent, r receipt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	bad := func(rule, expected, came string) {
		o.note(Violation{Rule: rule, Channel: in.channel, Seq: r.Seq, Who: who, Expected: expected, Came: came})
	}
	sent := in.sent
	in.sent, in.unheard = time.Time{}, false
	if in.fate == acknowledged {
		switch {
		case r.same(in.answer):
			return
		case o.mayGoBack() && r.Position != in.answer.Position: // it was lost, and published anew: its old place is judged in the end
			in.anyRank = true
		default:
			bad("replay", fmt.Sprintf("the first answer to %s again, %+v", in.id, in.answer), fmt.Sprintf("%+v", r))
			return
		}
	} else {
		o.counts.acknowledged.Add(1)
	}
	in.fate, in.answer = acknowledged, r
	if o.mayGoBack() {
		in.answers = append(in.answers, answered{r, sent})
	}
	position, ok := seqOf(r.Position)
	switch {
	case r.Channel != in.channel || r.ID != in.id:
		bad("acknowledged", fmt.Sprintf("an answer about %s in %s", in.id, in.channel), fmt.Sprintf("one about %s in %s", r.ID, r.Channel))
	case r.Seq == 0 || !ok || position != r.Seq:
		bad("acknowledged", "a seq, and the position of that seq", fmt.Sprintf("seq %d, position %q", r.Seq, r.Position))
	case o.mayGoBack():
	case in.place != 0 && in.place != r.Seq:
		bad("acknowledged", fmt.Sprintf("seq %d, where %s was delivered", in.place, in.id), fmt.Sprintf("seq %d", r.Seq))
	default:
		if there, ok := o.log(in.channel).seen[r.Seq]; ok && there.id != in.id {
			bad("acknowledged", fmt.Sprintf("a seq for %s of its own", in.id), fmt.Sprintf("that of %s, which was delivered there", there.id))
		}
	}
}

// settle notes what became of an intent that was not acknowledged.
func (o *oracle) settle(in *intent, f fate) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in.fate = f
}

// pardon notes that an intent may be overtaken by later ones.
func (o *oracle) pardon(in *intent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in.anyRank = true
}

// deliver takes a message that a reader was given, behind the one that it had before (nil: not known), and returns what is known of it.
// Whether it was due to that reader, the reader knows.
func (o *oracle) deliver(who, channel string, m *message, before *entry) *entry {
	o.counts.delivered.Add(1)
	print := fingerprint(m)
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.log(channel)
	there := l.seen[m.Seq]
	if known := there.printed(print); known != nil {
		o.joins(l, who, known, before)
		return known
	}
	if there != nil && !o.mayGoBack() {
		rule, came := "order", fmt.Sprintf("%s %.200s", m.ID, m.Data)
		if there.id == m.ID {
			rule = "altered"
		}
		o.note(Violation{Rule: rule, Channel: channel, Seq: m.Seq, Who: who, Expected: "what was delivered there before, " + there.describe(), Came: came})
		return there
	}
	e := &entry{id: m.ID, print: print, seq: m.Seq, first: time.Now(), before: before, who: who, other: there}
	bad := func(rule, expected, came string) {
		o.note(Violation{Rule: rule, Channel: channel, Seq: m.Seq, Who: who, Expected: expected, Came: came})
	}
	if m.Type == messageType && json.Unmarshal(m.Data, &e.said) == nil && e.said.Run == o.run {
		e.intent = o.intents[m.ID]
		switch in := e.intent; {
		case in == nil || in.channel != channel:
			bad("altered", "a message that somebody published in this channel", fmt.Sprintf("%s %.200s", m.ID, m.Data))
			e.intent = nil
		case in.content != e.said:
			bad("altered", fmt.Sprintf("%s as it was published, %+v", in.id, in.content), fmt.Sprintf("%.300s", m.Data))
		case in.from != m.From.ID:
			bad("altered", fmt.Sprintf("%s from its sender, %s", in.id, in.from), "from "+m.From.ID)
		case o.mayGoBack(): // what is where, is judged in the end
		case in.place != 0:
			bad("twice", fmt.Sprintf("%s once, at seq %d", in.id, in.place), fmt.Sprintf("it again, at seq %d", m.Seq))
		case in.fate == acknowledged && in.answer.Seq != m.Seq:
			bad("acknowledged", fmt.Sprintf("%s at seq %d, as acknowledged", in.id, in.answer.Seq), fmt.Sprintf("it at seq %d", m.Seq))
		}
		if e.intent != nil && e.intent.place == 0 && !o.mayGoBack() {
			e.intent.place = m.Seq
		}
	} else if in := o.intents[m.ID]; in != nil && in.channel == channel {
		bad("altered", fmt.Sprintf("%s as it was published, %+v", in.id, in.content), fmt.Sprintf("%s %.300s", m.Type, m.Data))
	}
	l.seen[m.Seq] = e
	return e
}

// printed is the message of a fingerprint among those at one seq, or nil.
func (e *entry) printed(print [16]byte) *entry {
	for e != nil && e.print != print {
		e = e.other
	}
	return e
}

// fingerprint is of all that every reader must get alike. The texts of other people may be edited meanwhile.
func fingerprint(m *message) (p [16]byte) {
	data := []byte(m.Data)
	if m.Type == "text" {
		data = nil
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%d %s %s %s %s %s", m.Seq, m.ID, m.Type, m.From.ID, m.At, data))
	copy(p[:], h[:])
	return p
}

func (e *entry) describe() string {
	if e.intent == nil {
		return e.id
	}
	return fmt.Sprintf("%s %+v", e.id, e.said)
}

// told takes a gap that a reader was told of, whose newest message was last (nil: not known), and returns what is its newest
// afterwards.
func (o *oracle) told(who, channel string, g *gap, last *entry) *entry {
	o.counts.gaps.Add(1)
	from, _ := seqOf(g.From)
	to, ok := seqOf(g.Resume)
	o.mu.Lock()
	defer o.mu.Unlock()
	if g.Reason == "rollback" && ok && o.mayGoBack() {
		return o.setBack(who, channel, to, last)
	}
	if g.Reason != "retention" || !ok || to < from {
		o.note(Violation{Rule: "lost", Channel: channel, Seq: from, Who: who,
			Expected: "the log to go on from there, as nobody deleted it or restored an older one", Came: fmt.Sprintf("the gap %+v", *g)})
		return nil
	}
	o.log(channel).gaps = append(o.log(channel).gaps, toldGap{who, from, to})
	return nil
}

// judge is the verdict on the logs, when all is said and every reader has caught up. floor says for each channel up to where
// its beginning is gone: the last reader, who read from the beginning, was told so.
func (o *oracle) judge(floor map[string]uint64) (left []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mayGoBack() {
		o.judgeSetbacks(floor)
	}
	for channel, l := range o.logs {
		for _, g := range l.gaps {
			if g.to > floor[channel] {
				o.note(Violation{Rule: "lost", Channel: channel, Seq: g.from + 1, Who: g.who,
					Expected: "these messages, which can be read still", Came: fmt.Sprintf("a gap up to seq %d", g.to)})
			}
		}
	}
	ranked := map[string][]*intent{} // by publisher and channel
	for _, in := range o.intents {
		key := in.channel + " " + in.content.By
		ranked[key] = append(ranked[key], in)
		in.anyRank = in.anyRank || o.cameAgain(in)
		switch {
		case in.fate == open:
			left = append(left, fmt.Sprintf("%s in %s was never answered", in.id, in.channel))
		case in.fate == acknowledged && o.mayGoBack():
			o.judgeAnswers(in, floor[in.channel])
		case in.fate == acknowledged && in.place == 0 && in.answer.Seq > floor[in.channel]:
			came := "nothing of it, to any reader"
			if there, ok := o.log(in.channel).seen[in.answer.Seq]; ok {
				came = "there " + there.describe()
			}
			o.note(Violation{Rule: "acknowledged", Channel: in.channel, Seq: in.answer.Seq, Who: in.content.By, Expected: in.id + " there, as acknowledged", Came: came})
		case in.fate == refusedFate && in.place != 0:
			o.note(Violation{Rule: "acknowledged", Channel: in.channel, Seq: in.place, Who: in.content.By, Expected: "nothing of " + in.id + ", which was refused", Came: "it"})
		}
	}
	for _, list := range ranked {
		slices.SortFunc(list, func(a, b *intent) int { return a.content.N - b.content.N })
		o.chain(list)
	}
	return left
}

// chain demands that what one publisher said in a channel is in the order in which it was said, each with the hash of
// the one before as it was delivered.
func (o *oracle) chain(list []*intent) {
	var before *intent // the last one in order that is there
	for i, in := range list {
		if in.place == 0 || in.anyRank {
			continue
		}
		if before != nil && in.place < before.place {
			o.note(Violation{Rule: "order", Channel: in.channel, Seq: in.place, Who: in.content.By,
				Expected: fmt.Sprintf("%s behind %s, at seq %d, as it was published", in.id, before.id, before.place), Came: "it before that"})
		}
		if i > 0 && list[i-1].place != 0 {
			l := o.logs[in.channel]
			if last, this := l.at(list[i-1].place).said, l.at(in.place).said; this.Prev != last.hash() {
				o.note(Violation{Rule: "order", Channel: in.channel, Seq: in.place, Who: in.content.By,
					Expected: fmt.Sprintf("the hash of the one before, %s, at seq %d", last.hash(), list[i-1].place), Came: this.Prev})
			}
		}
		before = in
	}
}
