//go:build !unix

package websocket

import "net"

// rawSocket is for systems whose sockets are files; elsewhere every connection is read and written by its own methods.
type rawSocket struct{}

func newRawSocket(net.Conn) *rawSocket { return nil }

func (*rawSocket) read(int) (*buffer, int, error) { panic("websocket: no raw sockets here") }

func (*rawSocket) writeNow([]byte) (int, error) { panic("websocket: no raw sockets here") }
