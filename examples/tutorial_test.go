package examples_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var tutorials = []string{"../docs/from-polling-to-websocket.md", "../docs/from-polling-to-websocket.zh-CN.md"}

// documents are the tutorial and the programs' pages of instructions, each in English and Chinese.
func documents() [][2]string {
	list := [][2]string{{tutorials[0], tutorials[1]}}
	for _, name := range names {
		list = append(list, [2]string{name + "/README.md", name + "/README.zh-CN.md"})
	}
	return list
}

func blocks(text, tag string) []string {
	var list []string
	for _, m := range regexp.MustCompile("(?ms)^```"+tag+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestShownCommands does what the documents show after "$ ", and compares what comes with what they show; "…" is anything.
func TestShownCommands(t *testing.T) {
	t.Parallel()
	for _, pair := range documents() {
		for _, file := range pair {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				var ports []string // shown, real, shown, real
				commands, dir := 0, t.TempDir()
				for _, block := range blocks(read(t, file), "console") {
					for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
						command, want, _ := strings.Cut(part, "\n")
						commands++
						if rest, ok := strings.CutPrefix(command, "go run ./examples/"); ok {
							shown, real := startShown(t, strings.Fields(rest), want)
							ports = append(ports, shown, real)
							continue
						}
						script := strings.NewReplacer(ports...).Replace(command)
						cmd := exec.Command("bash", "-c", "curl() { command curl -sS --max-time 40 \"$@\"; }\n"+script)
						cmd.Dir = dir
						out, err := cmd.CombinedOutput()
						if err != nil || !matches(strings.ReplaceAll(string(out), "\r", ""), want) {
							t.Errorf("$ %s\n%s(%v), and the document shows\n%s", command, out, err, want)
						}
					}
				}
				if commands < 1 {
					t.Error("no command is shown")
				}
			})
		}
	}
}

// startShown starts a program as a document shows it, but on a free port; what it shows must be the port that would be the default.
func startShown(t *testing.T, words []string, want string) (shown, real string) {
	t.Helper()
	for i, flag := range words {
		if flag == "--redis" {
			words[i+1] = startRedis(t)
		}
	}
	p := start(t, words[0], words[1:]...)
	usage, _ := exec.Command(filepath.Join(binaries, words[0]), "-h").CombinedOutput()
	byDefault := regexp.MustCompile(`default "(127\.0\.0\.1:\d+)"`).FindStringSubmatch(string(usage))
	if byDefault == nil || strings.TrimSpace(want) != "open http://"+byDefault[1] {
		t.Fatalf("%s prints open http://%s, not %s", words[0], byDefault, want)
	}
	return byDefault[1], p.addr
}

func matches(got, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*")
	return regexp.MustCompile(`(?s)^` + pattern + `$`).MatchString(strings.TrimSpace(got))
}

// TestShownHandshake sends the tutorial's request, byte for byte, and gets its answer, byte for byte.
func TestShownHandshake(t *testing.T) {
	t.Parallel()
	p := start(t, "echo")
	for _, file := range tutorials {
		text := read(t, file)
		http := blocks(text, "http")
		if len(http) != 2 {
			t.Fatalf("%s has %d http blocks, not a request and its answer", file, len(http))
		}
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		want := strings.ReplaceAll(http[1], "\n", "\r\n") + "\r\n"
		fmt.Fprint(conn, strings.ReplaceAll(http[0], "\n", "\r\n")+"\r\n")
		got := make([]byte, len(want))
		if n, err := bufio.NewReader(conn).Read(got); err != nil || string(got[:n]) != want {
			t.Errorf("%s: it answers\n%s, and not\n%s", file, got[:n], want)
		}
		// The steps from the key to the proof.
		key := regexp.MustCompile(`Sec-WebSocket-Key: (\S+)`).FindStringSubmatch(http[0])[1]
		sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		for _, step := range []string{key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", fmt.Sprintf("% x", sum), base64.StdEncoding.EncodeToString(sum[:])} {
			if !strings.Contains(text, step) {
				t.Errorf("%s does not show %s", file, step)
			}
		}
	}
}

