// Package examples_test drives the six programs as processes, with clients that know nothing but the formats on the wire.
package examples_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come; it fails then.
const patience = 30 * time.Second

var names = []string{"echo", "groupchat", "directchat", "vote-poll", "vote-longpoll", "vote-websocket"}

var binaries string

// atOnce is how many tests run at once. What most of them do is wait: for holds of 10 s, for pings in the silence, for programs to end.
const atOnce = 12

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		err := flag.Set("test.parallel", strconv.Itoa(atOnce))
		if err != nil {
			panic(err)
		}
		if binaries, err = os.MkdirTemp("", "parley-examples-"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(binaries)
		args := []string{"build", "-o", binaries}
		if info, _ := debug.ReadBuildInfo(); info != nil {
			for _, s := range info.Settings {
				if s.Key == "-race" && s.Value == "true" {
					args = append(args, "-race") // races in the programs count as well
				}
			}
		}
		for _, name := range names {
			args = append(args, "./"+name)
		}
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// program is a running example.
type program struct {
	t    *testing.T
	addr string
	url  string
	cmd  *exec.Cmd
}

// start runs an example on a free port until the test ends; then it must end by itself, without a panic or a race.
func start(t *testing.T, name string, flags ...string) *program {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, name), append([]string{"--addr", "127.0.0.1:0"}, flags...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: cmd}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		text, _ := os.ReadFile(errs.Name())
		if strings.Contains(string(text), "DATA RACE") || strings.Contains(string(text), "goroutine ") {
			t.Errorf("%s says:\n%s", name, text)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	p.url = strings.TrimSpace(strings.TrimPrefix(line, "open "))
	p.addr = strings.TrimPrefix(p.url, "http://")
	if err != nil || p.addr == p.url {
		text, _ := os.ReadFile(errs.Name())
		t.Fatalf("%s prints %q, not where it is: %v\n%s", name, line, err, text)
	}
	return p
}

// curl runs the real curl and returns its output.
func (p *program) curl(args ...string) string {
	p.t.Helper()
	for i, arg := range args {
		if strings.HasPrefix(arg, "/") {
			args[i] = p.url + arg
		}
	}
	out, err := exec.Command("curl", append([]string{"-sS", "--max-time", "40"}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// get is a GET that must succeed.
func (p *program) get(path string) string {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s %v\n%s", path, resp.Status, err, body)
	}
	return string(body)
}

func TestPagesHaveAStrictPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		p := start(t, name)
		head := strings.ToLower(p.curl("-i", "/"))
		if !strings.Contains(head, "200 ok") || !strings.Contains(head, "content-security-policy: default-src 'self'; img-src data:") {
			t.Errorf("%s answers:\n%s", name, head)
		}
		for _, file := range []string{"/page.js", "/style.css"} {
			if p.get(file) == "" {
				t.Errorf("%s: %s is empty", name, file)
			}
		}
		for _, file := range []string{name + "/index.html", name + "/page.js"} {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "innerHTML =") || strings.Contains(string(text), "<script>") || strings.Contains(string(text), "onclick=\"") {
				t.Errorf("%s has what the policy forbids, or takes text for HTML", file)
			}
		}
	}
}

// TestEachIsShort: a program to be read is 60 to 150 lines, its other files are no longer, and the tutorial says how long they are.
func TestEachIsShort(t *testing.T) {
	lines := func(file string) int { return strings.Count(read(t, file), "\n") }
	for _, name := range names {
		files, _ := filepath.Glob(name + "/*.go")
		all := 0
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			n := lines(file)
			all += n
			if n > 150 || filepath.Base(file) == "main.go" && n < 60 {
				t.Errorf("%s has %d lines", file, n)
			}
		}
		row := fmt.Sprintf("| %s | %d | %d | %d |\n", name, lines(name+"/main.go"), all, lines(name+"/page.js"))
		for _, file := range tutorials {
			if !strings.Contains(read(t, file), row) {
				t.Errorf("%s should say %s", file, row)
			}
		}
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	t.Parallel()
	p := start(t, "echo")
	for _, name := range names {
		out, err := exec.Command(filepath.Join(binaries, name), "--addr", p.addr).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--addr") {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
