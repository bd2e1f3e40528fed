package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	heading    = regexp.MustCompile(`(?m)^(#+) `)
	docLink    = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
)

// TestShownCommandsWork runs every curl line of the documentation against a real server. In a block, what one line
// sets the next can use.
func TestShownCommandsWork(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, file := range append(files, "../../README.md", "../../README.zh-CN.md", "../../web/sdk/README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			t.Run(filepath.Base(file), func(t *testing.T) {
				s := startServer(t)
				script := "set -euo pipefail\ncurl() { command curl -sS --fail-with-body --max-time 20 \"$@\"; }\n" +
					strings.ReplaceAll(block[1], "http://127.0.0.1:8080", s.url)
				out, err := exec.Command("bash", "-c", script).CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%s\n%s", err, block[1], out)
				}
			})
			lines += strings.Count(block[1], "curl ")
		}
	}
	if lines < 15 {
		t.Errorf("only %d curl lines were found in the documentation", lines)
	}
}

// TestBothReadmesSayTheSame compares their headings, one for one.
func TestBothReadmesSayTheSame(t *testing.T) {
	var levels [2][]string
	for i, file := range []string{"../../README.md", "../../README.zh-CN.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
			levels[i] = append(levels[i], m[1])
		}
	}
	if strings.Join(levels[0], " ") != strings.Join(levels[1], " ") {
		t.Errorf("the headings differ:\n%v\n%v", levels[0], levels[1])
	}
}

// TestLinksOfTheDocumentationLeadSomewhere follows every relative link.
func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../../README.md", "../../README.zh-CN.md", "../../web/sdk/README.md", "../../websocket/CONFORMANCE.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range docLink.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(file), m[1])
			}
		}
	}
}

// TestEveryErrorCodeIsDocumented collects the codes that the program declares and looks for each in the protocol.
func TestEveryErrorCodeIsDocumented(t *testing.T) {
	protocol, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?:problem\.)?\bNew\(http\.Status\w+, "(\w+)"`)
	codes := map[string]bool{}
	err = filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
				codes[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(codes, "code_taken") // never leaves the package vote: another code is tried
	if len(codes) < 30 {
		t.Errorf("only %d codes were found", len(codes))
	}
	for code := range codes {
		if !strings.Contains(string(protocol), "`"+code+"`") {
			t.Errorf("docs/protocol.md does not list the code %s", code)
		}
	}
}

// TestBanner starts the program as a newcomer does and follows what it prints.
func TestBanner(t *testing.T) {
	s := startServer(t)
	s.prints("stop    Ctrl+C") // the last line: the server may answer before it has said so
	link := regexp.MustCompile(`http://\S+/admin#(\S+)`).FindStringSubmatch(s.out.String())
	if link == nil || !strings.Contains(s.out.String(), "open    "+s.url) || !strings.Contains(s.out.String(), "data    /") {
		t.Fatalf("the banner lacks something:\n%s", s.out)
	}
	ann := s.signIn("Ann")
	var answer struct{ User struct{ Admin bool } }
	if err := ann.insist("POST", "/v1/session/admin", map[string]string{"token": link[1]}, &answer); err != nil || !answer.User.Admin {
		t.Errorf("the link of the banner: %v, %+v", err, answer)
	}
	s.kill()
	s.start()
	s.prints("stop    Ctrl+C")
	if strings.Contains(s.out.String(), "/admin#") {
		t.Error("a link is printed though there is an administrator")
	}
	out, err := s.command("admin-link")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, token, _ := strings.Cut(strings.TrimSpace(out), "/admin#")
	if err := s.signIn("Bob").insist("POST", "/v1/session/admin", map[string]string{"token": token}, &answer); err != nil {
		t.Errorf("the link of admin-link: %v", err)
	}
}

