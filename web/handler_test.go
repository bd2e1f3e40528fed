package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

var handler = sync.OnceValue(Handler)

func get(t *testing.T, address string, header http.Header) *http.Response {
	t.Helper()
	return request(t, http.MethodGet, address, header)
}

func request(t *testing.T, method, address string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, address, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	content, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		address, contentType, has string
		status                    int
	}{
		{"/", "text/html; charset=utf-8", "/js/app.js", 200},
		{"/r/lobby", "text/html; charset=utf-8", "/js/app.js", 200},
		{"/d/u7k2", "text/html; charset=utf-8", "/js/app.js", 200},
		{"/v/K7QM3", "text/html; charset=utf-8", "/js/votepage.js", 200},
		{"/v/K7QM3/present", "text/html; charset=utf-8", "/js/present.js", 200},
		{"/transports?vote=K7QM3", "text/html; charset=utf-8", "/js/transportspage.js", 200},
		{"/admin", "text/html; charset=utf-8", "/js/adminpage.js", 200},
		{"/favicon.svg", "image/svg+xml", "<svg", 200},
		{"/favicon.ico", "image/svg+xml", "<svg", 200},
		{"/manifest.webmanifest", "application/manifest+json", "Parley", 200},
		{"/css/tokens.css", "text/css; charset=utf-8", "--accent", 200},
		{"/js/app.js", "text/javascript; charset=utf-8", "import", 200},
		{"/i18n/zh.js", "text/javascript; charset=utf-8", "聊天", 200},
		{"/sdk/parley.js", "text/javascript; charset=utf-8", "Parley", 200},
		{"/icons/sprite.svg", "image/svg+xml", "symbol", 200},
		{"/nowhere", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
		{"/r/", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
		{"/js/", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
		{"/index.html", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
		{"/js/../embed.go", "text/html; charset=utf-8", "", 307}, // ServeMux cleans the path
		{"/embed.go", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
		{"/sdk/test/parley.test.js", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
		{"/package.json", "text/html; charset=utf-8", "/js/notfoundpage.js", 404},
	} {
		r := get(t, c.address, nil)
		if r.StatusCode != c.status || r.Header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: %d %q, want %d %q", c.address, r.StatusCode, r.Header.Get("Content-Type"), c.status, c.contentType)
		}
		if !strings.Contains(string(body(t, r)), c.has) {
			t.Errorf("%s lacks %q", c.address, c.has)
		}
	}
}

func TestOnlyReading(t *testing.T) {
	for _, address := range []string{"/", "/js/app.js", "/nowhere"} {
		r := request(t, http.MethodPost, address, nil)
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", address, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	if r := request(t, http.MethodHead, "/", nil); r.StatusCode != http.StatusOK || r.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD /: %d, Content-Length %q", r.StatusCode, r.Header.Get("Content-Length"))
	}
}

func TestSecurityHeaders(t *testing.T) {
	for _, address := range []string{"/", "/nowhere", "/js/app.js"} {
		h := get(t, address, nil).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %q lacks %q", address, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy allows something unsafe: %q", address, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", address, name, h.Get(name), want)
			}
		}
	}
}

func TestCompression(t *testing.T) {
	plain := get(t, "/js/app.js", nil)
	zipped := get(t, "/js/app.js", http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
	if zipped.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
		t.Fatalf("encodings: %q and %q", zipped.Header.Get("Content-Encoding"), plain.Header.Get("Content-Encoding"))
	}
	if plain.Header.Get("ETag") == zipped.Header.Get("ETag") {
		t.Error("both forms have one ETag")
	}
	if zipped.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Error("caches are not told that the form varies")
	}
	reader, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(content, body(t, plain)) {
		t.Errorf("the compressed form is another file (%v)", err)
	}
	if r := get(t, "/js/app.js", http.Header{"Accept-Encoding": {"gzip;q=0"}}); r.Header.Get("Content-Encoding") != "" {
		t.Error("gzip was sent although refused")
	}
}

func TestRevalidation(t *testing.T) {
	first := get(t, "/", nil)
	tag := first.Header.Get("ETag")
	if first.Header.Get("Cache-Control") != "no-cache" || tag == "" {
		t.Fatalf("Cache-Control %q, ETag %q", first.Header.Get("Cache-Control"), tag)
	}
	for _, header := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		r := get(t, "/", http.Header{"If-None-Match": {header}})
		if r.StatusCode != http.StatusNotModified || len(body(t, r)) != 0 || r.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d", header, r.StatusCode)
		}
	}
	if r := get(t, "/", http.Header{"If-None-Match": {`"other"`}}); r.StatusCode != http.StatusOK {
		t.Errorf("another ETag: %d", r.StatusCode)
	}
	if r := get(t, "/nowhere", http.Header{"If-None-Match": {"*"}}); r.StatusCode != http.StatusNotFound {
		t.Errorf("an absent page: %d", r.StatusCode)
	}
}

