package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/websocket"
)

// schedule says when the next message is due: now in a closed loop; in an open one at its time, whether the one before it is
// answered or not.
type schedule struct {
	began time.Time
	every float64 // nanoseconds; 0: closed
	next  atomic.Int64
}

// due waits for the next message's time, and returns it.
func (s *schedule) due(ctx context.Context) (time.Time, bool) {
	if s.every == 0 {
		return time.Now(), ctx.Err() == nil
	}
	at := s.began.Add(time.Duration(float64(s.next.Add(1)-1) * s.every))
	if d := time.Until(at); d > 0 {
		return at, pause(ctx, d)
	}
	return at, ctx.Err() == nil
}

// openWorkers is how many messages of an open loop can wait for answers; what is due beyond that waits to be sent, and its time
// counts.
const openWorkers = 256

// startSenders connects the publishers or voters and lets them begin. They end with ctx.
func (r *run) startSenders(ctx context.Context, senders *sync.WaitGroup) error {
	s := &schedule{began: time.Now()}
	workers := r.o.InFlight
	if r.o.Rate > 0 {
		s.every = 1e9 / r.o.Rate
		workers = openWorkers
	}
	if r.o.Kind == "publish" && r.o.Transport == "websocket" {
		conns := min(r.o.Connections, workers)
		for i := range conns {
			window := workers/conns + b2i(i < workers%conns)
			conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(r.o.URL, "http")+"/v1/connect", &websocket.DialOptions{
				Header: http.Header{"Authorization": {"Bearer " + r.stage.tokens[i%len(r.stage.tokens)]}},
			})
			if err != nil {
				return fmt.Errorf("connecting publisher %d: %w", i+1, err)
			}
			senders.Go(func() { r.ended(ctx, r.pipeline(ctx, conn, s, window)) })
		}
		return nil
	}
	for i := range workers {
		senders.Go(func() { r.ended(ctx, r.post(ctx, s, i)) })
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ended ends the run if a sender failed.
func (r *run) ended(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		r.fail(fmt.Errorf("sending: %w", err))
	}
}

// acknowledged counts what was due at a time and is answered now.
func (r *run) acknowledged(due time.Time) {
	r.published.Add(1)
	if r.measuring.Load() {
		r.sends.add(time.Since(due))
	}
}

// post sends over a connection of its own, one request after the other.
func (r *run) post(ctx context.Context, s *schedule, worker int) error {
	conn, err := r.site.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, 4<<10)
	var head, body []byte
	for n := 0; ; n++ {
		due, ok := s.due(ctx)
		if !ok {
			return nil
		}
		method, path, token := "POST", "/v1/channels/"+r.stage.channel+"/messages", r.stage.tokens[worker%len(r.stage.tokens)]
		if r.stage.vote == "" {
			body = append(body[:0], `{"type":"bench","data":`...)
			body = append(appendData(body, r.clock.at(due), r.o.Size), '}')
		} else {
			// Each worker speaks for its own share of the voters, who change their minds each time.
			method, path = "PUT", "/v1/votes/"+r.stage.vote+"/ballot"
			share := max(1, (len(r.stage.tokens)-worker+r.workers()-1)/r.workers())
			token = r.stage.tokens[(worker+n%share*r.workers())%len(r.stage.tokens)]
			body = append(strconv.AppendInt(append(body[:0], `{"options":[`...), int64(1+n/share%2), 10), "]}"...)
		}
		head = fmt.Appendf(head[:0], "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			method, path, r.site.url.Host, token, len(body))
		if _, err := conn.Write(append(head, body...)); err != nil {
			return err
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode >= 300 {
			return refused(resp)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		r.acknowledged(due)
	}
}

func (r *run) workers() int {
	if r.o.Rate > 0 {
		return openWorkers
	}
	return r.o.InFlight
}

// pipeline publishes over one WebSocket, up to a window of messages without waiting for their answers, which come in order.
func (r *run) pipeline(ctx context.Context, conn *websocket.Conn, s *schedule, window int) error {
	defer conn.CloseNow()
	waiting := make(chan time.Time, window) // when those were due that are not answered
	failed := make(chan error, 1)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer conn.CloseNow()
	reading.Go(func() {
		for {
			_, data, err := conn.Read(context.Background())
			if err != nil {
				failed <- err
				return
			}
			if strings.HasPrefix(string(data), `{"ref":`) {
				if _, is := between(data, `"error":{`, "}"); is {
					var o struct{ Error *Refused }
					err = json.Unmarshal(data, &o)
					failed <- errors.Join(err, o.Error)
					return
				}
				r.acknowledged(<-waiting)
			}
		}
	})
	var commands [][]byte
	for {
		commands = commands[:0]
		for len(commands) == 0 || len(commands) < 64 && len(waiting) < window && (s.every == 0 || s.late()) {
			due, ok := s.due(ctx)
			if !ok {
				return nil
			}
			select {
			case waiting <- due:
			case err := <-failed:
				return err
			case <-ctx.Done():
				return nil
			}
			command := append([]byte(`{"op":"publish","ref":1,"channel":"`), r.stage.channel...)
			command = append(command, `","type":"bench","data":`...)
			if s.every == 0 {
				due = time.Now()
			}
			commands = append(commands, append(appendData(command, r.clock.at(due), r.o.Size), '}'))
		}
		if err := conn.WriteMany(context.Background(), websocket.MessageText, commands); err != nil {
			select {
			case failure := <-failed:
				return failure
			default:
				return err
			}
		}
	}
}

// late reports whether the next message is due already.
func (s *schedule) late() bool {
	return time.Since(s.began) >= time.Duration(float64(s.next.Load())*s.every)
}
