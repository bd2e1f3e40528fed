package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary builds the command once for all tests of the package, as a user would have it.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "parley-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "parley")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0)))) // they wait for other processes more than they compute
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// server is a real process that can be killed and started again in the same folder and on the same address.
type server struct {
	t    testing.TB
	args []string
	url  string
	out  *output
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// unlimited are the flags for a test that is faster than people are.
var unlimited = []string{"--rate-publish", "off", "--rate-ballot", "off", "--rate-guest", "off", "--rate-address", "off", "--rate-read", "off", "--streams-per-address", "0"}

// startServer starts a server in an empty folder on a free port and waits until it answers.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, args...)
	s.start()
	t.Cleanup(func() { s.kill() })
	return s
}

// newServer is one that is not started.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	return &server{t: t, url: "http://" + addr, args: append([]string{"--addr", addr, "--data", t.TempDir()}, args...)}
}

func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.awaitReady()
}

// launch starts the process.
func (s *server) launch() {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd, s.out, s.done = exec.Command(path, s.args...), &output{}, make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.done) }()
}

// awaitReady waits until the process answers that it is ready.
func (s *server) awaitReady() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if resp, err := http.Get(s.url + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == 200 {
				return
			}
		}
		select {
		case <-s.done:
			s.t.Fatalf("the server ended:\n%s", s.out)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server is not ready:\n%s", s.out)
		}
	}
}

// prints waits until the process has printed a text.
func (s *server) prints(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.out.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("no %q in:\n%s", text, s.out)
		}
	}
}

// kill ends the process as a power failure would: SIGKILL.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// client is one person's program: a token and an address.
type client struct {
	url, token string
}

// do makes a request and decodes the answer into out, if that is not nil. The status is 0 when nothing came back.
func (c client) do(method, path string, in, out any, headers ...string) (status int, err error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, c.url+path, body)
	if err != nil {
		return 0, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode >= 400 {
		return resp.StatusCode, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(data)))
	}
	if out != nil {
		err = json.Unmarshal(data, out)
	}
	return resp.StatusCode, err
}

// insist repeats a request until the server answers it: it may be dead for a while. An answer that is an error is one.
func (c client) insist(method, path string, in, out any, headers ...string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		status, err := c.do(method, path, in, out, headers...)
		if err == nil || status != 0 && status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return err
		}
	}
}

// signIn makes a guest of that name.
func (s *server) signIn(name string) client {
	s.t.Helper()
	var answer struct{ Token string }
	c := client{url: s.url}
	if err := c.insist("POST", "/v1/session", map[string]string{"name": name}, &answer); err != nil {
		s.t.Fatal(err)
	}
	c.token = answer.Token
	return c
}

// command runs another command of the binary on the server's folder.
func (s *server) command(args ...string) (string, error) {
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := exec.Command(path, append(s.args[:4:4], args...)...).CombinedOutput()
	return string(out), err
}
