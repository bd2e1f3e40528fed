// Package enablehttp2 lets browsers open WebSockets over HTTP/2 (RFC 8441) to the net/http servers of a program. Import it for that:
//
//	import _ "parley/websocket/enablehttp2"
//
// A browser does so only if the server's SETTINGS say that it may (SETTINGS_ENABLE_CONNECT_PROTOCOL), and net/http says it only if the environment
// variable GODEBUG has http2xconnect=1 when the process begins: many a WebSocket library cannot take such requests, and pages that worked
// over HTTP/1.1 would fail. (A //go:debug line does not help: the go command does not know this setting.) This package sets the variable before
// net/http looks at it, unless it has an http2xconnect already: who runs the program can say http2xconnect=0. Setting the variable
// outside does the same as importing the package.
//
// That it comes first is no luck. Packages are initialised in the order of their paths as soon as what they import is (the Go
// specification, "Program initialization"); this one imports only os and strings, and net/http waits for packages whose paths begin with vendor/.
//
// The handler must then take the method CONNECT: with http.ServeMux, a pattern "GET /chat" needs a "CONNECT /chat" beside it.
package enablehttp2

import (
	"os"
	"strings"
)

func init() {
	if settings := os.Getenv("GODEBUG"); !strings.Contains(settings, "http2xconnect=") {
		os.Setenv("GODEBUG", strings.TrimPrefix(settings+",http2xconnect=1", ","))
	}
}
