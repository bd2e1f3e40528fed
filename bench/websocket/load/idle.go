package load

import (
	"net/netip"
)

// Idle holds connections that have each had one message of 64 bytes echoed, and are silent since.
type Idle struct{ *Load }

// NewIdle opens them.
func NewIdle(server netip.AddrPort, n int) (Idle, error) {
	e := Echo{Conns: n, InFlight: 1, Opcode: Text, Payload: Words(64)}
	l, err := e.open(Server{Addr: server})
	if err != nil {
		return Idle{}, err
	}
	for _, c := range l.conns {
		if err = l.send(c, 1); err != nil {
			break
		}
	}
	if err == nil {
		err = l.run(func() bool { return l.Messages == int64(n) }, func(*Conn, int) error { return nil })
	}
	if err != nil {
		l.Close()
		return Idle{}, err
	}
	return Idle{l}, nil
}
