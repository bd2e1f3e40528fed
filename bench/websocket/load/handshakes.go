package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// Handshakes opens connections, some at a time, and resets each once it is open.
type Handshakes struct{}

// Run measures the server. A message is one connection.
func (Handshakes) Run(s Server, t Times) (Span, error) {
	number := 0
	for end := time.Now().Add(t.Warmup); time.Now().Before(end); {
		if err := openAndReset(s, &number); err != nil {
			return Span{}, err
		}
	}
	begun, before := time.Now(), number
	cpu, err := s.CPU()
	if err != nil {
		return Span{}, err
	}
	for end := begun.Add(t.Measure); time.Now().Before(end); {
		if err := openAndReset(s, &number); err != nil {
			return Span{}, err
		}
	}
	after, err := s.CPU()
	return Span{Messages: int64(number - before), CPU: after - cpu, Wall: time.Since(begun)}, err
}

func openAndReset(s Server, number *int) error {
	var under []*opening
	for range wave {
		o, err := begin(s.Addr, "/echo", OfferNone, *number)
		if err != nil {
			abandon(under)
			return err
		}
		*number++
		under = append(under, o)
	}
	for i, o := range under {
		c, err := o.finish()
		if err != nil {
			abandon(under[i+1:])
			return err
		}
		unix.Close(c.fd)
	}
	return nil
}
