package client

// link is one way of reading, in use or being tried: it reads what feeds.wanted says and gives it to feeds.receive. All
// its methods are called with the lock held, and none of them waits.
type link interface {
	kind() Transport
	start()
	sync()                 // the wanted channels have changed
	rewind(channel string) // read this channel again from the wanted position
	disown()               // it is somebody else's session now: carry nothing out any more
	close()                // no event comes after
}

// events are what a link tells. They are called with the lock held.
type events struct {
	hello func(hello)  // a byte of the server's has arrived through it
	down  func(*Error) // once, and the last event
}

func newLink(e *env, kind Transport, on events, dial dialFunc) link {
	switch kind {
	case WebSocket:
		return newSocketLink(e, on, dial)
	case SSE:
		return newGroupedLink(e, kind, on, readStream)
	case LongPoll:
		return newGroupedLink(e, kind, on, readHeld)
	default:
		return newGroupedLink(e, kind, on, readNowAndThen)
	}
}
