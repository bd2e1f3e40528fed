package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/process"
)

// nchanModule is where Debian's package libnginx-mod-nchan puts it.
const nchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so"

// findNchan returns nginx's program. Where the module is not there, it is installed if that is possible without asking.
func findNchan(b *bench) (string, error) {
	if _, err := os.Stat(nchanModule); err != nil {
		if !b.install {
			return "", errors.New("the package libnginx-mod-nchan is not installed")
		}
		command := []string{"apt-get", "install", "-y", "--no-install-recommends", "libnginx-mod-nchan"}
		if os.Geteuid() != 0 {
			command = append([]string{"sudo", "-n"}, command...)
		}
		if err := process.Quietly(exec.Command(command[0], command[1:]...)); err != nil {
			return "", err
		}
	}
	for _, program := range []string{"nginx", "/usr/sbin/nginx"} {
		if found, err := exec.LookPath(program); err == nil {
			return found, nil
		}
	}
	return "", errors.New("the module is there, but not nginx")
}

const nchanConf = `load_module ` + nchanModule + `;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid nginx.pid;
events { worker_connections 19000; }
http {
	access_log off;
	keepalive_requests 1000000000;
	keepalive_timeout 1h;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	nchan_max_reserved_memory 1G;
	server {
		listen %s backlog=4096;
		location ~ ^/pub/(.+)$ {
			nchan_publisher;
			nchan_channel_id $1;
			nchan_message_buffer_length 10000;
			nchan_message_timeout 1h;
		}
		location ~ ^/sub/(.+)$ {
			nchan_subscriber websocket eventsource longpoll;
			nchan_channel_id $1;
			nchan_subscriber_first_message newest;
		}
	}
}
`

// startNchan starts nginx with one worker, which is what is measured.
func startNchan(b *bench, program string) (*server, error) {
	folder, err := os.MkdirTemp(b.at.Cache, "nginx-")
	if err != nil {
		return nil, err
	}
	tidy := func() { _ = os.RemoveAll(folder) }
	s, err := nginx(b, program, folder)
	if err != nil {
		tidy()
		return nil, err
	}
	s.tidy = tidy
	return s, nil
}

func nginx(b *bench, program, folder string) (*server, error) {
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	host := free.Addr().String()
	free.Close()
	conf := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nchanConf, host), 0o644); err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddrPort(host)
	if err != nil {
		return nil, err
	}
	p, err := process.Start(b.core, program, "-p", folder, "-c", conf)
	if err != nil {
		return nil, err
	}
	for range 100 {
		time.Sleep(20 * time.Millisecond)
		if pid := worker(p.PID()); pid != 0 && answers(host) {
			return &server{site: nchan{host: host}, process: p, pid: pid, addr: addr}, nil
		}
	}
	return nil, p.Ended("nginx did not start")
}

// worker is the first child of a process, 0 if it has none yet.
func worker(master int) int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", master, master))
	first, _, _ := strings.Cut(string(children), " ")
	pid, _ := strconv.Atoi(first)
	return pid
}

func answers(host string) bool {
	c, err := net.Dial("tcp4", host)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// nchan is its dialect.
type nchan struct{ host string }

func (s nchan) People(*load.Load, int) error { return nil }

func (s nchan) Channels(_ *load.Load, n int) ([]string, error) {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("room-%d", i))
	}
	return names, nil
}

func (s nchan) Begin(*load.Load, string, load.Transport) ([]byte, error) { return nil, nil }

func (s nchan) headers() string {
	return "Host: " + s.host + "\r\nUser-Agent: bench\r\nAccept-Language: en-US,en;q=0.9\r\n"
}

func (s nchan) Publish(channel string, _ int, data load.Data) request {
	head := fmt.Sprintf("POST /pub/%s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", channel, s.headers(), len(data))
	return newRequest(head, "", data, "")
}

func (s nchan) Published(h *load.Head, body []byte) error {
	if h.Status != 201 && h.Status != 202 { // 202: nobody listens
		return fmt.Errorf("a publish was answered %d: %s", h.Status, body)
	}
	return nil
}

// Ask asks from a position, which is the last answer's time of modification and tag.
func (s nchan) Ask(r *load.Reader) []byte {
	how := map[load.Transport]string{load.WebSocket: load.Upgrade, load.SSE: "Accept: text/event-stream\r\n", load.LongPoll: "Accept: application/json\r\n"}[r.Transport]
	return []byte("GET /sub/" + r.Channel + " HTTP/1.1\r\n" + s.headers() + how + string(r.Position) + "\r\n")
}

// Opened: Nchan subscribes before it answers.
func (s nchan) Opened(*load.Reader) (bool, error) { return true, nil }

func (s nchan) Answer(r *load.Reader, h *load.Head) error {
	r.Position = fmt.Appendf(r.Position[:0], "If-Modified-Since: %s\r\nIf-None-Match: %s\r\n", h.LastModified, h.ETag)
	return nil
}

func (s nchan) Message(r *load.Reader, p []byte) error {
	n, err := r.Messages(p)
	if err == nil && n != 1 {
		err = fmt.Errorf("a reader got %.300q", p)
	}
	return err
}
