package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/verify"
)

// parleyVerify runs the command, meanwhile the given function, and returns its exit code, report and output.
func parleyVerify(t *testing.T, meanwhile func(), args ...string) (int, verify.Report, string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd, out := exec.CommandContext(ctx, path, append([]string{"verify", "--json", report}, args...)...), &output{}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it says where it stands
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if meanwhile != nil {
		meanwhile()
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var r verify.Report
	if data, err := os.ReadFile(report); err == nil {
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
	}
	return cmd.ProcessState.ExitCode(), r, out.String()
}

func enough(t *testing.T, r verify.Report) {
	t.Helper()
	t.Logf("%.0f s, seed %d: %+v", r.Seconds, r.Seed, r.Counts)
	if c := r.Counts; c.Acknowledged < 50 || c.Delivered < 5*c.Acknowledged || c.Ballots < 8 || c.Repeated < 3 || c.Connections < 20 {
		t.Errorf("too little happened to prove anything: %+v", c)
	}
}

// kept demands that every promise was kept, although connections broke, and that all ballots count.
func (s *server) kept(t *testing.T, code int, r verify.Report, out string) {
	t.Helper()
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	enough(t, r)
	if r.Counts.Broken == 0 {
		t.Error("no connection broke, so this proves nothing")
	}
	s.recount(t)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	code, r, out := parleyVerify(t, nil, s.url, "--for", "3s")
	if code != 0 || !strings.Contains(out, "KEPT") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	enough(t, r)
	s.recount(t)
	var rooms struct{ Rooms []struct{ ID string } }
	if err := s.signIn("who looks").insist("GET", "/v1/rooms", nil, &rooms); err != nil || len(rooms.Rooms) != 1 {
		t.Errorf("after a clean run there are the rooms %v, not the lobby alone; %v", rooms, err)
	}
}

// TestVerifyWithinLimits: with the limits on it goes slowly, and as well; what is refused is not lost. Other people may be in
// the room.
func TestVerifyWithinLimits(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	code, r, out := parleyVerify(t, nil, s.url, "--for", "4s", "--room", "lobby")
	if code != 0 || !strings.Contains(out, "--rate-publish off") || r.Counts.Refused == 0 {
		t.Errorf("exit code %d, %d refused\n%s", code, r.Counts.Refused, out)
	}
}

// TestVerifyWhileKilled: kill -9 and a new start, three times, or PARLEY_KILLS; the clients come directly, or through a bad proxy too.
func TestVerifyWhileKilled(t *testing.T) {
	t.Parallel()
	kills := howManyKills(t, 3)
	for _, way := range []string{"directly", "through a bad proxy"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, unlimited...)
			url := s.url
			if way != "directly" {
				url = startBadProxy(t, s.url).url
			}
			code, r, out := parleyVerify(t, func() {
				for range kills {
					time.Sleep(700*time.Millisecond + rand.N(500*time.Millisecond))
					s.kill()
					s.start()
				}
			}, url, "--for", fmt.Sprintf("%ds", 2*kills), "--timeout", "2s")
			t.Logf("%d kills", kills)
			s.kept(t, code, r, out)
		})
	}
}

// TestVerifyThroughABadProxy: connections that break, are closed in one direction, and are late; for four seconds, or three for
// each of PARLEY_KILLS.
func TestVerifyThroughABadProxy(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	p := startBadProxy(t, s.url)
	code, r, out := parleyVerify(t, nil, p.url, "--for", fmt.Sprintf("%ds", max(4, 3*howManyKills(t, 1))), "--timeout", "1s")
	s.kept(t, code, r, out)
}

// proxied is the address of a proxy before the server, where handle sees each request; pass passes one on.
func (s *server) proxied(t *testing.T, handle func(pass http.Handler, w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	pass.ErrorLog, pass.FlushInterval = log.New(io.Discard, "", 0), -1 // readers leave
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(pass, w, r) }))
	t.Cleanup(func() { proxy.CloseClientConnections(); proxy.Close() })
	return proxy.URL
}

// TestVerifyFindsOut: a proxy that answers publishes itself is caught: exit code 1, and an explanation.
func TestVerifyFindsOut(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	var lies atomic.Int64
	forger := s.proxied(t, func(pass http.Handler, w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/messages") {
			var in struct{ ID string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			seq := lies.Add(1)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"channel":%q,"seq":%d,"position":"%d-abc","id":%q,"at":"2026-01-01T00:00:00.000Z","durability":"fsynced"}`,
				strings.Split(r.URL.Path, "/")[3], seq, seq, in.ID)
			return
		}
		pass.ServeHTTP(w, r)
	})
	code, r, out := parleyVerify(t, nil, forger, "--messages", "20", "--publishers", "1", "--settle", "5s")
	if code != 1 || !strings.Contains(out, "ACKNOWLEDGED") || !strings.Contains(out, "VIOLATED") || len(r.Violations) == 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestVerifyWithoutWebSockets: a proxy that passes none on is not taken for a server that delivers nothing, and the rest can be verified.
func TestVerifyWithoutWebSockets(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	old := s.proxied(t, func(pass http.Handler, w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
		pass.ServeHTTP(w, r)
	})
	if code, _, out := parleyVerify(t, nil, old, "--for", "1s"); code != 2 || !strings.Contains(out, "--transports poll,longpoll,sse") || strings.Contains(out, "VIOLATED") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	code, r, out := parleyVerify(t, nil, old, "--for", "2s", "--transports", "poll,longpoll,sse")
	if code != 0 || !strings.Contains(out, "KEPT") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	enough(t, r)
	if code, _, out := parleyVerify(t, nil, s.url, "--transports", "pigeon"); code != 2 || !strings.Contains(out, "pigeon") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// TestVerifyWithoutAServer: exit code 2, and why.
func TestVerifyWithoutAServer(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"http://127.0.0.1:1"}, {"nonsense"}} {
		if code, _, out := parleyVerify(t, nil, args...); code != 2 || out == "" || strings.Contains(out, "UNDECIDED") {
			t.Errorf("parley verify %v: exit code %d\n%s", args, code, out)
		}
	}
}

// runVerify verifies a server in this process until stop is closed, for a test that does something to the server meanwhile.
func runVerify(ctx context.Context, t *testing.T, o verify.Options) <-chan *verify.Report {
	done := make(chan *verify.Report, 1)
	go func() {
		r, err := verify.Run(ctx, o)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	return done
}
