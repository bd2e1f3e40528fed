//go:build !unix

package websocket

import "net"

// Where sockets are not files, every connection is read and written by its own methods.
func newRawSocket(net.Conn) rawIO { return nil }
