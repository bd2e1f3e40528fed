// Package redistest starts real redis-server processes for tests: one, with replicas and Sentinels, or as a cluster. They listen on free
// ports of 127.0.0.1, keep their files in the test's temporary folder, and are gone when the test ends.
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is one redis-server process, which can be ended and started again on the same port and files.
type Server struct {
	t    testing.TB
	Port int
	Dir  string
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{} // closed when cmd has ended
}

// Start starts a server with settings as they are given on redis-server's command line: "--appendonly", "yes". Without any it saves
// nothing.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := &Server{t: t, Dir: t.TempDir(), args: settings}
	t.Cleanup(s.Kill)
	for range 20 { // another may take the port first
		s.Port = FreePort(t)
		if s.start() == nil {
			return s
		}
	}
	t.Fatalf("redis-server does not start (make setup installs it): %s", s.Log())
	return nil
}

// Addr is host:port.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// URL is the address as the engine takes it.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Log is what the process has written so far.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return ""
	}
	return s.log.String()
}

// start starts the process and waits until it answers.
func (s *Server) start() error {
	args := append([]string{"--port", fmt.Sprint(s.Port), "--bind", "127.0.0.1", "--dir", s.Dir, "--save", "", "--daemonize", "no",
		"--enable-debug-command", "yes"}, s.args...)
	return s.launch(exec.Command("redis-server", args...))
}

func (s *Server) launch(cmd *exec.Cmd) error {
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = &locked{&s.mu, out}, &locked{&s.mu, out}
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	s.mu.Lock()
	s.cmd, s.log, s.done = cmd, out, done
	s.mu.Unlock()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-done:
			return fmt.Errorf("it ended: %s", s.Log())
		default:
		}
		if s.answers() {
			return nil
		}
	}
	return fmt.Errorf("it does not answer")
}

// answers reports whether it is this process that answers PING, whatever it says.
func (s *Server) answers() bool {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	b := make([]byte, 64)
	n, _ := conn.Read(b)
	return strings.HasPrefix(string(b[:n]), "+PONG") || strings.HasPrefix(string(b[:n]), "-NOAUTH")
}

// Kill ends the process at once, as a power failure of the process would.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the process in order: it saves what it is configured to save.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(signal syscall.Signal) {
	s.mu.Lock()
	cmd, done := s.cmd, s.done
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(signal)
	_ = cmd.Process.Signal(thaw)
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}

// Freeze stops the process without ending it; Thaw lets it go on.
func (s *Server) Freeze() { s.signal(freeze) }

// Thaw undoes Freeze.
func (s *Server) Thaw() { s.signal(thaw) }

func (s *Server) signal(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(signal)
	}
}

// Restart starts the process again, on the same port, with what is in its folder, after Kill or Stop.
func (s *Server) Restart() {
	s.t.Helper()
	for range 50 {
		if err := s.start(); err == nil {
			return
		}
		s.Kill()
		time.Sleep(50 * time.Millisecond) // the port may not be free yet
	}
	s.t.Fatalf("redis-server does not start again: %s", s.Log())
}

// Snapshot saves the data, and returns what was saved.
func (s *Server) Snapshot() []byte {
	s.t.Helper()
	s.Do("SAVE")
	data, err := os.ReadFile(filepath.Join(s.Dir, "dump.rdb"))
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// Restore starts the process, which must not be running, with a snapshot.
func (s *Server) Restore(snapshot []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.Dir, "dump.rdb"), snapshot, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.Restart()
}

// Wipe removes what the process has saved; it must not be running.
func (s *Server) Wipe() {
	s.t.Helper()
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(s.Dir, entry.Name())); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Do runs a command by redis-cli and returns what it prints.
func (s *Server) Do(command ...string) string {
	s.t.Helper()
	out, err := s.Try(command...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// Try is Do where the server may be ending, or be made a replica meanwhile.
func (s *Server) Try(command ...string) (string, error) {
	out, err := exec.Command("redis-cli", append([]string{"-p", fmt.Sprint(s.Port)}, command...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("redis-cli %s: %w: %s", strings.Join(command, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// Eventually waits for something that happens in its own time.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// FreePort is a port that nobody listens on now.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// locked is a buffer that a process writes while tests read it.
type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Running reports whether the process was started and not ended.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil
}
