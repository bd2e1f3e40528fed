package transport

import (
	"net/http/httptest"
	"testing"
)

// CONNECT is routed for WebSockets over HTTP/2 alone; it is no other way to poll.
func TestConnectIsForWebSocketsOverHTTP2(t *testing.T) {
	r := httptest.NewRequest("CONNECT", "/v1/messages", nil)
	if _, err := negotiate(r, query{}); err == nil {
		t.Fatal("a CONNECT over HTTP/1.1 is answered")
	}
	r.ProtoMajor, r.ProtoMinor = 2, 0
	if _, err := negotiate(r, query{}); err == nil {
		t.Fatal("a CONNECT without :protocol is answered")
	}
	r.Header.Set(":protocol", "websocket")
	if way, err := negotiate(r, query{}); way != overWebSocket || err != nil {
		t.Fatal(way, err)
	}
	if _, err := negotiate(r, query{history: true}); err == nil {
		t.Fatal("a WebSocket of the past")
	}
}
