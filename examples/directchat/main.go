// Command directchat carries messages from one person to one other.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"parley/websocket"
)

//go:embed index.html page.js style.css
var files embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:9003", "`host:port` to listen on; port 0 is any free one")
	origin := flag.String("origin", "", "further `hosts` whose pages may connect, with spaces between; * for all, and for pages on a disk")
	flag.Parse()
	p := &post{present: map[string]*websocket.Conn{}}
	sockets := &websocket.Server{
		Options: websocket.AcceptOptions{OriginPatterns: strings.Fields(*origin)},
		Handler: websocket.Handler{
			OnOpen: func(c *websocket.Conn) {
				p.arrive(username(c), c)
			},
			OnMessage: func(c *websocket.Conn, _ websocket.MessageType, data []byte) {
				if refused := p.deliver(username(c), data); refused != nil {
					c.Send(answer(username(c), refused)) // to who wrote; nobody else is concerned, and nothing ends
				}
			},
			OnClose: func(c *websocket.Conn, _ error) {
				p.depart(username(c), c)
			},
		},
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws/{username}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("username")
		if utf8.RuneCountInString(name) > 40 || !utf8.ValidString(name) {
			http.Error(w, "a username has at most 40 characters", http.StatusBadRequest)
			return
		}
		sockets.Serve(w, r, name)
	})
	static := http.FileServerFS(files)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		static.ServeHTTP(w, r)
	})
	if err := serve(*addr, mux, sockets); err != nil {
		log.Fatalf("directchat: %v; choose another --addr", err)
	}
}

// username is what the connection was opened with.
func username(c *websocket.Conn) string { return c.Value().(string) }

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
