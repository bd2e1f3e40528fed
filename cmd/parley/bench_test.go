package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	bench "parley/load"
)

// parleyBench runs the command and returns its exit code and output.
func parleyBench(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd, out, failure := exec.CommandContext(t.Context(), path, append([]string{"bench"}, args...)...), &output{}, &output{}
	cmd.Stdout, cmd.Stderr = out, failure
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), failure.String()
}

func TestBench(t *testing.T) {
	t.Parallel()
	s := startServer(t, unlimited...)
	code, out, failure := parleyBench(t, s.url, "fanout", "--connections", "50", "--transport", "sse", "--for", "1s")
	if code != 0 || !strings.Contains(out, "delivered") || !strings.Contains(out, "p99.9") {
		t.Errorf("exit code %d\n%s\n%s", code, out, failure)
	}
	code, out, failure = parleyBench(t, s.url, "publish", "--rate", "100", "--for", "1s", "--json", "-")
	var r bench.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Sent < 10 {
		t.Errorf("exit code %d: %v\n%s\n%s", code, err, out, failure)
	}
}

// TestBenchSaysWhatIsInTheWay: a server with its limits on, none at all, and a word that is not known.
func TestBenchSaysWhatIsInTheWay(t *testing.T) {
	s := startServer(t)
	for _, c := range []struct{ says, url, kind string }{
		{"--rate-publish off", s.url, "publish"},
		{"connection refused", "http://127.0.0.1:1", "publish"},
		{"dance", s.url, "dance"},
	} {
		if code, out, failure := parleyBench(t, c.url, c.kind); code != 2 || !strings.Contains(failure, c.says) {
			t.Errorf("exit code %d\n%s\n%s", code, out, failure)
		}
	}
}