// The policy refuses inline script and style; the browser would only say so in its console.
func TestPagesHaveNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:[^>]*)>[^<]`)
	for _, name := range names(t, ".html") {
		content := read(t, name)
		if found := inline.FindString(content); found != "" {
			t.Errorf("%s has %q inline", name, found)
		}
		for _, tag := range regexp.MustCompile(`<script[^>]*>`).FindAllString(content, -1) {
			if !strings.Contains(tag, `type="module" src="/js/`) {
				t.Errorf("%s: %s", name, tag)
			}
		}
	}
	unsafe := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\('style'`)
	for _, name := range names(t, ".js") {
		if found := unsafe.FindString(read(t, name)); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

// Every page loads what its script imports at once, under its version, and every file of it is there.
func TestPagesLoadAtOnce(t *testing.T) {
	link := regexp.MustCompile(`(?:href|src)="(/-/[^"]+)"`)
	for address, module := range map[string]string{"/": "sdk/parley.js", "/v/K7QM3": "js/livevote.js", "/v/K7QM3/present": "js/livevote.js", "/transports": "js/traffic.js", "/admin": "js/names.js", "/nowhere": "js/dom.js"} {
		page := string(body(t, get(t, address, nil)))
		if strings.Count(page, `rel="stylesheet"`) != 1 {
			t.Errorf("%s has not one style sheet", address)
		}
		if !regexp.MustCompile(`modulepreload" href="/-/[\w-]+/` + module + `"`).MatchString(page) {
			t.Errorf("%s does not preload %s", address, module)
		}
		for _, match := range link.FindAllStringSubmatch(page, -1) {
			r := get(t, match[1], nil)
			if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != forever || len(body(t, r)) == 0 {
				t.Errorf("%s: %s: %d, Cache-Control %q", address, match[1], r.StatusCode, r.Header.Get("Cache-Control"))
			}
		}
	}
	// A page from before an update goes on working, and nothing of another version is kept under its name.
	old := get(t, "/-/older/js/app.js", nil)
	if old.StatusCode != http.StatusOK || old.Header.Get("Cache-Control") != revalidate {
		t.Errorf("a file of another version: %d, Cache-Control %q", old.StatusCode, old.Header.Get("Cache-Control"))
	}
	if r := get(t, "/-/older/js/nothing.js", nil); r.StatusCode != http.StatusNotFound {
		t.Errorf("no such file: %d", r.StatusCode)
	}
}

// Of a module nothing but comments is left out, and its lines keep their numbers.
func TestWithoutComments(t *testing.T) {
	module := "// a line\n/** one\n * two **/\nlet a = /** @type {B} */ (c) // kept\n  /** @type {D} */\nlet e = `\n  https://f`\n"
	want := "\n\n\nlet a = /** @type {B} */ (c) // kept\n\nlet e = `\n  https://f`\n"
	if got := string(withoutComments([]byte(module))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	template := regexp.MustCompile("`[^`]*`")
	for _, name := range names(t, ".js") {
		for _, text := range template.FindAllString(strings.ReplaceAll(string(withoutComments([]byte(read(t, name)))), "\\`", ""), -1) {
			if string(withoutComments([]byte(text))) != text {
				t.Errorf("%s: a text that looks like a comment would be cut: %s", name, text)
			}
		}
	}
}

// Every icon that is named outright is in the sprite.
func TestIcons(t *testing.T) {
	sprite := read(t, "icons/sprite.svg")
	named := regexp.MustCompile(`\b(?:icon|iconButton)\(\s*'([a-z-]+)'|\bicon: '([a-z-]+)'`)
	seen := 0
	for _, name := range names(t, ".js") {
		for _, match := range named.FindAllStringSubmatch(read(t, name), -1) {
			id := match[1] + match[2]
			seen++
			if !strings.Contains(sprite, `<symbol id="`+id+`"`) {
				t.Errorf("%s names the icon %q, which is not in the sprite", name, id)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d uses of icons found: does the pattern still fit?", seen)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func names(t *testing.T, extension string) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(files, ".", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == extension {
			found = append(found, name)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no files %s (%v)", extension, err)
	}
	slices.Sort(found)
	return found
}
