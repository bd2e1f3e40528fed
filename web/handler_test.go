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
	"testing"
)

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
	Handler().ServeHTTP(w, r)
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

// Every page loads what its script imports at once, instead of import by import; and nothing that it does not need.
func TestPreloads(t *testing.T) {
	script := regexp.MustCompile(`<script type="module" src="/([^"]+)">`)
	preload := regexp.MustCompile(`<link rel="modulepreload" href="/([^"]+)">`)
	sheet := regexp.MustCompile(`<link rel="stylesheet" href="/([^"]+)">`)
	for _, name := range names(t, ".html") {
		page := read(t, name)
		want := map[string]bool{}
		imports(t, script.FindStringSubmatch(page)[1], want)
		for _, match := range preload.FindAllStringSubmatch(page, -1) {
			if !want[match[1]] {
				t.Errorf("%s preloads %s, which it does not import", name, match[1])
			}
			delete(want, match[1])
		}
		for missing := range want {
			t.Errorf("%s does not preload %s", name, missing)
		}
		for _, match := range sheet.FindAllStringSubmatch(page, -1) {
			if read(t, match[1]) == "" {
				t.Errorf("%s: %s is empty", name, match[1])
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

var imported = regexp.MustCompile(`(?m)^(?:import|export)\b[^'"]*?from\s+'(\.[^']+)'`)

func imports(t *testing.T, file string, into map[string]bool) {
	t.Helper()
	for _, match := range imported.FindAllStringSubmatch(read(t, file), -1) {
		if name := path.Join(path.Dir(file), match[1]); !into[name] {
			into[name] = true
			imports(t, name, into)
		}
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
