package load

import (
	"net/netip"
	"time"
)

// Server is what is measured.
type Server struct {
	Addr netip.AddrPort
	CPU  func() (time.Duration, error) // that its process has used so far
}

// Span is what happened in a stretch of time.
type Span struct {
	Messages int64 // received by the clients
	Bytes    int64 // received by the clients
	CPU      time.Duration
	Wall     time.Duration
}

// Times are how long to measure, and how long to run before.
type Times struct{ Warmup, Measure time.Duration }

// measure runs the load for a while, then measures.
func (l *Load) measure(s Server, t Times, on func(c *Conn, messages int) error) (Span, error) {
	if err := l.runFor(t.Warmup, on); err != nil {
		return Span{}, err
	}
	begun, messages, bytes := time.Now(), l.Messages, l.Bytes
	before, err := s.CPU()
	if err != nil {
		return Span{}, err
	}
	if err := l.runFor(t.Measure, on); err != nil {
		return Span{}, err
	}
	after, err := s.CPU()
	return Span{Messages: l.Messages - messages, Bytes: l.Bytes - bytes, CPU: after - before, Wall: time.Since(begun)}, err
}

func (l *Load) runFor(d time.Duration, on func(c *Conn, messages int) error) error {
	end := time.Now().Add(d)
	return l.run(func() bool { return !time.Now().Before(end) }, on)
}
