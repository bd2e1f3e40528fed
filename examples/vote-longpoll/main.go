// Command vote-longpoll is a live vote by long polling: a request waits at the server until a vote is cast.
package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"time"
)

//go:embed index.html page.js style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "index.html"))

var candidates = []candidate{{"1", "Tea", 0}, {"2", "Coffee", 0}, {"3", "Water", 0}}

type candidate struct {
	UID   string `json:"uid"`
	Name  string `json:"-"`
	Count int    `json:"count"`
}

// queues remember, for each visitor, which counts have changed since the visitor last asked. A queue is freed when its visitor
// has not asked for a minute.
type queues interface {
	join(ctx context.Context, visitor string) error
	vote(ctx context.Context, uid string) (count int, err error)
	next(ctx context.Context, visitor string, hold time.Duration) (uid string, count int, err error) // "" if nothing changed
	count(ctx context.Context, uid string) (int, error)
}

const freeAfter = time.Minute

func main() {
	addr := flag.String("addr", "127.0.0.1:9005", "`host:port` to listen on; port 0 is any free one")
	hold := flag.Duration("hold", 10*time.Second, "how long a request waits for a vote, at most 30s")
	redis := flag.String("redis", "", "keep queues and counts in the Redis at this `host:port`; default: in memory")
	flag.Parse()
	if *hold <= 0 || *hold > freeAfter/2 {
		log.Fatalf("vote-longpoll: --hold %s: it must be between 0 and %s", *hold, freeAfter/2)
	}
	var q queues = newMemory()
	if *redis != "" {
		var err error
		if q, err = newRedis(*redis); err != nil {
			log.Fatalf("vote-longpoll: no Redis at %s: %v", *redis, err)
		}
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("vote-longpoll: %v; choose another --addr", err)
	}
	fmt.Printf("open http://%s\n", l.Addr())
	s := &http.Server{Handler: pages(q, *hold), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(s.Serve(l))
}

func pages(q queues, hold time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		// The queue first and the counts second: a vote between the two is in both, and none is in neither. And a new queue for each
		// page: what a page that is gone still waits for cannot eat what its successor should get.
		if err := q.join(r.Context(), giveCookie(w)); err != nil {
			fail(w, http.StatusServiceUnavailable, err)
			return
		}
		list := make([]candidate, len(candidates))
		for i, c := range candidates {
			c.Count, _ = q.count(r.Context(), c.UID)
			list[i] = c
		}
		w.Header().Set("Cache-Control", "no-store")
		page.Execute(w, list)
	})
	mux.HandleFunc("GET /get_new_vote", func(w http.ResponseWriter, r *http.Request) {
		visitor, err := r.Cookie("visitor")
		if err != nil || len(visitor.Value) > 64 {
			visitor = &http.Cookie{Value: giveCookie(w)}
			err = q.join(r.Context(), visitor.Value)
		}
		var changed candidate
		if err == nil {
			changed.UID, changed.Count, err = q.next(r.Context(), visitor.Value, hold)
		}
		switch {
		case err != nil:
			fail(w, http.StatusServiceUnavailable, err)
		case changed.UID == "":
			answer(w, http.StatusOK, false, nil)
		default:
			answer(w, http.StatusOK, true, changed)
		}
	})
	mux.HandleFunc("POST /vote", func(w http.ResponseWriter, r *http.Request) {
		uid := uid(w, r)
		if !isCandidate(uid) {
			fail(w, http.StatusNotFound, fmt.Errorf("there is no candidate with the uid %q", uid))
			return
		}
		count, err := q.vote(r.Context(), uid)
		if err != nil {
			fail(w, http.StatusServiceUnavailable, err)
			return
		}
		answer(w, http.StatusOK, true, candidate{UID: uid, Count: count})
	})
	mux.Handle("GET /{file}", http.FileServerFS(files))
	protected := http.NewCrossOriginProtection().Handler(mux) // no other site's page votes for its visitors
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		protected.ServeHTTP(w, r)
	})
}
