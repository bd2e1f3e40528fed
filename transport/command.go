package transport

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"parley/body"
	"parley/channel"
	"parley/internal/plain"
	"parley/problem"
	"parley/websocket"
)

const (
	maxBadCommands = 16  // malformed ones in a row, before the connection is closed
	maxRef         = 128 // bytes of a ref
)

// command is a text message from the client. Which fields go with which op, fields says.
type command struct {
	Op      string          `json:"op"`
	Ref     json.RawMessage `json:"ref"`
	Channel string          `json:"channel"`
	After   *string         `json:"after"`
	publication
}

var fields = map[string][]string{
	"subscribe":   {"channel", "after"},
	"unsubscribe": {"channel"},
	"publish":     {"channel", "id", "type", "data", "messages"},
	"signal":      {"channel", "type", "data"},
	"ping":        {},
}

// parseCommand reads a command. Of one that is refused, it tells op and ref where they can be known.
func parseCommand(data []byte) (command, error) {
	var c command
	var err error
	if !plain.Object(data, c.field) {
		c = command{}
		err = body.Decode(data, &c)
	}
	if err != nil {
		var known struct {
			Op  string          `json:"op"`
			Ref json.RawMessage `json:"ref"`
		}
		_ = json.Unmarshal(data, &known)
		c = command{Op: known.Op, Ref: known.Ref}
	}
	if refErr := c.checkRef(); refErr != nil {
		c.Ref = nil
		return c, refErr
	}
	if err != nil {
		return c, err
	}
	return c, c.checkFields()
}

// field takes a field that plain.Object found.
func (c *command) field(name, value []byte) (ok bool) {
	switch string(name) {
	case "op":
		c.Op, ok = plain.String(value)
	case "ref":
		c.Ref, ok = value, true
	case "channel":
		c.Channel, ok = plain.String(value)
	case "after":
		var after string
		after, ok = plain.String(value)
		c.After = &after
	default:
		ok = c.publication.field(name, value)
	}
	return ok
}

// checkRef takes strings and numbers.
func (c *command) checkRef() error {
	switch {
	case c.Ref == nil || string(c.Ref) == "null":
		c.Ref = nil
		return nil
	case len(c.Ref) > maxRef:
		return problem.BadRequest.Detail("the ref may have at most %d bytes", maxRef)
	case c.Ref[0] == '"' || c.Ref[0] == '-' || c.Ref[0] >= '0' && c.Ref[0] <= '9':
		return nil
	}
	return problem.BadRequest.Detail("the ref must be a string or a number")
}

func (c *command) checkFields() error {
	allowed, known := fields[c.Op]
	if !known {
		return problem.BadRequest.Detail("there is no op %.40q; there are subscribe, unsubscribe, publish, signal and ping", c.Op)
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"channel", c.Channel != ""}, {"after", c.After != nil}, {"id", c.ID != nil}, {"type", c.Type != ""}, {"data", c.Data != nil}, {"messages", c.Messages != nil},
	} {
		if f.given && !slices.Contains(allowed, f.name) {
			return problem.BadField.Detail("the op %s has no field %q", c.Op, f.name)
		}
	}
	return nil
}

// command carries out one command. Publishes are only begun here.
func (s *session) command(ctx context.Context, data []byte) {
	c, err := parseCommand(data)
	var name channel.Name
	if err == nil && c.Op != "ping" {
		name, err = channel.ParseName(c.Channel)
	}
	if c.Op == "publish" {
		s.count(s.enqueue(c, name, err))
		return
	}
	var result any
	if err == nil {
		result, err = s.carryOut(ctx, c, name)
	}
	s.count(err)
	if err == nil && c.Op == "signal" && c.Ref == nil {
		return
	}
	s.reply(c.Ref, result, err)
}

// count counts malformed commands in a row: a client that goes on like that will not come to its senses. What was well said
// but refused does not count.
func (s *session) count(err error) {
	if err != nil && problem.Of(err).Status() == http.StatusBadRequest {
		s.badInRow++
	} else {
		s.badInRow = 0
	}
}

func (s *session) carryOut(ctx context.Context, c command, name channel.Name) (any, error) {
	switch c.Op {
	case "subscribe":
		return s.subscribe(ctx, c, name)
	case "unsubscribe":
		s.Remove(name)
		return struct {
			Channel channel.Name `json:"channel"`
		}{name}, nil
	case "signal":
		return struct{}{}, s.t.pass(ctx, s.person, name, c.Type, c.Data)
	default:
		return struct{}{}, nil // ping
	}
}

func (s *session) subscribe(ctx context.Context, c command, name channel.Name) (any, error) {
	after, err := channel.End, error(nil)
	if c.After != nil {
		if after, err = channel.ParsePosition(*c.After); err != nil {
			return nil, err
		}
	}
	lens, err := s.t.site.MayRead(ctx, s.person, name)
	if err != nil {
		return nil, err
	}
	at, err := s.Add(ctx, name, after, lens)
	if err != nil {
		return nil, err
	}
	return struct {
		Channel  channel.Name `json:"channel"`
		Position string       `json:"position"`
	}{name, at.String()}, nil
}

// reply answers a command.
func (s *session) reply(ref json.RawMessage, result any, err error) {
	s.send([]event{s.answer(ref, result, err)})
}

// send writes answers, or ends the session.
func (s *session) send(answers []event) {
	if s.write(answers) != nil {
		s.finish(websocket.StatusNormalClosure, "")
	}
}

// answer is the object that answers a command.
func (s *session) answer(ref json.RawMessage, result any, err error) event {
	if err != nil {
		s.t.logFailure(err, "over", "WebSocket")
		said, _ := json.Marshal(problem.Of(err))
		return answerEvent(ref, "error", said)
	}
	said, _ := json.Marshal(result)
	return answerEvent(ref, "result", said)
}

func answerEvent(ref json.RawMessage, kind string, said []byte) event {
	if ref == nil {
		ref = json.RawMessage("null")
	}
	dst := make([]byte, 0, len(ref)+len(said)+24)
	dst = append(append(dst, `{"ref":`...), ref...)
	dst = append(append(append(dst, `,"`...), kind...), `":`...)
	return event{json: append(append(dst, said...), '}')}
}
