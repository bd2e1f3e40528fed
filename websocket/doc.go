// Package websocket is the WebSocket protocol (RFC 6455), server and client.
package websocket
