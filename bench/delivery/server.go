package main

import (
	"net/netip"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/process"
	"parley/bench/side"
)

// server is a running peer.
type server struct {
	site
	process *process.Process
	pid     int // of the process that serves
	addr    netip.AddrPort
	tidy    func() // removes what it leaves behind; may be nil
}

func (s *server) stop() {
	if s.pid == s.process.PID() {
		s.process.Stop()
	} else {
		s.process.Stop(s.pid)
	}
	if s.tidy != nil {
		s.tidy()
	}
}

func (s *server) cpu() (time.Duration, error) { return process.CPUTime(s.pid) }
func (s *server) resident() (int64, error)    { return process.Resident(s.pid) }

// site is how rows speak to a peer.
type site interface {
	load.Dialect
	// Begin is where a reader begins that is to get what is published from now on; nil if the dialect can say that by
	// saying nothing. The error says that the server does not have the transport.
	Begin(l *load.Load, channel string, how load.Transport) ([]byte, error)
	// People makes so many people, known by number until others are made.
	People(l *load.Load, n int) error
	// Channels makes channels, each owned by one of the people in turn, and returns their names.
	Channels(l *load.Load, n int) ([]string, error)
	// Publish is the request with which one of the people publishes.
	Publish(channel string, who int, data load.Data) request
	// Published checks the answer to it.
	Published(h *load.Head, body []byte) error
}

// request is an HTTP request with a message's data in it, which is stamped where it lies.
type request struct {
	bytes []byte
	data  load.Data
}

func newRequest(head string, before string, data load.Data, after string) request {
	b := append([]byte(head+before), data...)
	at := len(b) - len(data)
	b = append(b, after...)
	return request{b, load.Data(b[at : at+len(data)])}
}

// mute is the site of a server that does not know channels.
type mute struct{ site }

func (mute) People(*load.Load, int) error { return side.ErrUnsupported }
