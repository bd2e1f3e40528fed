// Package serving is what the Go servers under measurement have in common: an address, a mode, a way to ask for their
// memory, and a room. Their handlers differ in nothing but the library.
package serving

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
)

// Deflate says how permessage-deflate shall be agreed to.
type Deflate string

// The modes of -deflate.
const (
	Off        Deflate = "off"
	NoTakeover Deflate = "no-takeover" // no context takeover in either direction
	Takeover   Deflate = "takeover"    // in both directions, if the client does not forbid it
)

// MaxMessage is the longest message that a server must take.
const MaxMessage = 1 << 20

// Main listens, says where, and serves. The process ends when its standard input does, so that no server is left behind.
// A line on standard input asks for the memory in use, after a collection.
func Main(serve func(l net.Listener, d Deflate) error) {
	deflate := flag.String("deflate", string(Off), "off, no-takeover or takeover")
	flag.Parse()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	fmt.Println(l.Addr())
	go func() { fail(serve(l, Deflate(*deflate))) }()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(settled())
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// settled returns the bytes of heap and stacks in use once everything unused is back with the kernel.
func settled() uint64 {
	for range 3 { // a collection halves a stack that is too big, once
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// HTTP serves the three paths with net/http. A handler returns once the connection is on a goroutine of its own: what
// net/http holds for a request is then free.
func HTTP(l net.Listener, echo, subscribe, publish http.HandlerFunc) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /echo", echo)
	mux.HandleFunc("GET /subscribe", subscribe)
	mux.HandleFunc("GET /publish", publish)
	return http.Serve(l, mux)
}
