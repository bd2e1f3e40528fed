// Package client is the Go client of a Parley server: sign in, publish, read channels live, rooms, conversations and votes.
//
//	c, err := client.New("https://chat.example.com", client.Options{})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	if _, err := c.SignIn(ctx, "Ann"); err != nil {
//		return err
//	}
//	for m, err := range c.Subscribe(ctx, "room:lobby", client.FromStart()).Messages() {
//		…
//	}
//
// # Reading
//
// A Subscription reads one channel from a position on, live, and gives each message once and in order, across lost
// connections, restarts of the server and changes of transport. Its Position can be kept and given to After another day. What
// cannot be had any more comes as a *Gap, and reading goes on behind it.
//
// All subscriptions of a Client share one connection. It tries WebSocket, SSE, long poll and poll, takes the first through
// which something of the server's really arrives, and keeps trying the better ones while that one works. When it breaks, it
// comes back after a random part of a delay that doubles up to 30 seconds; what the server asks for (Retry-After, bye) is never
// undercut. By WebSocket at most 256 channels are read.
//
// Who reads slowly loses nothing and fills no memory: a subscription holds Options.Buffer messages, then its channel is not
// read any further, and later read again from the position it had. The other subscriptions do not wait for it.
//
// # Publishing
//
// Publish has one effect, however often it must be repeated; see there. It needs no subscription and no open connection.
//
// # Errors
//
// Whatever fails, fails with an *Error (errors.As), whose Code is stable: the server's (docs/protocol.md, "All error codes"), or
// network, unexpected, closed, bad_option. A cancelled context is wrapped in it, so errors.Is finds it.
//
// # Concurrency
//
// All methods of Client and Subscription may be called by any goroutine at any time. Close returns when every goroutine of the
// client has ended.
//
// # Inside
//
// The decisions are a state machine without I/O under one lock: connection.go (which transport), feeds.go and position.go
// (positions and the batch rule). Each transport is one link: socket.go, sse.go, polls.go. docs/client.md is the guide.
package client
