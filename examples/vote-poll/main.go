// Command vote-poll is a live vote by polling: the page asks for itself again every 2 seconds.
package main

import (
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed index.html page.js style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "index.html"))

func main() {
	addr := flag.String("addr", "127.0.0.1:9004", "`host:port` to listen on; port 0 is any free one")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("vote-poll: %v; choose another --addr", err)
	}
	fmt.Printf("open http://%s\n", l.Addr())
	s := &http.Server{Handler: pages(&vote{candidates: []candidate{{"1", "Tea", 0}, {"2", "Coffee", 0}, {"3", "Water", 0}}}), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(s.Serve(l))
}

// pages is the whole interface: the page, and the ticket to vote with.
func pages(v *vote) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		page.Execute(w, v.all())
	})
	mux.HandleFunc("POST /ticket", func(w http.ResponseWriter, r *http.Request) {
		count, err := v.add(uid(w, r))
		if err != nil {
			answer(w, http.StatusNotFound, map[string]any{"status": false, "error": err.Error()})
			return
		}
		answer(w, http.StatusOK, map[string]any{"status": true, "data": count})
	})
	static := http.FileServerFS(files)
	mux.HandleFunc("GET /{file}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600") // only the page itself changes every 2 s
		static.ServeHTTP(w, r)
	})
	protected := http.NewCrossOriginProtection().Handler(mux) // no other site's page votes for its visitors
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		protected.ServeHTTP(w, r)
	})
}

// uid reads whom the vote is for: from a form, as jQuery sends it, or from JSON, as axios does.
func uid(w http.ResponseWriter, r *http.Request) string {
	r.Body = http.MaxBytesReader(w, r.Body, 1024)
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return r.FormValue("uid")
	}
	var body struct{ UID json.RawMessage }
	json.NewDecoder(r.Body).Decode(&body) // what is no JSON has no uid, and the answer says so
	return strings.Trim(string(body.UID), `"`)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// vote counts. The lock makes "read, add one, write" one step: of two hundred votes at once, none is lost.
type vote struct {
	mu         sync.Mutex
	candidates []candidate
}

type candidate struct {
	UID   string `json:"uid"`
	Name  string `json:"-"`
	Count int    `json:"count"`
}

func (v *vote) add(uid string) (candidate, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range v.candidates {
		if c := &v.candidates[i]; c.UID == uid {
			c.Count++
			return *c, nil
		}
	}
	return candidate{}, fmt.Errorf("there is no candidate with the uid %q", uid)
}

func (v *vote) all() []candidate {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.candidates)
}