// TestSettings: flag before variable before file before default, one set, and mistakes are named.
func TestSettings(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "parley.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := func(env string, args ...string) (string, error) {
		cmd := exec.Command(path, args...)
		cmd.Env = append(os.Environ(), env)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	write("addr = \"127.0.0.1:1\"\nkeep-rooms = 500\norigin = [\"https://a.example\", \"https://b.example\"]\n")
	for _, c := range []struct {
		name, env string
		args      []string
		want      string
	}{
		{"default", "X=", []string{"config"}, `#addr = "127.0.0.1:8080"`},
		{"file", "X=", []string{"--config", file, "config"}, `addr = "127.0.0.1:1"`},
		{"number in the file", "X=", []string{"--config", file, "config"}, `keep-rooms = "500"`},
		{"list in the file", "X=", []string{"--config", file, "config"}, `origin = "https://a.example,https://b.example"`},
		{"variable before file", "PARLEY_ADDR=127.0.0.1:2", []string{"--config", file, "config"}, `addr = "127.0.0.1:2"`},
		{"flag before variable", "PARLEY_ADDR=127.0.0.1:2", []string{"--config", file, "--addr", "127.0.0.1:3", "config"}, `addr = "127.0.0.1:3"`},
		{"file by variable", "PARLEY_CONFIG=" + file, []string{"config"}, `addr = "127.0.0.1:1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := config(c.env, c.args...)
			if err != nil || !strings.Contains(out, "\n"+c.want+"\n") {
				t.Errorf("%v: no line %s in\n%s", err, c.want, out)
			}
		})
	}
	out, err := config("X=", "--config", file, "config")
	if err != nil {
		t.Fatal(err)
	}
	write(out)
	if again, err := config("X=", "--config", file, "config"); err != nil || again != out {
		t.Errorf("what `parley config` prints is not what it reads: %v\n%s", err, again)
	}
	for _, c := range []struct {
		name, text string
		args       []string
		want       string
	}{
		{"unknown setting", "adr = \"x\"", []string{"config"}, `no setting "adr"`},
		{"not TOML", "addr = ", []string{"config"}, file},
		{"bad rate", "rate-publish = \"fast\"", []string{"config"}, `"fast" is not a rate`},
		{"bad address", "", []string{"--addr", "8080", "config"}, "addr"},
		{"bad duration", "", []string{"--grace", "soon", "config"}, `"soon" is not a duration`},
		{"half of TLS", "", []string{"--tls-cert", "x", "config"}, "belong together"},
		{"unknown command", "", []string{"srve"}, "srve"},
		{"unknown flag", "", []string{"--adr", "x"}, "adr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(c.text)
			out, err := config("X=", append([]string{"--config", file}, c.args...)...)
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v: nothing of %s in\n%s", err, c.want, out)
			}
		})
	}
}

// TestATakenPortSaysSo: the second server names the address and the flag, and leaves no folder behind.
func TestATakenPortSaysSo(t *testing.T) {
	s := startServer(t)
	path, _ := binary()
	folder := filepath.Join(t.TempDir(), "new")
	out, err := exec.Command(path, "--addr", strings.TrimPrefix(s.url, "http://"), "--data", folder).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--addr") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a folder was made")
	}
}

// TestSIGTERMLetsClientsGo: a waiting poll is answered, and the process ends by itself.
func TestSIGTERMLetsClientsGo(t *testing.T) {
	s := startServer(t)
	c := s.signIn("Ann")
	answered := make(chan error, 1)
	go func() {
		_, err := c.do("GET", "/v1/channels/room:lobby/messages?wait=60", nil, nil)
		answered <- err
	}()
	var here struct{ Count int }
	for here.Count == 0 {
		if err := c.insist("GET", "/v1/channels/room:lobby/presence", nil, &here); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the waiting poll: %v", err)
	}
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.out)
	}
	if _, err := http.Get(s.url); err == nil {
		t.Error("it still answers")
	}
}

// TestTheTestsOfThePromisesExist looks up every package.Name and file that docs/guarantees.md names.
func TestTheTestsOfThePromisesExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`([a-z/]+)\.((?:Test|[A-Z])[A-Za-z0-9]+)\b`).FindAllStringSubmatch(string(text), -1)
	if len(named) < 15 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		dir := map[string]string{"parley": "../..", "enginetest": "../../engine/enginetest"}[m[1]]
		if dir == "" {
			dir = "../../" + m[1]
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(source), "\nfunc "+m[2]+"(t *testing.T")
		}
		if !found {
			t.Errorf("there is no %s in %s", m[2], m[1])
		}
	}
}
