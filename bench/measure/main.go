// Command measure starts a built server in an empty folder and measures what a person notices first: how soon it
// answers, what it costs while idle, how heavy its page is, and how many durable publishes a second it takes over HTTP.
//
//	go run ./measure ../bin/parley
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: measure path/to/parley")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

const rounds = 5

func run(binary string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	var starts []time.Duration
	for range rounds {
		s, err := start(binary)
		if err != nil {
			return err
		}
		starts = append(starts, s.ready)
		s.stop()
	}
	report("start to first answer (empty folder)", starts, func(d time.Duration) string { return d.Round(time.Millisecond).String() })

	s, err := start(binary)
	if err != nil {
		return err
	}
	defer s.stop()
	time.Sleep(3 * time.Second)
	rss, err := s.rss()
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %.1f MB\n", "idle memory (resident)", float64(rss)/1e6)
	if err := s.weigh("/"); err != nil {
		return err
	}
	token, err := s.guest()
	if err != nil {
		return err
	}
	for _, writers := range []int{1, 64} {
		var rates []float64
		for range rounds {
			r, err := s.publish(token, writers, 2*time.Second)
			if err != nil {
				return err
			}
			rates = append(rates, r)
		}
		report(fmt.Sprintf("durable publishes/s over HTTP, %d at once", writers), rates, func(r float64) string { return strconv.Itoa(int(r)) })
	}
	rss, err = s.rss()
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %.1f MB\n", "memory after that", float64(rss)/1e6)
	return nil
}

// report prints the median and the spread of several rounds.
func report[T int | float64 | time.Duration](what string, rounds []T, show func(T) string) {
	slices.Sort(rounds)
	fmt.Printf("%-44s %s (%s to %s, %d rounds)\n", what, show(rounds[len(rounds)/2]), show(rounds[0]), show(rounds[len(rounds)-1]), len(rounds))
}

type server struct {
	cmd   *exec.Cmd
	url   string
	data  string
	ready time.Duration
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func start(binary string) (*server, error) {
	data, err := os.MkdirTemp("", "parley-measure-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "--addr", "127.0.0.1:0", "--data", data, "--rate-publish", "off", "--rate-address", "off", "--rate-guest", "off")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, data: data}
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		s.url = address.FindString(lines.Text())
	}
	if s.url == "" {
		s.stop()
		return nil, fmt.Errorf("the server printed no address")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	r, err := http.Get(s.url + "/")
	if err != nil {
		s.stop()
		return nil, err
	}
	r.Body.Close()
	s.ready = time.Since(begun)
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.data)
}

// rss is the resident memory in bytes.
func (s *server) rss() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS")
}

var link = regexp.MustCompile(`(?:(?:src|href)="|from '|import '|import\(')([^"']+\.(?:js|css|svg|webmanifest))`)

// weigh fetches a page and all that it refers to, as a browser does, and prints the bytes that travelled.
func (s *server) weigh(page string) error {
	seen, queue, sent, plain := map[string]bool{page: true}, []string{page}, 0, 0
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		req, _ := http.NewRequest("GET", s.url+path, nil)
		req.Header.Set("Accept-Encoding", "gzip") // set by hand: the body stays as it came
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if resp.StatusCode != 200 {
			return fmt.Errorf("%s: %s", path, resp.Status)
		}
		sent += len(body)
		if resp.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				return err
			}
			if body, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		plain += len(body)
		for _, m := range link.FindAllSubmatch(body, -1) {
			ref, err := resp.Request.URL.Parse(string(m[1]))
			if err == nil && ref.Host == resp.Request.URL.Host && !seen[ref.Path] {
				seen[ref.Path] = true
				queue = append(queue, ref.Path)
			}
		}
	}
	fmt.Printf("%-44s %.1f KB sent, %.1f KB unpacked, %d requests\n", "page weight of "+page, float64(sent)/1e3, float64(plain)/1e3, len(seen))
	return nil
}

func (s *server) guest() (string, error) {
	resp, err := http.Post(s.url+"/v1/session", "application/json", strings.NewReader(`{"name":"Measure"}`))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var answer struct{ Token string }
	return answer.Token, json.NewDecoder(resp.Body).Decode(&answer)
}

// publish keeps so many publishers busy for a while, each waiting for its answer, and returns the answers a second.
func (s *server) publish(token string, writers int, d time.Duration) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	var done atomic.Int64
	var failure atomic.Value
	var wg sync.WaitGroup
	begun := time.Now()
	for range writers {
		wg.Go(func() {
			for time.Since(begun) < d && failure.Load() == nil {
				req, _ := http.NewRequest("POST", s.url+"/v1/channels/room:lobby/messages", strings.NewReader("a message of about sixty bytes, as people write them in a chat"))
				req.Header.Set("Content-Type", "text/plain")
				req.Header.Set("Authorization", "Bearer "+token)
				resp, err := client.Do(req)
				if err != nil {
					failure.Store(err)
					return
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 201 {
					failure.Store(fmt.Errorf("%s: %s", resp.Status, body))
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if err, ok := failure.Load().(error); ok {
		return 0, err
	}
	return float64(done.Load()) / time.Since(begun).Seconds(), nil
}
