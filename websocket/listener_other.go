//go:build !linux

package websocket

import "net"

func (s *Server) listenOnLoop(*net.TCPListener, *pages) (error, bool) { return nil, false }

func (*Server) poll(*Conn) {}
