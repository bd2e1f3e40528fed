package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// user is somebody at a terminal, with a home folder.
type user struct {
	t    *testing.T
	s    *server
	home string
}

func (s *server) user(t *testing.T) user { return user{t, s, t.TempDir()} }

// cmd is the binary with arguments, on the server.
func (u user) cmd(args ...string) *exec.Cmd {
	u.t.Helper()
	path, err := binary()
	if err != nil {
		u.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+u.home, "XDG_CONFIG_HOME="+filepath.Join(u.home, "config"), "PARLEY_SERVER="+u.s.url, "PARLEY_TOKEN=", "TZ=UTC")
	return cmd
}

// result is what a command said, and how it ended.
type result struct {
	t         *testing.T
	args      []string
	out, errs string
	code      int
}

func (u user) run(args ...string) result { u.t.Helper(); return u.pipe("", args...) }

func (u user) pipe(in string, args ...string) result {
	u.t.Helper()
	cmd := u.cmd(args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		u.t.Fatal(err)
	}
	return result{u.t, args, out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// ok demands success and returns what was printed.
func (r result) ok() string {
	r.t.Helper()
	if r.code != 0 || r.errs != "" {
		r.t.Fatalf("parley %q: exit code %d\n%s%s", r.args, r.code, r.out, r.errs)
	}
	return r.out
}

// fails demands an exit code, and one sentence that says something.
func (r result) fails(code int, says string) {
	r.t.Helper()
	if r.code != code || !strings.HasPrefix(r.errs, "parley: ") || strings.Count(r.errs, "\n") != 1 || !strings.Contains(r.errs, says) || r.out != "" {
		r.t.Fatalf("parley %q: exit code %d, want %d and one line with %q\nstdout: %s\nstderr: %s", r.args, r.code, code, says, r.out, r.errs)
	}
}

// texts are those of a channel.
func (c client) texts(t *testing.T, channel string) (all []string) {
	t.Helper()
	var batch struct {
		Messages []struct {
			Type string
			From struct{ Name string }
			Data struct{ Text string }
		}
	}
	if _, err := c.do("GET", "/v1/channels/"+channel+"/messages?after=0", nil, &batch); err != nil {
		t.Fatal(err)
	}
	for _, m := range batch.Messages {
		if m.Type == "text" {
			all = append(all, m.From.Name+": "+m.Data.Text)
		}
	}
	return all
}

func lines(all ...string) string { return strings.Join(all, "\n") }

func TestSend(t *testing.T) {
	s := startServer(t)
	u := s.user(t)
	nobody := client{url: s.url}
	u.run("send", "hello,", "all").ok()
	u.run("send", "--name", "Ann", "--to", "lobby", "it is June").ok()
	u.run("send", "again").ok()
	u.run("send", "--", "--help", "is my text").ok()
	u.pipe("one\n\ntwo\n", "send").ok()
	got := nobody.texts(t, "room:lobby")
	if len(got) != 6 || lines(got[1:]...) != lines("Ann: it is June", "Ann: again", "Ann: --help is my text", "Ann: one", "Ann: two") {
		t.Fatalf("the lobby has\n%s", lines(got...))
	}
	// The first one made a guest, whose session was remembered: Ann is that same person.
	if !regexp.MustCompile(`^(Guest-\w+|Ann): hello, all$`).MatchString(got[0]) {
		t.Fatalf("the first is %q", got[0])
	}
	files, err := filepath.Glob(filepath.Join(u.home, "config", "parley", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}

	bob := s.signIn("Bob")
	u.run("send", "--direct", "Bob", "are you there?").ok()
	var list struct{ Conversations []struct{ Channel string } }
	if _, err := bob.do("GET", "/v1/conversations", nil, &list); err != nil || len(list.Conversations) == 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	if got := bob.texts(t, list.Conversations[0].Channel); lines(got...) != "Ann: are you there?" {
		t.Fatalf("Bob got %q", got)
	}
	// As somebody else, whose token is given and not remembered.
	u.run("send", "--token", bob.token, "it is Bob").ok()
	u.run("send", "and Ann").ok()
	got = nobody.texts(t, "room:lobby")
	if lines(got[len(got)-2:]...) != lines("Bob: it is Bob", "Ann: and Ann") {
		t.Fatalf("the lobby has\n%s", lines(got...))
	}
}

func TestSendSaysWhatIsWrong(t *testing.T) {
	s := startServer(t)
	u := s.user(t)
	s.signIn("Bob")
	u.run("send", "--to", "nowhere", "x").fails(1, "no_room")
	u.run("send", "--direct", "Nobody", "x").fails(1, "no_session")
	u.run("send", "--name", "Bob", "x").fails(1, "name_taken")
	u.run("send", "--to", "lobby", "--direct", "Bob", "x").fails(2, "exclude")
	u.run("send", "--bogus", "x").fails(2, "-bogus")
	u.run("send", "--server", "nonsense", "x").fails(2, "nonsense")
	u.pipe("good\n"+strings.Repeat("x", 5000)+"\n", "send").fails(1, "line 2")
	s.kill()
	u.run("send", "--timeout", "500ms", "x").fails(3, s.url)
	if out := u.run("send", "--help").ok(); !strings.HasPrefix(out, "EXAMPLES:") || !strings.Contains(out, "EXIT CODES:") {
		t.Fatalf("the help is\n%s", out)
	}
}

func TestSendOutlivesARestartAndARateLimit(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate-publish", "20/5")
	u := s.user(t)
	u.run("send", "--name", "Ann", "0").ok()
	cmd := u.cmd("send")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 30 {
		if i == 15 {
			s.kill()
			s.start()
		}
		if _, err := in.Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
		want = append(want, "Ann: line")
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := (client{url: s.url}).texts(t, "room:lobby"); lines(got[1:]...) != lines(want...) {
		t.Fatalf("%d lines, want %d", len(got)-1, len(want))
	}
}

func TestAForgottenSessionIsNoObstacle(t *testing.T) {
	s := startServer(t)
	u := s.user(t)
	u.run("send", "--name", "Ann", "x").ok()
	files, _ := filepath.Glob(filepath.Join(u.home, "config", "parley", "*"))
	if err := os.WriteFile(files[0], []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u.run("send", "y").ok()
	if got := (client{url: s.url}).texts(t, "room:lobby"); len(got) != 2 || !strings.HasSuffix(got[1], ": y") {
		t.Fatalf("%q", got)
	}
}
