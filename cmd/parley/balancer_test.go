//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/engine/redis/redistest"
)

// TestBalancers puts each proxy, with its configuration file of deploy/, before two nodes without sticky sessions: all four transports get through
// to both, and nothing is lost or comes twice while one node is killed and comes back.
func TestBalancers(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T, []*server) string{"nginx": startNginx, "Caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := redistest.Start(t).URL()
			nodes := startNodes(t, engine, 2)
			url := start(t, nodes)
			meetsBoth(t, url)
			code, r, out := parleyVerify(t, func() {
				time.Sleep(2 * time.Second)
				nodes[1].kill()
				time.Sleep(time.Second)
				nodes[1].start()
			}, url, "--for", "6s", "--timeout", "3s")
			if code != 0 {
				t.Errorf("exit code %d\n%s", code, out)
			}
			enough(t, r)
			recountOn(t, nodes[0], engine)
		})
	}
}

// meetsBoth connects until both nodes have answered.
func meetsBoth(t *testing.T, url string) {
	t.Helper()
	var person struct{ Token string }
	if err := (client{url: url}).insist("POST", "/v1/session", map[string]string{"name": "who looks"}, &person); err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	redistest.Eventually(t, "connections meet both nodes", func() bool {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", url+"/v1/channels/room:lobby/messages", nil)
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Authorization", "Bearer "+person.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if _, rest, is := strings.Cut(lines.Text(), `"node":"`); is {
				node, _, _ := strings.Cut(rest, `"`)
				met[node] = true
				break
			}
		}
		return len(met) == 2
	})
}

// deployed is a configuration file of deploy/ with the addresses of a test in place of the examples'.
func deployed(t *testing.T, file string, nodes []*server, more ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	replace := more
	for i, s := range nodes {
		replace = append(replace, fmt.Sprintf("10.0.0.%d:8080", 11+i), strings.TrimPrefix(s.url, "http://"))
	}
	config := string(text)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(config, replace[i]) {
			t.Fatalf("deploy/%s has no %q", file, replace[i])
		}
		config = strings.ReplaceAll(config, replace[i], replace[i+1])
	}
	return config
}

func startNginx(t *testing.T, nodes []*server) string {
	dir, port := t.TempDir(), redistest.FreePort(t)
	config := fmt.Sprintf("daemon off; pid %[1]s/pid; error_log stderr; worker_processes 1;\nevents { worker_connections 1024; }\nhttp {\naccess_log off;\n", dir)
	if os.Geteuid() == 0 {
		config = "user root;\n" + config
	}
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += fmt.Sprintf("%s_temp_path %s/%s;\n", what, dir, what)
	}
	config += deployed(t, "nginx.conf", nodes, "listen 80;", fmt.Sprintf("listen 127.0.0.1:%d;", port)) + "}\n"
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("nginx")
	if errors.Is(err, exec.ErrNotFound) {
		program = "/usr/sbin/nginx" // not in everybody's PATH
	}
	return startProxy(t, port, exec.Command(program, "-p", dir, "-e", "stderr", "-c", file))
}

func startCaddy(t *testing.T, nodes []*server) string {
	dir, port := t.TempDir(), redistest.FreePort(t)
	config := "{\n\tadmin off\n}\n" + deployed(t, "Caddyfile", nodes, "chat.example.com", fmt.Sprintf("http://127.0.0.1:%d", port))
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", file)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	return startProxy(t, port, cmd)
}

// startProxy starts a proxy and waits until Parley answers through it.
func startProxy(t *testing.T, port int, cmd *exec.Cmd) string {
	t.Helper()
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("make setup installs it: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // nginx ends its workers
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the proxy wrote:\n%s", out)
		}
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	redistest.Eventually(t, "Parley answers through the proxy", func() bool {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
	return url
}
