// Command groupchat is a chat room: what one says reaches all the others.
package main

import (
	"context"
	"embed"
	"encoding/json"
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
	addr := flag.String("addr", "127.0.0.1:9002", "`host:port` to listen on; port 0 is any free one")
	origin := flag.String("origin", "", "further `hosts` whose pages may connect, with spaces between; * for all, and for pages on a disk")
	flag.Parse()
	named, nameless := newRoom(), newRoom()
	sockets := &websocket.Server{
		Options: websocket.AcceptOptions{OriginPatterns: strings.Fields(*origin)},
		Handler: websocket.Handler{OnOpen: open, OnMessage: message, OnClose: closed},
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws/{nickname}", func(w http.ResponseWriter, r *http.Request) {
		nickname := r.PathValue("nickname")
		if utf8.RuneCountInString(nickname) > 40 || !utf8.ValidString(nickname) {
			http.Error(w, "a nickname has at most 40 characters", http.StatusBadRequest)
			return
		}
		sockets.Serve(w, r, &member{room: named, nickname: nickname})
	})
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		sockets.Serve(w, r, &member{room: nameless})
	})
	static := http.FileServerFS(files)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:")
		static.ServeHTTP(w, r)
	})
	if err := serve(*addr, mux, sockets); err != nil {
		log.Fatalf("groupchat: %v; choose another --addr", err)
	}
}

// The three events of a connection. Who speaks is who connected: nothing that a message claims can change it.

func open(c *websocket.Conn) {
	m := c.Value().(*member)
	m.room.join(c, m.nickname)
}

func message(c *websocket.Conn, typ websocket.MessageType, data []byte) {
	m := c.Value().(*member)
	if typ != websocket.MessageText {
		c.Close(websocket.StatusUnsupportedData, "this room takes text")
		return
	}
	if m.nickname != "" {
		data, _ = json.Marshal(said{Sender: m.nickname, Msg: string(data)})
	}
	m.room.say(c, websocket.Prepare(websocket.MessageText, data)) // encoded once, for all
}

func closed(c *websocket.Conn, _ error) {
	c.Value().(*member).room.leave(c)
}

// member is what the server keeps with a connection.
type member struct {
	room     *room
	nickname string
}

type said struct {
	Sender string `json:"sender"`
	Msg    string `json:"msg"`
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
