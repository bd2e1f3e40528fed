package verify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/websocket"
)

// connect reads the channels by the chosen transport until ctx ends or the connection does.
func (r *reader) connect(ctx context.Context, channels []string) error {
	switch r.transport {
	case "sse":
		return r.sse(ctx, channels)
	case "websocket":
		return r.websocket(ctx, channels)
	}
	for ctx.Err() == nil {
		if err := r.poll(ctx, channels); err != nil {
			return err
		}
	}
	return nil
}

// path is the URL for the channels, each from its position: the form of one, or of many.
func (r *reader) path(channels []string) string {
	values := url.Values{"limit": {strconv.Itoa(1 + r.random.IntN(500))}}
	path := "/v1/messages?"
	if len(channels) == 1 && r.random.IntN(4) > 0 {
		path = "/v1/channels/" + channels[0] + "/messages?"
		values.Set("after", r.where(channels[0]))
	} else {
		for _, c := range channels {
			values.Add("channel", c+"@"+r.where(c))
		}
	}
	if r.transport == "longpoll" {
		values.Set("wait", "5")
	}
	return path + values.Encode()
}

func (r *reader) get(ctx context.Context, path string, headers ...string) (*http.Response, error) {
	req, err := r.request(ctx, "GET", path, nil)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 400 {
		defer resp.Body.Close()
		data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		if err != nil {
			return nil, err
		}
		return nil, refused(resp, data)
	}
	return resp, nil
}

// poll asks once, waiting or not.
func (r *reader) poll(ctx context.Context, channels []string) error {
	path := r.path(channels)
	one := strings.HasPrefix(path, "/v1/channels/")
	var headers []string
	if one && r.random.IntN(2) == 0 {
		headers = []string{"If-None-Match", `"` + r.where(channels[0]) + `"`}
	}
	resp, err := r.get(ctx, path, headers...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	var answer struct {
		batch
		Batches []batch `json:"batches"`
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(data, &answer); err != nil {
			return r.malformed(data, err)
		}
		if one {
			answer.Batches = []batch{answer.batch}
		}
	}
	more := false
	for i := range answer.Batches {
		r.apply(&answer.Batches[i])
		more = more || answer.Batches[i].More
	}
	if r.transport == "poll" && !more {
		pause(ctx, 20*time.Millisecond+time.Duration(r.random.IntN(60))*time.Millisecond)
	}
	return nil
}

// sse reads a stream of events. Now and then it resumes by Last-Event-ID, as an EventSource does.
func (r *reader) sse(ctx context.Context, channels []string) error {
	path := r.path(channels)
	headers := []string{"Accept", "text/event-stream"}
	if strings.HasPrefix(path, "/v1/channels/") && r.random.IntN(2) == 0 && r.where(channels[0]) != "0" {
		headers = append(headers, "Last-Event-ID", r.where(channels[0]))
		path = "/v1/channels/" + channels[0] + "/messages?after=0"
	}
	resp, err := r.get(ctx, path, headers...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewReaderSize(resp.Body, 32<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err // the last line may be cut off: it does not count
		}
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			if err := r.take(ctx, data); err != nil {
				return err
			}
		}
	}
}

// websocket reads over a WebSocket: with the channels in the URL, or subscribing to each by a command.
func (r *reader) websocket(ctx context.Context, channels []string) error {
	path, subscribe := r.path(channels), r.random.IntN(2) == 0
	if subscribe {
		path = "/v1/connect"
	}
	conn, err := r.dial(ctx, path)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	if subscribe {
		for i, c := range channels {
			command, _ := json.Marshal(map[string]any{"op": "subscribe", "ref": i + 1, "channel": c, "after": r.where(c)})
			if err := conn.Write(ctx, websocket.MessageText, command); err != nil {
				return err
			}
		}
	}
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := r.take(ctx, data); err != nil {
			return err
		}
	}
}

// take takes an object of a stream. What is no batch (hello, signals, heartbeats) says nothing here.
func (r *reader) take(ctx context.Context, data []byte) error {
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		return r.malformed(data, err)
	}
	switch {
	case o.Error != nil:
		return o.Error
	case o.Ended != nil:
		return fmt.Errorf("%s is no longer read here: %w", o.Channel, o.Ended)
	case o.Bye != nil:
		pause(ctx, time.Duration(o.Bye.RetryAfter*float64(time.Second)))
		return io.EOF
	case o.To != "" || o.Gap != nil:
		r.apply(&o.batch)
	}
	return nil
}

// malformed notes what is not even JSON. The connection is given up.
func (r *reader) malformed(data []byte, err error) error {
	r.oracle.violate(Violation{Rule: "protocol", Who: r.who(), Expected: "JSON as docs/protocol.md has it", Came: fmt.Sprintf("%.300q", data)})
	return err
}

func parseTally(m *message) (*tally, error) {
	var t tally
	if m.Type != "tally" {
		return nil, fmt.Errorf("a message of type %s", m.Type)
	}
	return &t, json.Unmarshal(m.Data, &t)
}
