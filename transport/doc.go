// Package transport serves channels over HTTP in four ways: poll, long poll, Server-Sent Events (SSE) and WebSocket.
//
// # One read, four ways
//
// All four are the same read, of one URL: what is after position P, at most this much, waiting at most so long. They differ
// only in who waits.
//
//	             asked by                      waits              one answer is             comes back with
//	poll         GET …/messages?after=P        nobody             a batch, or 304           ?after=P, If-None-Match: "P"
//	long poll    …&wait=25                     the request        a batch, or 304           the same
//	SSE          Accept: text/event-stream     the answer         an event a batch          Last-Event-ID: P
//	WebSocket    Upgrade: websocket            the connection     a text message a batch    ?after=P, or subscribe with after
//
// Nothing of a reader is kept on the server between two requests: its position is in its own hands. So it may change the
// transport, or the node, in the middle of a channel, and misses nothing and sees nothing twice. A batch is the same JSON
// on every transport; docs/protocol.md is the contract.
//
// # The life of a request
//
// [Site].CheckOrigin and Person are asked; the URL is parsed strictly into a query (query.go); the transport is negotiated (negotiate.go:
// Upgrade before Accept before wait); [Site].MayRead is asked for every channel, and one refusal refuses all; then a
// channel.Reader is opened at the positions. A poll takes what is ready. A long poll takes what comes next, and a
// moment later looks again (Options.Gather). A stream (stream.go) goes on taking, with a heartbeat after silence, and asks
// for its rights again before it shows anything when Site.Generation has changed.
//
// # Silent clients
//
// Whoever is silent has no goroutine and no buffer. A WebSocket (websocket.go, session.go) is a websocket.Server's; on Linux, through
// [Transport.Front] and without TLS, also a waiting poll and an SSE stream are taken from net/http (parked_poll_linux.go, parked_sse_linux.go), and all
// of them wait on one set of event loops (package internal/loop), whose timers are the heartbeats. The hub wakes the loop, and what
// is in memory is delivered there; what the database must be asked for, and commands, have a goroutine that ends when there is nothing more,
// and while it works nothing else is delivered to that client. When a poll is answered its connection waits on. If the client's next request is the same again, but for
// the positions (repeated.go), it is answered there (regular_linux.go); any other goes back to net/http with the connection. Connections that do
// nothing but poll, without waiting, are taken too. Elsewhere each of them has a goroutine (sse.go, longpoll.go); all else is the same.
//
// # Slow and lost clients
//
// A stream holds a position, never a queue: while a client has not taken what was written, nothing more is read for it from the log. When
// 32 KiB are not accepted within Options.WriteTimeout the connection is closed, and only it; the client comes back to its
// position. On a WebSocket also commands wait then, as they do while 256 publishes are not committed yet. Publishes
// of one WebSocket are committed and answered in the order sent, and those received are carried out even if the client has left; where
// one fails by the server's fault (5xx), those that wait behind it fail with it, so that sending all of them again keeps their order.
//
// # Limits
//
// Bodies and commands: Options.BodyLimit. A URL names at most 100 channels, a WebSocket reads at most channel.Options.MaxChannels.
// A batch has at most 1,000 messages, one answer about 1 MiB, and one delivery of a stream about 256 KiB: the next one follows
// at once. Open streams and waiting polls are counted by Site.Hold, publishes and signals by Site.Allow. After 16 malformed
// commands in a row a WebSocket is closed with 1008.
//
// Polls are advised of a cadence by Retry-After: 0 s while the limit cuts the answer, 2 s when there was something, 5 s
// when there was nothing.
package transport
