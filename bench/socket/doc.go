// Package socket has the raw sockets of a load: no scheduler, no net.Conn, so that the load stays cheap beside the server
// that it measures. One goroutine uses them, with epoll. Linux only.
package socket
