// Command vote-websocket is a live vote by WebSocket: a vote is one small frame up, and one down to everybody.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"parley/websocket"
)

//go:embed index.html page.js style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "index.html"))

func main() {
	addr := flag.String("addr", "127.0.0.1:9006", "`host:port` to listen on; port 0 is any free one")
	origin := flag.String("origin", "", "further `hosts` whose pages may connect, with spaces between; * for all, and for pages on a disk")
	flag.Parse()
	v := newVote(candidate{"1", "Tea", 0}, candidate{"2", "Coffee", 0}, candidate{"3", "Water", 0})
	sockets := v.server(strings.Fields(*origin))
	if err := serve(*addr, pages(v, sockets), sockets); err != nil {
		log.Fatalf("vote-websocket: %v; choose another --addr", err)
	}
}

func pages(v *vote, sockets http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		page.Execute(w, v.all())
	})
	mux.HandleFunc("GET /message", func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsUpgrade(r) {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			http.Error(w, "use the WebSocket protocol (请使用WebSocket协议)", http.StatusUpgradeRequired)
			return
		}
		sockets.ServeHTTP(w, r)
	})
	mux.Handle("GET /{file}", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsUpgrade(r) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		}
		mux.ServeHTTP(w, r)
	})
}

// server is the vote as a WebSocket: what comes is a uid, as text or as {"uid"}; what goes to everybody is {"uid","count"}.
func (v *vote) server(origins []string) *websocket.Server {
	return &websocket.Server{
		Options: websocket.AcceptOptions{OriginPatterns: origins, ReadLimit: 1024},
		Handler: websocket.Handler{
			OnOpen: v.join,
			OnMessage: func(c *websocket.Conn, _ websocket.MessageType, data []byte) {
				if err := v.add(uid(data)); err != nil {
					c.Send(asJSON(map[string]string{"error": err.Error()}))
				}
			},
			OnClose: func(c *websocket.Conn, _ error) { v.leave(c) },
		},
	}
}

func uid(data []byte) string {
	var object struct{ UID json.RawMessage }
	if json.Unmarshal(data, &object) == nil {
		data = object.UID
	}
	return strings.Trim(string(data), `"`)
}

func asJSON(v any) *websocket.Prepared {
	data, _ := json.Marshal(v)
	return websocket.Prepare(websocket.MessageText, data)
}

// serve serves until the program is told to stop, and then lets everybody go: pages see the close code 1001.
func serve(addr string, h http.Handler, sockets *websocket.Server) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("open http://%s\n", l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return sockets.Shutdown(ctx)
}
