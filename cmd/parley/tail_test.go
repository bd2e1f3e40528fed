package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// stream is a command that goes on, read line by line.
type stream struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *bufio.Scanner
	errs *output
}

func (u user) stream(args ...string) *stream {
	u.t.Helper()
	s := &stream{t: u.t, cmd: u.cmd(args...), errs: &output{}}
	pipe, err := s.cmd.StdoutPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	s.out, s.cmd.Stderr = bufio.NewScanner(pipe), s.errs
	if err := s.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	return s
}

// line waits for the next one.
func (s *stream) line() string {
	s.t.Helper()
	if !s.out.Scan() {
		_ = s.cmd.Wait()
		s.t.Fatalf("the command has ended: %s", s.errs)
	}
	return s.out.Text()
}

// interrupt is Ctrl-C; it returns the exit code.
func (s *stream) interrupt() int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	for s.out.Scan() {
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

func TestTail(t *testing.T) {
	s := startServer(t, unlimited...)
	u := s.user(t)
	u.run("send", "--name", "Ann", "one").ok()
	for _, transport := range []string{"auto", "websocket", "sse", "longpoll", "poll"} {
		t.Run(transport, func(t *testing.T) {
			tail := u.stream("tail", "lobby", "--after", "0", "--transport", transport)
			if line := tail.line(); !regexp.MustCompile(`^\d\d:\d\d:\d\d  Ann: one$`).MatchString(line) {
				t.Fatalf("%q", line)
			}
			if code := tail.interrupt(); code != 0 || tail.errs.String() != "" {
				t.Fatalf("exit code %d: %s", code, tail.errs)
			}
		})
	}
}

func TestTailAcrossARestart(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	u := s.user(t)
	u.run("send", "--name", "Ann", "one").ok()
	tail := u.stream("tail", "--json", "--after", "0", "room:lobby")
	type entry struct {
		Channel, Position, Type string
		Seq                     int
		From                    struct{ Name string }
		Data                    struct{ Text string }
	}
	next := func(from *stream) (e entry) {
		t.Helper()
		for {
			line := from.line()
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if e.Type == "text" {
				return e
			}
		}
	}
	if e := next(tail); e.Channel != "room:lobby" || e.From.Name != "Ann" || e.Data.Text != "one" {
		t.Fatalf("%+v", e)
	}
	s.kill()
	s.start()
	u.run("send", "two").ok()
	two := next(tail)
	if two.Data.Text != "two" {
		t.Fatalf("%+v", two)
	}
	if code := tail.interrupt(); code != 0 {
		t.Fatalf("exit code %d: %s", code, tail.errs)
	}
	// On another day: behind the position of the last line.
	u.run("send", "three").ok()
	later := u.stream("tail", "--json", "--after", two.Position, "lobby")
	if e := next(later); e.Data.Text != "three" {
		t.Fatalf("%+v", e)
	}
}

func TestTailOfManyChannels(t *testing.T) {
	s := startServer(t, unlimited...)
	u := s.user(t)
	ann := s.signIn("Ann")
	if _, err := ann.do("POST", "/v1/rooms", map[string]string{"name": "Plans"}, nil); err != nil {
		t.Fatal(err)
	}
	tail := u.stream("tail", "--after", "0", "lobby", "plans")
	u.run("send", "--to", "plans", "--name", "Bob", "in plans").ok()
	u.run("send", "in the lobby").ok()
	var got []string
	for len(got) < 2 {
		if line := tail.line(); strings.Contains(line, "Bob") {
			got = append(got, line[9:])
		}
	}
	if both := lines(got...); !strings.Contains(both, "room:plans  Bob: in plans") || !strings.Contains(both, "room:lobby  Bob: in the lobby") {
		t.Fatalf("%q", got)
	}
}

func TestTailSaysWhatIsWrong(t *testing.T) {
	s := startServer(t)
	u := s.user(t)
	u.run("tail").fails(2, "which channel")
	u.run("tail", "nowhere").fails(1, "no_room")
	u.run("tail", "--transport", "pigeon", "lobby").fails(2, "pigeon")
	s.kill()
	u.run("tail", "--timeout", "2s", "lobby").fails(3, s.url)
}

func TestWhatATerminalMaySee(t *testing.T) {
	if got := oneLine("a\x1b[31m\nb\u202ec\u009b你好\t👋"); got != "a[31m bc你好 👋" {
		t.Fatalf("%q", got)
	}
}
