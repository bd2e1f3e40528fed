package websocket

// loop is for Linux; elsewhere every connection of a Server has a goroutine.
type loop struct{}

func (*loop) schedule(*Conn) {}

func (c *Conn) hand([]byte) error { return nil }

// loops are those of a Server.
type loops struct{}

func (*loops) adopt(*Server, *Conn) bool { return false }

func (*loops) stop() {}
