package load

import "fmt"

// Transport is a way of reading.
type Transport int

// The transports. A long poll is asked again as soon as it is answered.
const (
	WebSocket Transport = iota
	SSE
	LongPoll
)

// Dialect is how a server is spoken to by one reader.
type Dialect interface {
	// Ask is the request that opens a stream, or asks a long poll, from the reader's position.
	Ask(r *Reader) []byte
	// Opened is told that the server has accepted a stream, and says whether it is ready at once.
	Opened(r *Reader) (ready bool, err error)
	// Message handles a WebSocket message, the data of an event, or the body of a long poll's answer.
	Message(r *Reader, p []byte) error
	// Answer takes the position from the head of a long poll's answer, where it is there.
	Answer(r *Reader, h *Head) error
}

// Reader reads a channel.
type Reader struct {
	*Conn
	Dialect   Dialect
	Transport Transport
	Channel   string
	Who       int // whose session it is, by the dialect's count
	Log       *Log
	At        int    // messages of the log that it has
	Position  []byte // by the dialect's meaning
	Uncounted bool   // its latencies do not count

	// Content checks what a batch holds where that is not a message of publishers; nil for those.
	Content func(r *Reader, batch []byte) error

	ready    bool
	accepted bool
	events   events
	head     Head
}

// Readers opens n readers, which begin as begin says, and returns when all are ready.
func (l *Load) Readers(n int, begin func(i int) *Reader) ([]*Reader, error) {
	var all []*Reader
	ready := 0
	err := l.Each(n, func(i int) error {
		r := begin(i)
		all = append(all, r)
		return r.open(l, &ready)
	}, func() int { return ready })
	return all, err
}

func (r *Reader) open(l *Load, ready *int) (err error) {
	if r.Log != nil {
		r.At = r.Log.Len()
	}
	if r.Conn, err = l.open(func(p []byte) (n int, err error) {
		was := r.ready
		n, err = r.take(p)
		if r.ready && !was {
			*ready++
		}
		return n, err
	}); err != nil {
		return err
	}
	if r.Transport == LongPoll { // nothing comes before there is something
		r.ready = true
		*ready++
	}
	return r.send(r.Dialect.Ask(r))
}

// Pause stops reading what comes.
func (r *Reader) Pause() error {
	r.paused = true
	return r.interest()
}

// Resume goes on reading what has come, and, where the server has lost its patience meanwhile and closed the connection, over
// another from where the reader is then.
func (r *Reader) Resume() error {
	r.paused, r.again = false, r.reopen
	if r.closed {
		return r.reopen()
	}
	return r.interest()
}

func (r *Reader) reopen() (err error) {
	l := r.load
	if r.Conn, err = l.open(r.take); err != nil {
		return err
	}
	r.accepted, r.events = false, events{}
	return r.send(r.Dialect.Ask(r))
}

// Ready says that what is published from now on will come.
func (r *Reader) Ready() { r.ready = true }

func (r *Reader) take(p []byte) (taken int, err error) {
	if r.Transport == LongPoll {
		return r.answers(p)
	}
	if !r.accepted {
		if taken, err = parseHead(p, &r.head); taken == 0 || err != nil {
			return 0, err
		}
		if want := map[Transport]int{WebSocket: 101, SSE: 200}[r.Transport]; r.head.Status != want {
			return 0, fmt.Errorf("reading was refused: %.600s", p)
		}
		r.accepted, r.events.chunked = true, r.head.chunked
		ready, err := r.Dialect.Opened(r)
		if err != nil {
			return 0, err
		}
		r.ready = r.ready || ready
	}
	message := func(p []byte) error { return r.Dialect.Message(r, p) }
	n := 0
	if r.Transport == WebSocket {
		n, err = r.frames(p[taken:], message)
	} else {
		n, err = r.events.take(p[taken:], message)
	}
	return taken + n, err
}

func (r *Reader) answers(p []byte) (taken int, err error) {
	for {
		body, n, err := parseAnswer(p[taken:], &r.head)
		if n == 0 || err != nil {
			return taken, err
		}
		if r.head.Status != 200 && r.head.Status != 304 {
			return taken, fmt.Errorf("a long poll was answered: %.600s", p[taken:])
		}
		if err := r.Dialect.Answer(r, &r.head); err != nil {
			return taken, err
		}
		if r.head.Status == 200 {
			if err := r.Dialect.Message(r, body); err != nil {
				return taken, err
			}
		}
		taken += n
		if err := r.send(r.Dialect.Ask(r)); err != nil {
			return taken, err
		}
	}
}

// Say sends a text message over the reader's WebSocket.
func (r *Reader) Say(text []byte) error { return r.send(appendFrame(nil, opText, text)) }
