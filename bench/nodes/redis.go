package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"parley/bench/process"
)

// redis is a server of its own, that writes every command to its file and fsyncs it every second, as Parley wants it at least.
type redis struct {
	process *process.Process
	port    string
	dir     string
	conn    net.Conn
	answers *bufio.Reader
}

func startRedis(dir string) (*redis, error) {
	var why error
	for range 10 { // another may take the port first
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		p, err := process.Start("", "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "",
			"--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0", "--loglevel", "warning")
		if err != nil {
			return nil, fmt.Errorf("%w (Debian's package redis-server has it)", err)
		}
		ended := make(chan struct{})
		go func() { // what it says
			defer close(ended)
			for p.Lines.Scan() {
			}
		}()
		r := &redis{process: p, port: port, dir: dir}
		if why = r.await(ended); why == nil {
			return r, nil
		}
		why = p.Ended(why.Error())
	}
	return nil, why
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// await waits until the server answers.
func (r *redis) await(ended <-chan struct{}) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		select {
		case <-ended:
			return errors.New("redis-server ended")
		case <-time.After(5 * time.Millisecond):
		}
		if pong, err := r.do("PING"); err == nil && pong == "PONG" {
			return nil
		}
	}
	return errors.New("redis-server does not answer")
}

func (r *redis) stop() {
	if r.conn != nil {
		r.conn.Close()
	}
	r.process.Stop()
	_ = os.RemoveAll(r.dir)
}

// do sends a command, written as people type it, and returns the answer: a text, or a number.
func (r *redis) do(command string) (string, error) {
	if r.conn == nil {
		conn, err := net.Dial("tcp", "127.0.0.1:"+r.port)
		if err != nil {
			return "", err
		}
		r.conn, r.answers = conn, bufio.NewReader(conn)
	}
	if _, err := fmt.Fprintf(r.conn, "%s\r\n", command); err != nil {
		return "", err
	}
	line, err := r.answers.ReadString('\n')
	if err != nil {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" || line[0] == '-' {
		return "", fmt.Errorf("%s: Redis says %q", command, line)
	}
	if line[0] != '$' {
		return line[1:], nil
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil || n < 0 {
		return "", err
	}
	text := make([]byte, n+len("\r\n"))
	_, err = io.ReadFull(r.answers, text)
	return string(text[:n]), err
}

// commands is how many commands Redis has run, those that scripts run included, and how many scripts are among them.
func (r *redis) commands() (all, scripts int64, err error) {
	info, err := r.do("INFO commandstats")
	lines := bufio.NewScanner(strings.NewReader(info))
	for lines.Scan() {
		name, rest, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "cmdstat_"), ":calls=")
		if !ok || name == "info" || name == "ping" {
			continue // ours
		}
		calls, _, _ := strings.Cut(rest, ",")
		n, nerr := strconv.ParseInt(calls, 10, 64)
		err = errors.Join(err, nerr)
		if all += n; strings.HasPrefix(name, "eval") {
			scripts += n
		}
	}
	return all, scripts, err
}
