package enginetest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Children are what the test binary of an engine can be told to do as a process of its own, with the engine at an address. They say something on their
// standard output, line by line.
type Children map[string]func(address string) error

// childEnv tells a test binary that it is a child, and what to do.
const childEnv = "PARLEY_TEST_CHILD"

// Main is for TestMain: it runs the tests, or does what a child is to do, and exits.
func (c Children) Main(m *testing.M) {
	do, address, is := strings.Cut(os.Getenv(childEnv), "=")
	if !is {
		os.Exit(m.Run())
	}
	if err := c[do](address); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Start starts a child, and returns the lines that it prints. It ends with the test.
func (c Children) Start(t *testing.T, do, address string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	if c[do] == nil {
		t.Fatalf("no child knows how to %q", do)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+do+"="+address)
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
