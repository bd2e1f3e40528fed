package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// publisher says one thing after the other, with a counter and a hash chain in each channel, and says it until it is answered.
type publisher struct {
	*person
	oracle *oracle
	random *rand.Rand
	name   string
	rooms  []string // channels
	pace   *pace
	ctx    context.Context // of sending again what was not answered: longer than the writing

	chains  map[string]*intent // the last intent in each channel
	said    []*intent          // some that were acknowledged, to be repeated
	limited bool               // the server's limits have refused something: no more pipelining
}

// next is the next message.
func (p *publisher) next() *intent {
	channel := p.rooms[p.random.IntN(len(p.rooms))]
	c := content{Run: p.oracle.run, By: p.name, Text: string(padding[:p.random.IntN(len(padding))])}
	if last := p.chains[channel]; last != nil {
		c.N, c.Prev = last.content.N+1, last.content.hash()
	}
	in := &intent{
		id: fmt.Sprintf("%s.%s.%d.%d", c.Run, c.By, len(channel)+indexOf(p.rooms, channel), c.N), channel: channel, from: p.id, content: c,
	}
	p.chains[channel] = in
	p.oracle.intend(in)
	return in
}

var padding = []rune("the quick brown fox jumps over the lazy dog, and the dog, <b>\"being\"</b> lazy & kind, says: 快跑吧，小狐狸 🦊")

func indexOf(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

type publication struct {
	ID   string  `json:"id"`
	Type string  `json:"type"`
	Data content `json:"data"`
}

// overHTTP publishes one message after the other until writing ends.
func (p *publisher) overHTTP(writing context.Context) error {
	for writing.Err() == nil && p.pace.wait(writing, 1) {
		in := p.next()
		if p.random.IntN(20) == 0 {
			p.hangUp(in)
		}
		if err := p.until(in); err != nil {
			return err
		}
		if len(p.said) > 0 && p.random.IntN(10) == 0 {
			if err := p.until(p.earlier()); err != nil {
				return err
			}
		}
	}
	return nil
}

// until publishes, again or for the first time, until there is an answer. The error is what makes the run impossible.
func (p *publisher) until(in *intent) error {
	for again := in.fate == acknowledged; ; again = true {
		if again {
			p.oracle.counts.repeated.Add(1)
		}
		p.oracle.sends(in)
		var r receipt
		err := p.do(p.ctx, "POST", "/v1/channels/"+in.channel+"/messages", publication{in.id, messageType, in.content}, &r)
		if err == nil {
			p.acknowledged("HTTP", in, r)
			return nil
		}
		if p.ctx.Err() != nil {
			return nil // it stays open
		}
		if !p.patience(p.ctx, err) {
			var why *refusal
			if errors.As(err, &why) {
				return fmt.Errorf("publishing in %s: %w", in.channel, err)
			}
			return nil
		}
	}
}

// hangUp publishes and leaves before the answer, or before the request has arrived.
func (p *publisher) hangUp(in *intent) {
	ctx, cancel := context.WithTimeout(p.ctx, time.Duration(p.random.IntN(3000))*time.Microsecond)
	defer cancel()
	p.oracle.sends(in)
	var r receipt
	if p.do(ctx, "POST", "/v1/channels/"+in.channel+"/messages", publication{in.id, messageType, in.content}, &r) == nil {
		p.acknowledged("HTTP", in, r)
	}
}

func (p *publisher) acknowledged(how string, in *intent, r receipt) {
	first := in.fate != acknowledged
	p.oracle.acknowledge(p.name+" ("+how+")", in, r)
	switch {
	case !first:
	case len(p.said) < 64:
		p.said = append(p.said, in)
	default:
		p.said[p.random.IntN(len(p.said))] = in
	}
}

// earlier is something that was acknowledged before, lately or long ago.
func (p *publisher) earlier() *intent { return p.said[p.random.IntN(len(p.said))] }

// pace spaces what a publisher says.
type pace struct {
	every time.Duration // 0: as fast as it is answered
	due   time.Time
}

func newPace(rate float64) *pace {
	if rate < 0 {
		return &pace{}
	}
	return &pace{every: time.Duration(float64(time.Second) / rate)}
}

// wait waits until n messages are due. After a standstill they are not made up for.
func (p *pace) wait(ctx context.Context, n int) bool {
	now := time.Now()
	if p.due.Before(now.Add(-time.Second)) {
		p.due = now
	}
	if d := p.due.Sub(now); d > 0 && !pause(ctx, d) {
		return false
	}
	p.due = p.due.Add(time.Duration(n) * p.every)
	return ctx.Err() == nil
}