// TestShownFrames sends what stands after → to the echo server, and expects what stands after ←. "61×256" is a byte that often.
func TestShownFrames(t *testing.T) {
	t.Parallel()
	p := start(t, "echo")
	for _, file := range tutorials {
		all := blocks(read(t, file), "frames")
		if len(all) < 5 {
			t.Fatalf("%s shows %d exchanges of frames", file, len(all))
		}
		for _, block := range all {
			s := p.dial("/")
			for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
				line, _, _ = strings.Cut(line, "#")
				data := frameBytes(t, line)
				switch {
				case strings.HasPrefix(line, "→"):
					s.conn.Write(data)
				case strings.HasPrefix(line, "←"):
					got := make([]byte, len(data))
					n := 0
					for n < len(got) {
						k, err := s.r.Read(got[n:])
						if err != nil {
							t.Errorf("%s: %v after % x\n%s", file, err, got[:n], block)
							break
						}
						n += k
					}
					if !bytes.Equal(got, data) {
						t.Errorf("%s: it sends % .100x, and not\n%s", file, got, line)
					}
				}
			}
		}
	}
}

func frameBytes(t *testing.T, line string) (data []byte) {
	t.Helper()
	for _, word := range strings.Fields(line)[1:] {
		word, times, repeated := strings.Cut(word, "×")
		b, err := hex.DecodeString(word)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		n := 1
		if repeated {
			n, _ = strconv.Atoi(times)
		}
		data = append(data, bytes.Repeat(b, n)...)
	}
	return data
}

// TestShownSums computes every "48 xor 37 = 7f" of the tutorial.
func TestShownSums(t *testing.T) {
	for _, file := range tutorials {
		sums := regexp.MustCompile(`\b([0-9a-f]{2}) xor ([0-9a-f]{2}) = ([0-9a-f]{2})\b`).FindAllStringSubmatch(read(t, file), -1)
		if len(sums) < 5 {
			t.Errorf("%s shows %d sums", file, len(sums))
		}
		for _, m := range sums {
			a, _ := hex.DecodeString(m[1] + m[2] + m[3])
			if a[0]^a[1] != a[2] {
				t.Errorf("%s: %s", file, m[0])
			}
		}
	}
}

// TestLinesThatMatter: what the documents quote of the programs is what stands there.
func TestLinesThatMatter(t *testing.T) {
	for _, pair := range documents() {
		for _, file := range pair {
			quoted := blocks(read(t, file), "go")
			if len(quoted) == 0 {
				t.Errorf("%s quotes nothing", file)
			}
			for _, block := range quoted {
				source, code, _ := strings.Cut(block, "\n")
				program := read(t, strings.TrimPrefix(source, "// examples/"))
				plain := func(s string) string { return strings.Join(strings.Fields(s), " ") }
				if !strings.Contains(plain(program), plain(code)) {
					t.Errorf("%s: this is not in %s:\n%s", file, source, code)
				}
			}
		}
	}
}

// TestBothLanguagesSayTheSame: the same headings, pictures, code and links, in the same order.
func TestBothLanguagesSayTheSame(t *testing.T) {
	picture := regexp.MustCompile(`\]\(([^)]*\.(?:svg|png))\)`)
	for _, pair := range documents() {
		var shape [2]string
		for i, file := range pair {
			text := read(t, file)
			for _, m := range regexp.MustCompile("(?m)^(#+|```[a-z]*)( |$)").FindAllStringSubmatch(text, -1) {
				shape[i] += m[1] + " "
			}
			for _, m := range picture.FindAllStringSubmatch(text, -1) {
				shape[i] += strings.Replace(m[1], ".zh-CN", "", 1) + " "
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
		if shape[0] != shape[1] {
			t.Errorf("%s and %s differ:\n%s\n%s", pair[0], pair[1], shape[0], shape[1])
		}
	}
}

// TestReadmesAreShort: one screen.
func TestReadmesAreShort(t *testing.T) {
	for _, pair := range documents()[1:] {
		for _, file := range pair {
			if n := strings.Count(read(t, file), "\n"); n > 45 {
				t.Errorf("%s has %d lines", file, n)
			}
		}
	}
}
