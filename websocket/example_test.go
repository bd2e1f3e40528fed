package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"parley/websocket"
)

// An echo server, and a client that talks to it.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // the client was told
		}
		defer c.CloseNow()
		for m, err := range c.Messages(r.Context()) {
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), m.Type, m.Data); err != nil {
				return
			}
		}
	}))
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("Hello")); err != nil {
		fmt.Println(err)
		return
	}
	kind, data, err := c.Read(ctx)
	fmt.Printf("%v %q %v\n", kind, data, err)
	fmt.Println(c.Close(websocket.StatusNormalClosure, "that was all"))
	// Output:
	// text "Hello" <nil>
	// <nil>
}

// A server with a port of its own: who the client is, is decided once, before it is let in; pages are on the same port.
func ExampleServer_ServeListener() {
	s := &websocket.Server{
		OnRequest: func(r *http.Request, answer http.Header) (any, error) {
			name := r.URL.Query().Get("name")
			if name == "" {
				return nil, &websocket.HandshakeError{Status: http.StatusUnauthorized, Code: "name", Text: "who are you?"}
			}
			return name, nil
		},
		Run: func(c *websocket.Conn) {
			ctx := context.Background()
			for m, err := range c.Messages(ctx) {
				if err != nil {
					return
				}
				c.Write(ctx, m.Type, fmt.Appendf(nil, "%v said %s", c.Value(), m.Data))
			}
		},
		Fallback: http.NotFoundHandler(),
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go s.ServeListener(ln)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer s.Shutdown(ctx)
	address := "ws://" + ln.Addr().String()
	_, _, err = websocket.Dial(ctx, address, nil)
	fmt.Println(err)
	c, _, err := websocket.Dial(ctx, address+"/?name=Ann", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Write(ctx, websocket.MessageText, []byte("hello"))
	_, data, _ := c.Read(ctx)
	fmt.Printf("%s\n", data)
	c.Close(websocket.StatusNormalClosure, "")
	// Output:
	// websocket: opening handshake: the server answered "401 Unauthorized" instead of 101
	// Ann said hello
}

// A server that lets pages of two more hosts in, and speaks a subprotocol.
func ExampleAccept() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsUpgrade(r) {
			http.Error(w, "this address speaks the WebSocket protocol", http.StatusUpgradeRequired)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols:   []string{"chat.v1"},
			OriginPatterns: []string{"www.example.com", "localhost:*"},
			ReadLimit:      64 << 10,
		})
		if err != nil {
			return
		}
		defer c.CloseNow()
		if c.Subprotocol() != "chat.v1" {
			c.Close(websocket.StatusPolicyViolation, "speak chat.v1")
		}
	}
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 426 this address speaks the WebSocket protocol
}

// How a connection ended.
func ExampleCloseError() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			c.Close(4001, "the room is full")
		}
	}))
	defer server.Close()

	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, _, err = c.Read(ctx)
	if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
		fmt.Println(int(closed.Code), closed.Reason)
	}
	// Output: 4001 the room is full
}

// A message that is too big to hold, streamed in both directions.
func ExampleConn_Writer() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{ReadLimit: 10 << 20})
		if err != nil {
			return
		}
		defer c.CloseNow()
		_, message, err := c.Reader(r.Context())
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, message)
		c.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, "%d bytes", n))
		c.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()

	ctx := context.Background()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	message, err := c.Writer(ctx, websocket.MessageBinary)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 100 {
		if _, err := message.Write(make([]byte, 10_000)); err != nil {
			break
		}
	}
	fmt.Println(message.Close())
	for m, err := range c.Messages(ctx) {
		fmt.Println(string(m.Data), err)
	}
	// Output:
	// <nil>
	// 1000000 bytes <nil>
}
