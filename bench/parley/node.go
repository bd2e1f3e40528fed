package parley

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"parley/bench/process"
	"parley/bench/side"
)

// Build returns the program: binary, or if that is "" one that is built.
func Build(at side.Places, binary string) (program string, err error) {
	if binary != "" {
		return filepath.Abs(binary)
	}
	program = filepath.Join(at.Cache, "parley")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/parley")
	build.Dir = filepath.Dir(at.Module)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	return program, process.Quietly(build)
}

// Node is a running server. It is the dialect of its readers, too.
type Node struct {
	Process    *process.Process
	Addr       netip.AddrPort
	People     *People // those of several nodes on one engine are the same
	Durability string  // that it must have answered publishes with: fsynced, memory, …
}

var address = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)

// Start starts a program on a core, or on any if that is "", without limits of rate and number. flags say what its engine is.
func Start(core, program string, flags ...string) (*Node, error) {
	command := []string{program, "--addr", "127.0.0.1:0", "--rate-publish", "off", "--rate-ballot", "off", "--rate-guest", "off",
		"--rate-address", "off", "--rate-read", "off", "--streams-per-address", "0", "--log-level", "warn"}
	p, err := process.Start(core, append(command, flags...)...)
	if err != nil {
		return nil, err
	}
	for p.Lines.Scan() {
		if at := address.FindStringSubmatch(p.Lines.Text()); at != nil {
			go func() { // what else it says
				for p.Lines.Scan() {
				}
			}()
			addr, err := netip.ParseAddrPort(at[1])
			return &Node{Process: p, Addr: addr, People: &People{}, Durability: "fsynced"}, err
		}
	}
	return nil, p.Ended("parley did not start")
}
