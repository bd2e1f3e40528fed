//go:build !linux

package websocket

import "net"

// loop is for Linux; elsewhere every connection of a Server has a goroutine.
type loop struct{}

func (*loop) schedule(*Conn) {}

func (c *Conn) hand([]byte) error { return nil }

type socket struct{}

func (*socket) RemoteAddr() net.Addr { return nil }
func (*socket) LocalAddr() net.Addr  { return nil }

// loops are those of a Server.
type loops []*loop

func (*loops) adopt(*Conn) bool { return false }

func (loops) stop() {}
