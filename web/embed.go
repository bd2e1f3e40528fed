// Package web is the pages and the JavaScript client: plain HTML, CSS and ES modules, embedded, without a build step.
//
// Handler serves them. It knows nothing of the server behind: the pages speak to it through the client in sdk, which
// other sites may load from /sdk/parley.js as well.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.html manifest.webmanifest css js i18n icons sdk/*.js
var files embed.FS

// asset is one file, ready to be sent.
type asset struct {
	contentType string
	plain       []byte
	tag         string        // of the plain form; the compressed one has its own (RFC 9110, 8.8.3.3)
	zipped      func() []byte // made when first asked for, then kept
	cache       string        // what Cache-Control says
}

const (
	revalidate = "no-cache" // keep it, but ask whether it is still the same: a new version shows at once
	forever    = "public, max-age=31536000, immutable"
)

func newAsset(name string, content []byte, cache string) *asset {
	sum := sha256.Sum256(content)
	return &asset{
		contentType: types[path.Ext(name)],
		plain:       content,
		tag:         base64.RawURLEncoding.EncodeToString(sum[:12]),
		zipped:      sync.OnceValue(func() []byte { return compress(content) }),
		cache:       cache,
	}
}

// types by extension, so that no table of the operating system has a say in what a browser may run.
var types = map[string]string{
	".html":        "text/html; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".svg":         "image/svg+xml",
	".webmanifest": "application/manifest+json",
}

// load reads all embedded files, by path.
func load(files fs.FS) (map[string]*asset, error) {
	assets := map[string]*asset{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		assets[name] = newAsset(name, content, revalidate)
		return nil
	})
	return assets, err
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid, and a buffer takes everything
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

// serve answers with the asset, compressed where the client takes that, and with 304 where it has it already.
func (a *asset) serve(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	body, tag := a.plain, `"`+a.tag+`"`
	if acceptsGzip(r.Header) {
		body, tag = a.zipped(), `"`+a.tag+`-gz"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", tag)
	h.Set("Cache-Control", a.cache)
	if status == http.StatusOK && matches(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // net/http leaves it out for HEAD
}

// acceptsGzip reports whether gzip is named, and not refused by a weight of zero (RFC 9110, 12.5.3).
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}

// matches reports whether an If-None-Match names the tag, comparing weakly (RFC 9110, 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if candidate = strings.TrimSpace(candidate); candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
