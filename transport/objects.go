package transport

import (
	"encoding/json"
	"strings"
	"time"

	"parley/channel"
	"parley/problem"
)

// event is one object of a stream: the same JSON on SSE and WebSocket.
type event struct {
	name  string         // of the SSE event
	batch *channel.Batch // of a batch or gap
	json  []byte         // of all others
}

func (e *event) appendJSON(dst []byte) []byte {
	if e.batch != nil {
		return e.batch.AppendJSON(dst)
	}
	return append(dst, e.json...)
}

func batchEvent(b *channel.Batch) event {
	if b.Gap != nil {
		return event{name: "gap", batch: b}
	}
	return event{name: "batch", batch: b}
}

func signalEvent(s *channel.Signal) event { return event{name: "signal", json: s.AppendJSON(nil)} }

// helloEvent greets: it comes first and at once, so that a client knows that bytes come through.
func (t *Transport) helloEvent(person channel.Sender) event {
	type hello struct {
		Heartbeat float64         `json:"heartbeat"`
		Node      string          `json:"node"`
		User      *channel.Sender `json:"user"`
	}
	h := hello{Heartbeat: t.o.Heartbeat.Seconds(), Node: t.o.Node}
	if person.ID != "" {
		h.User = &person
	}
	return object("hello", map[string]hello{"hello": h})
}

func heartbeatEvent(now time.Time) event {
	return event{name: "heartbeat", json: []byte(`{"heartbeat":{"at":"` + timestamp(now) + `"}}`)}
}

func byeEvent(after time.Duration) event {
	type bye struct {
		RetryAfter float64 `json:"retry_after"`
	}
	return object("bye", map[string]bye{"bye": {after.Round(100 * time.Millisecond).Seconds()}})
}

// endedEvent says that a channel is no longer read here, and why.
func endedEvent(name channel.Name, why *problem.Problem) event {
	type reason struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	return object("ended", struct {
		Channel channel.Name `json:"channel"`
		Ended   reason       `json:"ended"`
	}{name, reason{why.Code(), sentence(why)}})
}

// sentence is what a problem's detail says, without its code and cause.
func sentence(p *problem.Problem) string {
	return strings.TrimPrefix(p.Because(nil).Error(), p.Code()+": ")
}

// object encodes what cannot fail to be encoded.
func object(name string, v any) event {
	encoded, _ := json.Marshal(v)
	return event{name: name, json: encoded}
}
