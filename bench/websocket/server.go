package main

import (
	"io"
	"net/netip"
	"strconv"
	"time"

	"parley/bench/process"
	"parley/bench/websocket/load"
)

// server is a running peer.
type server struct {
	load.Server
	*process.Process
}

// start runs the peer's program.
func start(command []string, deflate, core string) (*server, error) {
	p, err := process.Start(core, append(append([]string{}, command...), "-deflate", deflate)...)
	if err != nil {
		return nil, err
	}
	s := &server{Process: p}
	if !s.Lines.Scan() {
		return nil, s.Ended("the server did not start")
	}
	if s.Addr, err = netip.ParseAddrPort(s.Lines.Text()); err != nil {
		s.Stop()
		return nil, err
	}
	s.CPU = func() (time.Duration, error) { return process.CPUTime(p.PID()) }
	return s, nil
}

// memory is what the process holds, in bytes, when it has given back what it does not need: as the kernel counts its
// resident pages, and as its runtime counts heap and stacks in use.
type memory struct{ resident, used int64 }

func (s *server) memory() (m memory, err error) {
	if _, err := io.WriteString(s.Stdin, "memory\n"); err != nil {
		return m, err
	}
	if !s.Lines.Scan() {
		return m, s.Ended("the server ended")
	}
	if m.used, err = strconv.ParseInt(s.Lines.Text(), 10, 64); err != nil {
		return m, err
	}
	m.resident, err = process.Resident(s.PID())
	return m, err
}
