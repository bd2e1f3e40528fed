package verify

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Where logs may go back ([Options.MayLose]), there can be several messages at one seq, each of another past. What the oracle then knows
// of a log is a tree: every message has one message before it, whoever reads it. In the end one path of the tree stands: what the last
// reader is given from the beginning. A reader goes along a path, and comes to another one only by a gap that says "rollback".

// setback is a rollback that a reader was told of.
type setback struct {
	who    string
	at     time.Time
	last   *entry // the newest message that the reader had; nil: not known
	resume uint64 // where it was told to go on
	fork   uint64 // the seq up to which what it had is in the log in the end
}

// broken is a message that a reader was given behind another one than other readers were.
type broken struct {
	who       string
	e, behind *entry
}

// joins notes that a reader was given a message behind another.
func (o *oracle) joins(l *record, who string, e, behind *entry) {
	switch {
	case !o.mayGoBack() || behind == nil || e.before == behind:
	case e.before == nil:
		e.before, e.who = behind, who
	case len(l.breaks) < MaxViolations:
		l.breaks = append(l.breaks, broken{who, e, behind})
	}
}

// setBack takes a rollback. The reader keeps what it had up to where it is to go on, so that must be in the log still: what comes next
// is held against it.
func (o *oracle) setBack(who, channel string, resume uint64, last *entry) *entry {
	l := o.log(channel)
	l.setbacks = append(l.setbacks, &setback{who: who, at: time.Now(), last: last, resume: resume})
	return last.back(resume)
}

// back is the message at a seq in the past of e, or nil.
func (e *entry) back(seq uint64) *entry {
	for e != nil && e.seq > seq {
		e = e.before
	}
	if e != nil && e.seq < seq {
		return nil
	}
	return e
}

// at is the message at a seq: the only one, or the one that stands.
func (l *record) at(seq uint64) *entry {
	first := l.seen[seq]
	for e := first; e != nil; e = e.other {
		if e.stands {
			return e
		}
	}
	return first
}

// standing is the seq up to which the past of e is in the log in the end.
func (e *entry) standing() uint64 {
	for e != nil && !e.stands {
		e = e.before
	}
	if e == nil {
		return 0
	}
	return e.seq
}

// stand takes what the last reader of a room was given, from the beginning: it is the log.
func (o *oracle) stand(channel string, all []*entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.log(channel)
	for i, e := range all {
		e.stands = true
		if in := e.intent; in != nil {
			if in.place != 0 {
				o.note(Violation{Rule: "twice", Channel: channel, Seq: e.seq, Who: "the log", Expected: fmt.Sprintf("%s once, at seq %d", in.id, in.place), Came: fmt.Sprintf("it again, at seq %d", e.seq)})
			}
			in.place = e.seq
		}
		if i == 0 || e.before == all[i-1] || e.seq != all[i-1].seq+1 {
			continue
		}
		// Those were wrong who had something else before it.
		l.breaks = slices.DeleteFunc(l.breaks, func(b broken) bool { return b.e == e && b.behind == all[i-1] })
		if e.before != nil {
			l.breaks = append(l.breaks, broken{e.who, e, e.before})
		}
		e.before = all[i-1]
	}
}

// stays demands of a reader that what it has in the end is in the log, or that it was told.
func (o *oracle) stays(who, channel string, newest *entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if newest != nil && !newest.stands {
		o.note(Violation{Rule: "rollback", Channel: channel, Seq: newest.seq, Who: who,
			Expected: "a gap that says that this is lost: " + newest.describe(), Came: "none, up to the end"})
	}
}

// judgeSetbacks demands of every rollback that it is one, and of every reader that nothing else brought it from one past to another.
func (o *oracle) judgeSetbacks(floor map[string]uint64) {
	for channel, l := range o.logs {
		bad := func(who string, seq uint64, expected, came string) {
			o.note(Violation{Rule: "rollback", Channel: channel, Seq: seq, Who: who, Expected: expected, Came: came})
		}
		for _, s := range l.setbacks {
			s.fork = s.last.standing()
			switch {
			case s.last == nil: // of a vote, in which the newest alone is told, or below the floor
			case s.last.stands:
				bad(s.who, s.last.seq, "the log to go on behind "+s.last.describe()+", which is there still", "a rollback")
			case s.resume > s.last.seq && s.resume > floor[channel]:
				bad(s.who, s.last.seq+1, "these messages, which can be read still", fmt.Sprintf("a rollback that goes on behind seq %d", s.resume))
			default:
				o.once(channel, s)
			}
		}
		for _, v := range l.lowered {
			if !l.wentBack(v.had, v.from) {
				o.note(Violation{Rule: "tally", Channel: channel, Seq: v.to, Who: v.who, Expected: fmt.Sprintf("a version from %d on, or some reader who was told that it went back", v.from), Came: fmt.Sprint(v.to)})
			}
		}
		for _, b := range l.breaks {
			if b.e.seq-1 <= floor[channel] {
				continue // not to be read any more when it was to go on there
			}
			bad(b.who, b.e.seq, "a gap that says that this is lost, or nothing: "+b.behind.describe(),
				fmt.Sprintf("%s behind it, which others were given behind %s", b.e.describe(), b.e.before.describe()))
		}
	}
}

