package load

import "fmt"

// Caller makes HTTP requests over one connection, one after the other.
type Caller struct {
	*Conn
	Busy   bool // a request is not answered yet
	Answer func(h *Head, body []byte) error
	head   Head
}

// Caller opens one. Answer is told of every answer; it may call again.
func (l *Load) Caller() (*Caller, error) {
	c := &Caller{}
	var err error
	c.Conn, err = l.open(func(p []byte) (taken int, err error) {
		for {
			body, n, err := parseAnswer(p[taken:], &c.head)
			if n == 0 || err != nil {
				return taken, err
			}
			taken += n
			if !c.Busy {
				return taken, fmt.Errorf("an answer that nobody asked for: %.200s", p)
			}
			c.Busy = false
			if err := c.Answer(&c.head, body); err != nil {
				return taken, err
			}
		}
	})
	return c, err
}

// Call sends a request.
func (c *Caller) Call(request []byte) error {
	c.Busy = true
	return c.send(request)
}

// scriptCallers is how many requests of a script are under way at once.
const scriptCallers = 32

// Do makes n requests and returns the bodies of their answers, which must have the status wanted.
func (l *Load) Do(n, status int, request func(i int) []byte) ([][]byte, error) {
	bodies := make([][]byte, n)
	next, done := 0, 0
	for range min(scriptCallers, n) {
		c, err := l.Caller()
		if err != nil {
			return nil, err
		}
		defer c.Close()
		at := 0
		call := func() error {
			if next == n {
				return nil
			}
			at = next
			next++
			return c.Call(request(at))
		}
		c.Answer = func(h *Head, body []byte) error {
			if h.Status != status {
				return fmt.Errorf("%d instead of %d: %.300s", h.Status, status, body)
			}
			bodies[at] = append([]byte(nil), body...)
			done++
			return call()
		}
		if err := call(); err != nil {
			return nil, err
		}
	}
	return bodies, l.Until(func() bool { return done == n })
}
