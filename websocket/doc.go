// Package websocket is the WebSocket protocol (RFC 6455), server and client.
//
// # What a WebSocket is
//
// HTTP is one question and one answer. A WebSocket is one TCP connection over which both sides send messages whenever they like. It
// begins as an HTTP request, so that it passes the same ports, servers and proxies.
//
// # The opening handshake
//
// The client asks an HTTP server to change the protocol (section 4):
//
//	GET /chat HTTP/1.1
//	Host: example.com
//	Upgrade: websocket
//	Connection: Upgrade
//	Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==          16 random bytes
//	Sec-WebSocket-Version: 13
//	Origin: https://example.com                          browsers: whose page asks
//	Sec-WebSocket-Protocol: chat.v2, chat.v1             if the application has its own protocols
//
// and the server agrees:
//
//	HTTP/1.1 101 Switching Protocols
//	Upgrade: websocket
//	Connection: Upgrade
//	Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=   base64(SHA-1(key + a fixed string))
//	Sec-WebSocket-Protocol: chat.v2
//
// The accept value proves that the server understood the question, and is not some other program that a page tricked the browser into
// talking to. From the next byte on there are only frames. [Accept] is the server's side of this, [Dial] the client's.
//
// Browsers let any page open a WebSocket to any server and send the user's cookies along. It is the server that must look at the Origin:
// Accept lets in pages of the request's own host, and others only if [AcceptOptions] name them.
//
// # Frames
//
// A message is sent as one frame, or as several (section 5.2). A frame is a header of 2 to 14 bytes and its payload:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-------+-+-------------+-------------------------------+
//	|F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//	|I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//	|N|V|V|V|       |S|             |   (if payload len is 126/127) |
//	| |1|2|3|       |K|             |                               |
//	+-+-+-+-+-------+-+-------------+-------------------------------+
//	|       Masking key, if MASK is set (4 bytes)   | Payload …     |
//	+-----------------------------------------------+---------------+
//
// FIN marks the last frame of its message. RSV1–3 are zero unless an extension uses them. The opcode is 1 for text, 2 for binary, 0 for
// a frame that continues a message, 8 for Close, 9 for Ping, 10 for Pong. "Hello" as text from a server is 81 05 48 65 6c 6c 6f.
//
// Lengths up to 125 stand in the 7 bits; 126 there means that the next 2 bytes are the length, 127 the next 8; always the shortest form
// that fits.
//
// A client masks each frame: it XORs the payload with 4 random bytes that it puts in the header (section 5.3). This hides nothing. It
// keeps a page from choosing the bytes that go over the wire, with which it could make a careless proxy see and cache an HTTP request
// that never was. A server never masks.
//
// Text must be UTF-8. Control frames (Close, Ping, Pong) have at most 125 bytes and may come between the frames of a message; a Ping is
// answered with a Pong of the same payload.
//
// # Closing
//
// Who wants to end sends a Close frame with a status code and a reason; the other answers with one; then the server closes the TCP
// connection (section 7). [Conn.Close] does that. A peer that breaks a rule is sent a Close frame that says which: 1002 for the protocol,
// 1007 for text that is not UTF-8, 1009 for a message too big; the Read here returns a [*ProtocolError]. What the peer said in its Close
// frame is in a [*CloseError], with 1006 if there was none because the connection broke. 4000–4999 are the application's own codes.
//
// # Using a Conn
//
// A connection is read by one goroutine at a time and written by any. Somebody should read throughout, since reading is what answers pings
// and notices the end; [Conn.CloseRead] does it for who has nothing to read. End with Close or CloseNow, best deferred: it
// is safe to call them more than once and after errors.
//
//	c, err := websocket.Accept(w, r, nil)
//	if err != nil {
//		return // the client was told
//	}
//	defer c.CloseNow()
//	for m, err := range c.Messages(r.Context()) {
//		…
//	}
//
// Cancelling the context of a Read is harmless. Cancelling that of a Write is too, until its message has begun to be sent; then the
// connection is closed, since half a frame cannot be taken back.
//
// # Handlers in place of a goroutine
//
// For servers with very many clients there is a second form: a [Server] calls the functions of its [Handler] when something happens.
//
//	s := &websocket.Server{Handler: websocket.Handler{
//		OnMessage: func(c *websocket.Conn, typ websocket.MessageType, data []byte) {
//			c.Write(context.Background(), typ, data)
//		},
//	}}
//	http.Handle("/ws", s)
//
// On Linux, over plain TCP, a few event loops do all the reading and writing: a silent connection costs about 1 KB instead of the 4 KB or more that
// it costs with a goroutine. Everywhere else, and with TLS or Server.Goroutines, each connection has a goroutine; all else is the
// same. On a loop the handlers must not block. Take the blocking form where the code reads better from top to bottom, where handling a
// message waits for something, or where connections are few; take handlers for tens of thousands of connections that are mostly silent.
//
// What an application does for a connection because of something else than a message, it does in OnWake, which [Conn.Wake] makes be called; later with
// [Conn.WakeAfter], and once a slow peer has taken everything with [Conn.WakeDrained]. Who is not done with what a peer has sent lets it
// wait with [Conn.Pause]. So a server like Parley delivers to ten thousands of clients without a goroutine for any of them.
//
// In both forms a message for many is best encoded once, by [Prepare], and given to each connection by [Conn.Send], which never waits: it says
// Full when SendLimit bytes wait for a slow peer. What piles up for a connection goes out as one write; so do the answers to all
// messages that one read brought.
//
// # A port of its own
//
// Under net/http a WebSocket costs most when it is opened. [Server.ServeListener] takes a listener itself: on Linux the loops accept, read the
// handshake and answer it, with no goroutine and none of what net/http keeps for a request. It opens about twice as many connections in the same time.
//
//	s := &websocket.Server{
//		OnRequest: func(r *http.Request, answer http.Header) (any, error) { return user(r) }, // who it is, or why not
//		Run:       func(c *websocket.Conn) { … c.Value() … },                                 // or Handler
//		Fallback:  http.DefaultServeMux,                                                      // pages, on the same port
//	}
//	err := s.ServeListener(listener)
//
// With Run in place of the Handler's functions each connection has a goroutine that reads and writes as after Accept.
//
// Only a request that is a handshake beyond doubt is read there: a GET over HTTP/1.1, complete in one read, without a body, in the plainest syntax.
// Everything else is left to net/http with all its bytes, so that no second reader of HTTP has an opinion on where a request ends.
//
// # Limits, all on by default
//
//   - a message: 1 MiB (ReadLimit), refused when its header announces more, before any memory is taken for it;
//   - the time from a message's first byte to its last: 60 s (MessageTimeout);
//   - a silent peer: pinged after 30 s (PingInterval), left 15 s later (PongTimeout);
//   - a peer that takes nothing: left after 10 s of one write (WriteTimeout); for one that is slow, 1 MiB waits (SendLimit);
//   - the closing handshake: 5 s (CloseTimeout); the opening one, of Dial and ServeListener: 30 s (HandshakeTimeout), and 16 KiB (MaxHeaderBytes).
//
// Nothing grows with what a peer does: who sends pings and takes no pongs is not read any further, and left after WriteTimeout. A connection that is silent holds no buffer and no goroutine of ours; keepalive is a timer.
//
// What comes before the handshake is otherwise bounded by the HTTP server: set http.Server.ReadHeaderTimeout, or a client that opens TCP and says nothing
// stays for ever.
//
// # Compression
//
// With the extension permessage-deflate (RFC 7692) a message's payload is compressed by DEFLATE, and the bit RSV1 of its first frame says so. It is
// off unless [Compression] in the options asks for it. The client offers it in the handshake, the server answers with what it takes:
//
//	Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
//	Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12
//
// With [CompressionNoTakeover] each message is compressed by itself, and a connection keeps nothing for it. With [CompressionTakeover] a message
// may refer to those before it, and small messages that are alike become much smaller; for this a connection keeps the last 2^WindowBits
// bytes it has sent and as many it has received: at most 4 KiB each by default, 8 KiB in all while it is idle. Compressors and
// decompressors are borrowed for the time of a message. A peer that has begun to send a compressed message makes its receiver hold 24 KiB
// until the message is complete, 72 KiB with windows of 15 bits (the default without takeover); MessageTimeout bounds for how long.
//
// Messages below the Threshold of 128 bytes and all control frames are sent as they are. What [Prepare] has prepared is compressed once for all
// connections, also with takeover: it is compressed without reference to anything before it, and later messages may refer to it.
//
// ReadLimit counts what a message has become, while it is decompressed: a bomb is refused with 1009 when it reaches the limit. Text is checked
// to be UTF-8 then too. Data that is not DEFLATE, or refers back beyond the window agreed on, is refused with 1007.
//
// # Over HTTP/2
//
// A browser that has an HTTP/2 connection to a server can open WebSockets as streams of it (RFC 8441). The request is then CONNECT with :protocol
// websocket, without Upgrade and Key, the answer 200; all else is the same, and [Accept] takes either. A server must announce that it can:
// import parley/websocket/enablehttp2 for that, and let CONNECT through to the handler. The handler must stay until the connection has ended.
//
// # Streams and tests
//
// [NetConn] makes a net.Conn of a connection, for protocols that are made for TCP. [Pipe] makes both ends of a connection in memory, for tests,
// also in a bubble of testing/synctest.
//
// # Inside
//
// The protocol is a machine without I/O (machine.go): bytes in, events out, the same events however the bytes are cut. Around it, Conn
// does the waiting (receive.go, write.go), on Linux and other Unix systems with the socket's own system calls, so that a buffer is taken from
// a pool only once there are bytes for it; or a loop around epoll, of which a Server has one for each processor (loop_linux.go). A port of its own
// is in listener.go and listener_linux.go, the sockets of goroutines there in polled_linux.go. What waits to be sent is in output.go. CONFORMANCE.md lists the rules of the RFC with the tests that hold them.
//
// Not supported: HTTP/2 for clients (Dial speaks HTTP/1.1).
package websocket
