package load

// Broadcast has one connection that publishes and others that receive. A burst is published when the one before has
// come to all.
type Broadcast struct {
	Subscribers int
	Burst       int
	Payload     []byte
	Offer       string // of the subscribers; the publisher never compresses
}

// Run measures the server. A message is one delivery.
func (b Broadcast) Run(s Server, t Times) (Span, error) {
	l, err := New()
	if err != nil {
		return Span{}, err
	}
	defer l.Close()
	subscribers, err := l.Open(s.Addr, "/subscribe", b.Offer, b.Subscribers)
	if err != nil {
		return Span{}, err
	}
	x := subscribers[0].Extension
	if b.Offer != OfferNone && !x.Agreed {
		return Span{}, supports(x, b.Offer)
	}
	var expected parser
	expected.expect(Text, b.Payload)
	for i, c := range subscribers {
		if b.Offer == OfferNone {
			c.parser = expected
		} else if i < 2 {
			c.sample = &sample{messages: [][]byte{b.Payload}, noTakeover: x.ServerNoTakeover, enough: sampled}
		}
	}
	publishers, err := l.Open(s.Addr, "/publish", OfferNone, 1)
	if err != nil {
		return Span{}, err
	}
	publisher := publishers[0]
	publisher.tape = Repeat(Text, b.Payload, b.Burst)

	burst := b.Subscribers * b.Burst
	awaited := burst
	on := func(_ *Conn, n int) error {
		if awaited -= n; awaited > 0 {
			return nil
		}
		awaited = burst
		return l.send(publisher, b.Burst)
	}
	if err := l.send(publisher, b.Burst); err != nil {
		return Span{}, err
	}
	return l.measure(s, t, on)
}
