package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"parley/channel"
	"parley/client"
)

// publisher says one message after the other, each until it is answered.
type publisher struct {
	w      *world
	who    string
	random *rand.Rand
	client *client.Client
	close  func()
	said   []*said
}

// said is one message and the answers to it.
type said struct {
	channel  channel.Name
	id, data string
	order    int
	repeated bool // again, after it had been acknowledged
	refused  bool // the channel is gone
	answers  []answer
}

type answer struct {
	at      time.Time
	receipt client.Receipt
}

func (w *world) newPublisher(i int) *publisher {
	p := &publisher{w: w, who: fmt.Sprintf("p%d", i), random: w.source(10 + uint64(i))}
	p.client, p.close = w.newClient(p.who, uint64(i), 10)
	return p
}

func (p *publisher) publish(ctx context.Context) {
	defer p.close()
	if p.random.IntN(2) == 0 { // so that there is a WebSocket to publish through
		p.client.Subscribe(ctx, string(names[0]))
		defer func() { _ = p.client.UseTransport(client.Poll) }()
		_ = p.client.UseTransport(client.WebSocket)
	}
	every := time.Duration(1+p.random.IntN(1000)) * time.Millisecond
	end := time.Now().Add(p.w.plan.lasts)
	for n := 0; n < 80 && time.Now().Before(end); n++ {
		time.Sleep(time.Duration(p.random.Int64N(int64(2 * every))))
		s := &said{channel: names[p.random.IntN(len(names))], id: fmt.Sprintf("%s.%d", p.who, n), order: n}
		s.data = fmt.Sprintf(`{"text":"%s %0*d"}`, s.id, p.random.IntN(200), n)
		p.said = append(p.said, s)
		p.say(ctx, s)
		if p.random.IntN(8) == 0 {
			if again := p.said[p.random.IntN(len(p.said))]; !again.refused {
				again.repeated = true
				p.say(ctx, again)
			}
		}
	}
}

// say publishes until there is an answer; now and then it loses patience, and begins again.
func (p *publisher) say(ctx context.Context, s *said) {
	for {
		patience, cancel := context.WithTimeout(ctx, time.Duration(p.random.Int64N(int64(20*time.Second))))
		r, err := p.client.Publish(patience, string(s.channel), client.Draft{ID: s.id, Data: json.RawMessage(s.data)})
		over := patience.Err() != nil
		cancel()
		var why *client.Error
		switch {
		case err == nil:
			s.answers = append(s.answers, answer{time.Now(), r})
			return
		case errors.As(err, &why) && why.Code == "channel_deleted" && s.channel == doomed:
			s.refused = true
			return
		case !over:
			p.w.truth.note("%s: publishing %s in %s: %v", p.who, s.id, s.channel, err)
			return
		}
	}
}
