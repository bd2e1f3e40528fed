package vote

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"parley/channel"
)

// TallyType is the type of a vote's messages in its channel.
const TallyType = "tally"

// lookUp is how long a Lens may take to ask the store whether its viewer has voted.
const lookUp = 5 * time.Second

// Lens hides from viewer what they may not see of v in tally messages: a hidden one has no counts, and visible false. It judges old
// messages too by the newest state of the vote that it, or anything else in this Service, knows: its v, later
// messages, changes made here. A message that may be seen is returned as it is.
//
// The Lens is nil for the owner, from whom nothing is ever hidden. It may be used concurrently, and longer than ctx.
func (s *Service) Lens(ctx context.Context, viewer channel.Sender, v Vote) channel.Lens {
	if viewer.ID != "" && viewer.ID == v.Owner.ID {
		return nil
	}
	l := &lens{service: s, ctx: context.WithoutCancel(ctx), viewer: viewer.ID, newest: stateOf(v)}
	s.tallies.learn(l.newest)
	return l.apply
}

type lens struct {
	service *Service
	ctx     context.Context
	viewer  string

	mu     sync.Mutex
	newest state
	voted  bool   // once true, always true: ballots are never taken back
	asked  uint64 // the version at which they had not voted
}

func (l *lens) apply(m channel.Message, wait bool) (seen channel.Message, ok bool) {
	if m.Type != TallyType {
		return m, true
	}
	known := l.service.tallies.of(&m)
	if !l.mu.TryLock() { // somebody asks the store
		if !wait {
			return m, false
		}
		l.mu.Lock()
	}
	defer l.mu.Unlock()
	if known.newest.code == l.newest.code && known.newest.version > l.newest.version {
		l.newest = known.newest
	}
	ok = true
	visible := l.newest.visibleTo(l.viewer, func() bool {
		if l.voted || l.asked == l.newest.version {
			return l.voted
		}
		ok = wait
		return wait && l.hasVoted()
	})
	if !visible {
		m.Data = known.hidden
	}
	return m, ok
}

// hasVoted asks the store, once for each version until it is so. A ballot is committed before its tally can be read, so the
// tally that a viewer's own ballot made is the first that they see. If the store fails, the counts stay hidden.
func (l *lens) hasVoted() bool {
	ctx, cancel := context.WithTimeout(l.ctx, lookUp)
	defer cancel()
	ballot, err := l.service.store.BallotOf(ctx, l.newest.code, l.viewer)
	if err != nil {
		return false
	}
	l.voted, l.asked = ballot != nil, l.newest.version
	return l.voted
}

// tallies remembers for each vote its newest state, and the newest tally message with its counts removed: every reader
// who may not see the counts gets the same bytes, so they are made once.
type tallies struct {
	mu   sync.Mutex
	code map[string]remembered
}

type remembered struct {
	newest state
	seq    uint64 // of the message that hidden is made from
	mark   channel.Mark
	hidden json.RawMessage
}

// talliesLimit bounds the votes remembered, at about 1 to 8 KiB each. Forgetting costs time, and nothing else.
const talliesLimit = 1024

// learn hears of the state of a vote, which need not be the newest.
func (t *tallies) learn(s state) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.learned(s)
}

func (t *tallies) learned(s state) remembered {
	r, ok := t.code[s.code]
	if !ok && len(t.code) >= talliesLimit || t.code == nil {
		t.code = make(map[string]remembered)
	}
	if !ok || s.version > r.newest.version {
		r.newest = s
		t.code[s.code] = r
	}
	return r
}

// of returns the newest state of the vote that the tally m is of, and m's data without the counts.
func (t *tallies) of(m *channel.Message) remembered {
	code := m.Channel.ID()
	t.mu.Lock()
	r, ok := t.code[code]
	t.mu.Unlock()
	if ok && r.seq == m.Seq && r.mark == m.Mark {
		return r
	}

	var full Tally
	if err := json.Unmarshal(m.Data, &full); err != nil || full.Code != code {
		full = Tally{Code: code, Channel: m.Channel, Results: Owner} // not a tally of ours: nothing of it is shown
	}
	secret := full.hidden()
	hidden := secret.json()

	t.mu.Lock()
	defer t.mu.Unlock()
	r = t.learned(state{code, m.Seq, full.Results, full.Open, full.Owner.ID})
	if m.Seq >= r.seq {
		r.seq, r.mark, r.hidden = m.Seq, m.Mark, hidden
		t.code[code] = r
	}
	r.hidden = hidden
	return r
}
