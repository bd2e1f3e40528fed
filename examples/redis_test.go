package examples_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startRedis starts a redis-server of this test's own, in memory alone, and returns its address.
func startRedis(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (scripts/setup.sh installs redis-server)", err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// askRedis sends one command as a line and returns a status, number or bulk string.
func askRedis(t *testing.T, addr, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "%s\r\n", command)
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil || line[0] == '-' {
		t.Fatalf("%s: %v %s", command, err, line)
	}
	line = strings.TrimSpace(line)
	if line[0] != '$' {
		return line[1:]
	}
	n, _ := strconv.Atoi(line[1:])
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func flushRedis(t *testing.T, addr string) { askRedis(t, addr, "FLUSHALL") }

// TestRedisQueues looks into the Redis itself: a list for each visitor, waited for with BLPOP, bounded, and gone with its visitor.
func TestRedisQueues(t *testing.T) {
	t.Parallel()
	addr := startRedis(t)
	one, two := start(t, "vote-longpoll", "--redis", addr), start(t, "vote-longpoll", "--redis", addr)

	ann := one.browser()
	ann.loads()
	heard := make(chan voted)
	go func() { heard <- ann.asks() }()
	await(t, func() bool { return strings.Contains(askRedis(t, addr, "INFO clients"), "blocked_clients:1") })
	two.post("/vote", "1") // by another process
	(<-heard).is(t, "1", 1)
	if !strings.Contains(askRedis(t, addr, "INFO commandstats"), "cmdstat_blpop") {
		t.Error("nobody used BLPOP")
	}

	for range 30 {
		one.post("/vote", "1")
		one.post("/vote", "2")
	}
	home := ann.client.Jar.Cookies(mustParse(one.url))[0].Value
	if n := askRedis(t, addr, "LLEN vote:queue:"+home); n != "2" {
		t.Errorf("the queue has %s entries", n)
	}
	if ttl, _ := strconv.Atoi(askRedis(t, addr, "TTL vote:queue:"+home)); ttl < 1 || ttl > 60 {
		t.Errorf("the queue lives for another %d s", ttl)
	}
	// A minute later: the visitor has not asked since, and is forgotten by whoever comes next.
	askRedis(t, addr, fmt.Sprintf("ZADD vote:visitors %d %s", time.Now().Unix()-61, home))
	two.browser().loads()
	two.post("/vote", "3")
	if n := askRedis(t, addr, "ZCARD vote:visitors"); n != "1" {
		t.Errorf("%s visitors are remembered", n)
	}
	if n := askRedis(t, addr, "LLEN vote:queue:"+home); n != "2" { // nobody adds to it any more; it expires
		t.Errorf("the queue of one who left has %s entries", n)
	}
}

func TestNoRedisThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	out, err := exec.Command(binaries+"/vote-longpoll", "--addr", "127.0.0.1:0", "--redis", l.Addr().String()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no Redis at "+l.Addr().String()) {
		t.Errorf("%v: %s", err, out)
	}
}
