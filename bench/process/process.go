package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Process is a program that runs.
type Process struct {
	Cmd   *exec.Cmd
	Stdin io.WriteCloser
	Lines *bufio.Scanner // of its standard output
	said  bytes.Buffer   // on its standard error
}

// Start runs a program with GOMAXPROCS=1 on one core, or on any if core is "". Its standard error is kept for when it fails.
func Start(core string, command ...string) (*Process, error) {
	if core != "" {
		command = append([]string{"taskset", "-c", core}, command...)
	}
	p := &Process{Cmd: exec.Command(command[0], command[1:]...)}
	p.Cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.Cmd.Stderr = &p.said
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // none is left behind when we are killed
	stdout, err := p.Cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.Stdin, err = p.Cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.Lines = bufio.NewScanner(stdout)
	return p, p.Cmd.Start()
}

// Ended stops the process, and returns what it said in the end as an error.
func (p *Process) Ended(what string) error {
	p.Stop()
	return fmt.Errorf("%s: %s", what, bytes.TrimSpace(p.said.Bytes()))
}

// Stop kills the process, and its children if they are named, and waits for it.
func (p *Process) Stop(children ...int) {
	p.Stdin.Close()
	_ = p.Cmd.Process.Kill()
	for _, pid := range children { // they have our end of its standard error
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = p.Cmd.Wait()
}

// PID is the number of the process: taskset becomes the program.
func (p *Process) PID() int { return p.Cmd.Process.Pid }

// Quietly runs a command to its end; what it said is in the error.
func Quietly(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
