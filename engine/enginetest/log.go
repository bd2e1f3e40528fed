package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"parley/channel"
)

// Options are what a suite asks for when it opens an engine.
type Options struct {
	Policies channel.Policies
	Clock    func() time.Time
}

// LogUnderTest is an engine's log and what only its owner can do with it.
type LogUnderTest struct {
	channel.Log
	// Reopen closes the engine and opens another on the same data, with the same options.
	Reopen func() LogUnderTest
	// Sweep carries out retention to its end.
	Sweep func()
}

// Log is what every engine must do as a channel.Log. open returns an empty engine, and closes it (and what was
// reopened of it) when the test ends.
func Log(t *testing.T, open func(t *testing.T, o Options) LogUnderTest) {
	for _, test := range []struct {
		name string
		run  func(*logTest)
	}{
		{"a message comes back as it went in", (*logTest).roundTrip},
		{"seqs are dense and marks make a chain", (*logTest).chain},
		{"the sink hears everything once, in order, when it can be read", (*logTest).sink},
		{"64 at once", (*logTest).concurrent},
		{"limits cut a batch", (*logTest).limits},
		{"a reader follows in small batches", (*logTest).follow},
		{"the end", (*logTest).end},
		{"backwards", (*logTest).backwards},
		{"an absent channel is empty", (*logTest).absent},
		{"bare positions", (*logTest).bare},
		{"signals", (*logTest).signals},
		{"an ended context", (*logTest).endedContext},

		{"a key has one effect", (*logTest).key},
		{"a key belongs to its channel and sender", (*logTest).keyScope},
		{"a key with other content is refused", (*logTest).keyReused},
		{"a key is known for a day", (*logTest).keyAge},
		{"a key used by many at once", (*logTest).keyConcurrent},
		{"several drafts are one", (*logTest).atomic},
		{"an amended message", (*logTest).amend},
		{"an erased message", (*logTest).erase},
		{"an amendment of nothing", (*logTest).amendAbsent},

		{"a past that is another", (*logTest).rollback},
		{"retention by count", (*logTest).keepCount},
		{"retention by count, while history is read", (*logTest).keepWhileRead},
		{"retention by age", (*logTest).keepAge},
		{"retention of everything", (*logTest).keepNothing},
		{"a conflated channel", (*logTest).conflated},
		{"a deleted channel", (*logTest).deleted},
		{"a large channel is deleted", (*logTest).deletedLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			lt := &logTest{strict: strict{t}, clock: NewClock(), rec: &Recorder{}}
			lt.log = open(t, Options{Policies: testPolicies, Clock: lt.clock.Now})
			lt.log.Follow(lt.rec)
			test.run(lt)
		})
	}
}

var testPolicies = channel.Policies{
	"count": {KeepCount: 10},
	"age":   {KeepAge: time.Hour},
	"vote":  {KeepCount: 3, Conflate: true},
}

var (
	ann  = channel.Sender{ID: "u1", Name: "Ann"}
	bert = channel.Sender{ID: "u2", Name: "Bert"}
)

const anyBytes = 1 << 20

type logTest struct {
	strict
	log   LogUnderTest
	clock *Clock
	rec   *Recorder
}

func (t *logTest) reopen() {
	t.Helper()
	t.log = t.log.Reopen()
	t.rec = &Recorder{}
	t.log.Follow(t.rec)
}

func text(s string) json.RawMessage {
	b, _ := json.Marshal(struct {
		Text string `json:"text"`
	}{s})
	return b
}

func say(name channel.Name, from channel.Sender, key, words string) channel.Draft {
	return channel.Draft{Channel: name, Key: key, Type: "text", From: from, Data: text(words)}
}

func (t *logTest) append(drafts ...channel.Draft) []channel.Receipt {
	t.Helper()
	rs, err := t.log.Append(t.Context(), drafts...)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	if len(rs) != len(drafts) {
		t.Fatalf("%d receipts for %d drafts", len(rs), len(drafts))
	}
	return rs
}

// fill appends n messages in one call, and returns the receipts.
func (t *logTest) fill(name channel.Name, n int) []channel.Receipt {
	t.Helper()
	drafts := make([]channel.Draft, n)
	for i := range drafts {
		drafts[i] = say(name, ann, "", fmt.Sprint("message ", i+1))
	}
	return t.append(drafts...)
}

func (t *logTest) read(name channel.Name, after channel.Position, limit int) channel.Batch {
	t.Helper()
	b, err := t.log.Read(t.Context(), name, after, limit, anyBytes)
	if err != nil {
		t.Fatalf("read %s after %s: %v", name, after, err)
	}
	t.wellFormed(b)
	return b
}

// readAll reads a channel from its beginning, or from what retention left of it.
func (t *logTest) readAll(name channel.Name) (all []channel.Message) {
	t.Helper()
	var at channel.Position
	for {
		b := t.read(name, at, 1000)
		if b.Gap != nil && b.Gap.Reason == channel.Retention {
			at = b.Gap.Resume
			continue
		}
		if b.Gap != nil {
			t.Fatalf("a gap: %+v", b.Gap)
		}
		all = append(all, b.Messages...)
		if at = b.To; !b.More {
			return all
		}
	}
}

// wellFormed checks what is true of every batch of a kind that is not conflated.
func (t *logTest) wellFormed(b channel.Batch) {
	t.Helper()
	if b.Gap != nil {
		if len(b.Messages) > 0 || b.More {
			t.Errorf("a gap with messages: %+v", b)
		}
		return
	}
	if testPolicies.For(b.Channel).Conflate {
		return
	}
	at := b.From
	for i := range b.Messages {
		m := &b.Messages[i]
		if m.Before() != at || m.Channel != b.Channel || m.Mark == 0 || m.Mark > channel.MaxMark {
			t.Fatalf("message %d of the batch does not continue %s: %+v", i, at, m)
		}
		if m.Amend != nil {
			t.Fatalf("a read message carries an amendment: %+v", m)
		}
		at = m.Position()
	}
	if b.To != at {
		t.Fatalf("the batch ends at %s, not where its messages do, at %s", b.To, at)
	}
}

// gap reads where there must be a gap.
func (t *logTest) gap(name channel.Name, after channel.Position, reason channel.Reason) channel.Gap {
	t.Helper()
	b := t.read(name, after, 10)
	if b.Gap == nil {
		t.Fatalf("read %s after %s: %d messages to %s, and no gap", name, after, len(b.Messages), b.To)
	}
	if b.Gap.Reason != reason || b.Gap.From != after || b.Channel != name {
		t.Fatalf("read %s after %s: %+v of %s, not one for %s", name, after, *b.Gap, b.Channel, reason)
	}
	return *b.Gap
}

func (t *logTest) tail(name channel.Name) channel.Position {
	t.Helper()
	p, err := t.log.Tail(t.Context(), name)
	if err != nil {
		t.Fatalf("tail of %s: %v", name, err)
	}
	return p
}

func (t *logTest) wantSeqs(ms []channel.Message, first, last uint64) {
	t.Helper()
	if uint64(len(ms)) != last-first+1 {
		t.Fatalf("%d messages, not %d to %d", len(ms), first, last)
	}
	for i, m := range ms {
		if m.Seq != first+uint64(i) {
			t.Fatalf("message %d where %d belongs", m.Seq, first+uint64(i))
		}
	}
}

// both runs check on the engine as it is, and again after it was closed and opened.
func (t *logTest) both(check func()) {
	t.Helper()
	check()
	t.reopen()
	check()
}

func background() context.Context { return context.Background() }
