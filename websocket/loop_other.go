//go:build !linux

package websocket

import (
	"net"
	"time"
)

// socket is for Linux; elsewhere every connection of a Server has a goroutine.
type socket struct{}

func (*socket) Schedule()               {}
func (*socket) wakeAfter(time.Duration) {}
func (*socket) pause()                  {}
func (*socket) resume()                 {}
func (*socket) lend([]byte)             {}
func (*socket) RemoteAddr() net.Addr    { return nil }
func (*socket) LocalAddr() net.Addr     { return nil }

func (*socket) writeLent(MessageType, []byte) bool { return false }

func (c *Conn) hand([]byte) error { return nil }

func (*Server) adopt(*Conn) bool { return false }
