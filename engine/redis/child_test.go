package redis

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Some tests start the test binary again as a node of its own, which this variable tells what to do.
const childEnv = "PARLEY_REDIS_TEST_CHILD"

func TestMain(m *testing.M) {
	if do, url, ok := strings.Cut(os.Getenv(childEnv), "="); ok {
		if err := children[do](context.Background(), url); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// children are what a process of its own can be told to do, with the Redis at an address. It says something on its standard output, line by line.
var children = map[string]func(ctx context.Context, url string) error{
	"be there": beThere,
}

// child starts the test binary to do something, and returns the lines that it prints. It ends with the test.
func child(t *testing.T, do, url string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+do+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}
