package load

// Echo is a closed loop: each connection has so many messages in flight, and sends one for each that comes back.
type Echo struct {
	Conns    int
	InFlight int
	Opcode   byte
	Payload  []byte

	// Compressed messages, in turn, instead of Payload. Together they must be longer than 32 KiB.
	Messages [][]byte
	Offer    string
}

// Run measures the server.
func (e Echo) Run(s Server, t Times) (Span, error) {
	l, err := e.open(s)
	if err != nil {
		return Span{}, err
	}
	defer l.Close()
	for _, c := range l.conns {
		if err := l.send(c, e.InFlight); err != nil {
			return Span{}, err
		}
	}
	return l.measure(s, t, l.send)
}

func (e Echo) open(s Server) (*Load, error) {
	l, err := New()
	if err != nil {
		return nil, err
	}
	conns, err := l.Open(s.Addr, "/echo", e.Offer, e.Conns)
	if err == nil {
		err = e.arm(conns)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// arm gives the connections what to send and what to expect.
func (e Echo) arm(conns []*Conn) error {
	if e.Messages == nil {
		tape := Repeat(e.Opcode, e.Payload, e.InFlight)
		var expected parser
		expected.expect(e.Opcode, e.Payload)
		for _, c := range conns {
			c.tape, c.parser = tape, expected
		}
		return nil
	}
	x := conns[0].Extension
	if err := supports(x, e.Offer); err != nil {
		return err
	}
	tape, err := Compressed(e.Messages, x, e.InFlight)
	for i, c := range conns {
		if c.tape = tape; i < 2 {
			c.sample = &sample{messages: e.Messages, noTakeover: x.ServerNoTakeover, enough: sampled}
		}
	}
	return err
}
