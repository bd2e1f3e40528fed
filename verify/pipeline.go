package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/websocket"
)

// burst is the most publishes that are sent without waiting for answers.
const burst = 32

// pipelined publishes over WebSocket, many at a time, until writing ends. What failed in the server, or whose answer was lost with the
// connection, is published again, one by one, over HTTP, before anything else is said: so the order stays.
func (p *publisher) pipelined(writing context.Context) error {
	for writing.Err() == nil {
		if p.limited {
			return p.overHTTP(writing)
		}
		conn, err := p.dial(writing, "/v1/connect")
		if err != nil {
			if writing.Err() == nil && !p.patience(writing, err) && writing.Err() == nil {
				return fmt.Errorf("connecting by WebSocket: %w", err)
			}
			continue
		}
		err = p.bursts(writing, conn)
		conn.CloseNow()
		if err != nil {
			return err
		}
	}
	return nil
}

// bursts publishes until the connection breaks, is dropped, or the limits refuse.
func (p *publisher) bursts(writing context.Context, conn *websocket.Conn) error {
	for writing.Err() == nil && !p.limited {
		n := 1 + p.random.IntN(burst)
		if !p.pace.wait(writing, n) {
			return nil
		}
		sent := make([]*intent, n)
		for i := range sent {
			if len(p.said) > 0 && p.random.IntN(16) == 0 {
				sent[i] = p.earlier()
				p.oracle.counts.repeated.Add(1)
			} else {
				sent[i] = p.next()
			}
		}
		drop := p.random.IntN(50) == 0
		answered, err := p.exchange(conn, sent, drop)
		if err != nil {
			return err
		}
		if answered < len(sent) {
			conn.CloseNow()
		}
		for i, in := range sent {
			if in.fate != open {
				continue
			}
			if p.limited || overtaken(in, sent[i+1:]) {
				p.oracle.pardon(in)
			}
			if err := p.until(in); err != nil {
				return err
			}
		}
		if answered == len(sent) {
			continue
		}
		return nil
	}
	return nil
}

// overtaken reports whether an answer told that a later one of the burst is there already: it was under way when in failed.
func overtaken(in *intent, later []*intent) bool {
	return slices.ContainsFunc(later, func(l *intent) bool {
		return l.channel == in.channel && l.content.N > in.content.N && l.fate == acknowledged
	})
}

// exchange sends a burst and takes the answers, which come in order; it returns how many came. A burst that is dropped
// is left in the middle.
func (p *publisher) exchange(conn *websocket.Conn, sent []*intent, drop bool) (answered int, err error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
	defer cancel()
	commands := make([][]byte, len(sent))
	for i, in := range sent {
		p.oracle.sends(in)
		commands[i], _ = json.Marshal(struct {
			Op      string `json:"op"`
			Ref     int    `json:"ref"`
			Channel string `json:"channel"`
			publication
		}{"publish", i, in.channel, publication{in.id, messageType, in.content}})
	}
	if conn.WriteMany(ctx, websocket.MessageText, commands) != nil {
		p.counts.broken.Add(1)
		return 0, nil
	}
	stay := len(sent)
	if drop {
		stay = p.random.IntN(len(sent))
	}
	for answered < stay {
		_, data, err := conn.Read(ctx)
		if err != nil {
			p.counts.broken.Add(1)
			return answered, nil
		}
		var o object
		if err := json.Unmarshal(data, &o); err != nil || o.Result == nil && o.Error == nil {
			continue // the greeting, a heartbeat
		}
		if err := p.answer(sent[answered], answered, &o); err != nil {
			return answered, err
		}
		answered++
	}
	return answered, nil
}

func (p *publisher) answer(in *intent, ref int, o *object) error {
	who := p.name + " (WebSocket)"
	if string(o.Ref) != strconv.Itoa(ref) {
		p.oracle.violate(Violation{Rule: "order", Channel: in.channel, Who: who, Expected: fmt.Sprintf("the answer to publish %d of its burst", ref), Came: "that to " + string(o.Ref)})
		return nil
	}
	if o.Error == nil {
		var r receipt
		if err := json.Unmarshal(o.Result, &r); err != nil {
			p.oracle.violate(Violation{Rule: "protocol", Channel: in.channel, Who: who, Expected: "a receipt", Came: fmt.Sprintf("%.300s", o.Result)})
			return nil
		}
		p.acknowledged("WebSocket", in, r)
		return nil
	}
	switch why := o.Error; {
	case !why.passing():
		return fmt.Errorf("publishing in %s: %w", in.channel, why)
	case in.fate == acknowledged: // only a repetition was refused
	case why.Status == http.StatusTooManyRequests:
		// Later ones of the burst may have been let through, so this one is not said again: it must not be there.
		p.oracle.settle(in, refusedFate)
	default: // it failed in the server, and nobody knows how far it came: it stays open, and is said again
	}
	p.counts.refused.Add(1)
	p.limited = p.limited || o.Error.Status == http.StatusTooManyRequests
	return nil
}

// dial opens a WebSocket. The error is a *refusal where the server answered with one.
func (p *person) dial(ctx context.Context, path string) (*websocket.Conn, error) {
	h := http.Header{"Authorization": {"Bearer " + p.token}}
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(p.url(), "http")+path, &websocket.DialOptions{
		Header: h, ReadLimit: maxAnswer, HandshakeTimeout: p.timeout,
	})
	if err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		why := &refusal{}
		if json.NewDecoder(resp.Body).Decode(why) != nil || why.Code == "" {
			why = &refusal{Code: "http", Detail: resp.Status}
		}
		why.Status = resp.StatusCode
		return nil, why
	}
	return conn, err
}

// ErrNoWebSocket is returned by Run where requests get through and WebSockets do not.
var ErrNoWebSocket = errors.New("no WebSocket gets through: a proxy in between does not pass them on")

// tryWebSocket finds out whether any WebSocket gets through, so that a proxy which passes none is not taken for a server that delivers
// nothing.
func (p *person) tryWebSocket(ctx context.Context) error {
	reach, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := p.dial(reach, "/v1/connect")
		if err == nil {
			conn.CloseNow()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !p.patience(reach, err) {
			return fmt.Errorf("%w (%w)", ErrNoWebSocket, err)
		}
	}
}