// once demands that in a past that was lost, too, nothing was twice.
func (o *oracle) once(channel string, s *setback) {
	had := map[*intent]uint64{}
	for e := s.last; e != nil && !e.stands; e = e.before {
		if in := e.intent; in != nil {
			if again := had[in]; again != 0 || in.place != 0 && in.place <= s.fork {
				o.note(Violation{Rule: "twice", Channel: channel, Seq: max(again, e.seq), Who: s.who, Expected: in.id + " once", Came: fmt.Sprintf("it at seq %d and seq %d", e.seq, max(again, in.place))})
			}
			had[in] = e.seq
		}
	}
}

// judgeAnswers demands that what was acknowledged is there, or that it was lost by a rollback of which readers were told, and was of a level
// that may be lost.
func (o *oracle) judgeAnswers(in *intent, floor uint64) {
	bad := func(a answered, rule, expected, came string) {
		o.note(Violation{Rule: rule, Channel: in.channel, Seq: a.Seq, Who: in.content.By, Expected: expected, Came: came})
	}
	if in.place == 0 && in.answer.Seq > floor {
		o.counts.lost.Add(1)
	}
	if in.place != 0 && in.place != in.answer.Seq && !in.unheard {
		bad(in.answers[len(in.answers)-1], "acknowledged", fmt.Sprintf("seq %d, where %s is", in.place, in.id), fmt.Sprintf("seq %d", in.answer.Seq))
	}
	l := o.log(in.channel)
	for _, a := range in.answers {
		there := l.at(a.Seq)
		switch {
		case a.Seq == in.place || a.Seq <= floor:
		case !slices.Contains(o.mayLose, a.Durability):
			bad(a, "acknowledged", fmt.Sprintf("%s there, as its acknowledgement was %q", in.id, a.Durability), "nothing of it")
		case there != nil && there.stands && there.first.Before(a.sent):
			bad(a, "acknowledged", fmt.Sprintf("a seq for %s of its own", in.id), fmt.Sprintf("that of %s, which was delivered there before and is there still", there.describe()))
		case !l.wentBack(a.sent, a.Seq):
			bad(a, "rollback", fmt.Sprintf("%s there, as acknowledged, or some reader who was told that it is lost", in.id), "nothing of it, and nobody was told")
		}
	}
}

// cameAgain reports whether an intent may have been lost and published anew, behind what was published after it.
func (o *oracle) cameAgain(in *intent) bool {
	if !o.mayGoBack() || in.place == 0 {
		return false
	}
	return len(in.answers) > 0 && in.place != in.answers[0].Seq || !in.tried.IsZero() && o.log(in.channel).wentBack(in.tried, math.MaxUint64)
}

// wentBack reports whether somebody was told that what was sent at a time and had a seq is lost.
func (l *record) wentBack(sent time.Time, seq uint64) bool {
	return slices.ContainsFunc(l.setbacks, func(s *setback) bool { return s.at.After(sent) && s.fork < seq })
}

// wentBack is the same of a channel.
func (o *oracle) wentBack(channel string, sent time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log(channel).wentBack(sent, math.MaxUint64)
}

// lowered is a version of a tally that a voter was answered after a higher one, which it had been since a time.
type lowered struct {
	who      string
	from, to uint64
	had      time.Time
}

// lowers notes a lower version: the readers of the vote must be told that it went back.
func (o *oracle) lowers(channel string, v lowered) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.log(channel)
	l.lowered = append(l.lowered, v)
}

// lostAnswers are acknowledgements that do not hold any more: who has them must be told.
func (o *oracle) lostAnswers() (lost []answered) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, in := range o.intents {
		for _, a := range in.answers {
			if a.Seq != in.place {
				lost = append(lost, a)
			}
		}
	}
	return lost
}
