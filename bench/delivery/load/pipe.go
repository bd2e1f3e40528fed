package load

import (
	"fmt"
	"slices"
)

// Upgrade is the headers that ask for a WebSocket. The key is the example of RFC 6455, section 1.3.
const Upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// Pipe sends commands over one WebSocket without waiting for their answers, up to a window of them.
type Pipe struct {
	*Conn
	Window   int
	Stopped  bool // no more commands
	Sent     int64
	Answered int64
	Command  func(dst []byte, n int64) ([]byte, error) // appends command n, from 1
	Answer   func(p []byte) (answers int, err error)   // is told of every message

	accepted bool
	command  []byte
	frames   []byte
}

// Pipe opens one. It is ready when Accepted says so, and begins with Go.
func (l *Load) Pipe(request []byte) (*Pipe, error) {
	p := &Pipe{}
	var head Head
	var err error
	p.Conn, err = l.open(func(data []byte) (taken int, err error) {
		if !p.accepted {
			if taken, err = parseHead(data, &head); taken == 0 || err != nil {
				return 0, err
			}
			if head.Status != 101 {
				return 0, fmt.Errorf("a WebSocket was refused: %.600s", data)
			}
			p.accepted = true
		}
		n, err := p.Conn.frames(data[taken:], func(m []byte) error {
			answers, err := p.Answer(m)
			p.Answered += int64(answers)
			return err
		})
		if err == nil && p.Sent > 0 {
			err = p.Go()
		}
		return taken + n, err
	})
	if err != nil {
		return nil, err
	}
	return p, p.send(request)
}

// Accepted says whether the connection is a WebSocket already.
func (p *Pipe) Accepted() bool { return p.accepted }

// Go sends commands until so many are unanswered, with one write.
func (p *Pipe) Go() (err error) {
	p.frames = p.frames[:0]
	for !p.Stopped && p.Sent-p.Answered < int64(p.Window) {
		p.Sent++
		if p.command, err = p.Command(p.command[:0], p.Sent); err != nil {
			return err
		}
		p.frames = appendFrame(p.frames, opText, p.command)
	}
	if len(p.frames) == 0 {
		return nil
	}
	return p.send(p.frames)
}

// Begin waits until all of them are WebSockets, and lets them go.
func (l *Load) Begin(pipes []*Pipe) error {
	if err := l.until(pipes, (*Pipe).Accepted); err != nil {
		return err
	}
	for _, p := range pipes {
		if err := p.Go(); err != nil {
			return err
		}
	}
	return nil
}

// Finish lets them send nothing more, and waits for all answers.
func (l *Load) Finish(pipes []*Pipe) error {
	for _, p := range pipes {
		p.Stopped = true
	}
	return l.until(pipes, func(p *Pipe) bool { return p.Answered == p.Sent })
}

func (l *Load) until(pipes []*Pipe, is func(*Pipe) bool) error {
	return l.Until(func() bool {
		return !slices.ContainsFunc(pipes, func(p *Pipe) bool { return !is(p) })
	})
}
