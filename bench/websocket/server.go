package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"parley/bench/websocket/load"
)

// server is a running peer.
type server struct {
	load.Server
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
	said  bytes.Buffer
}

// start runs the peer's program on one core, or on any if core is "".
func start(command []string, deflate, core string) (*server, error) {
	command = append(append([]string{}, command...), "-deflate", deflate)
	if core != "" {
		command = append([]string{"taskset", "-c", core}, command...)
	}
	s := &server{cmd: exec.Command(command[0], command[1:]...)}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	s.cmd.Stderr = &s.said
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.lines = bufio.NewScanner(stdout)
	if !s.lines.Scan() {
		s.stop()
		return nil, fmt.Errorf("the server did not start: %s", bytes.TrimSpace(s.said.Bytes()))
	}
	if s.Addr, err = netip.ParseAddrPort(s.lines.Text()); err != nil {
		s.stop()
		return nil, err
	}
	s.CPU = func() (time.Duration, error) { return load.CPUTime(s.cmd.Process.Pid) }
	return s, nil
}

func (s *server) stop() {
	s.stdin.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// memory is what the process holds, in bytes, when it has given back what it does not need: as the kernel counts its
// resident pages, and as its runtime counts heap and stacks in use.
type memory struct{ resident, used int64 }

func (s *server) memory() (m memory, err error) {
	if _, err := io.WriteString(s.stdin, "memory\n"); err != nil {
		return m, err
	}
	if !s.lines.Scan() {
		return m, fmt.Errorf("the server ended: %s", bytes.TrimSpace(s.said.Bytes()))
	}
	if m.used, err = strconv.ParseInt(s.lines.Text(), 10, 64); err != nil {
		return m, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			m.resident = kb << 10
			return m, err
		}
	}
	return m, fmt.Errorf("no VmRSS")
}
