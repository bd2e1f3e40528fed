package websocket_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"parley/websocket"
)

// deflatePeers opens n connections to a server, and returns them with their other sides.
func deflatePeers(t *testing.T, o websocket.Compression, n int, offer string) ([]*websocket.Conn, []*deflatePeer) {
	s := serve(t, &websocket.AcceptOptions{Compression: o}, nil)
	conns, peers := make([]*websocket.Conn, n), make([]*deflatePeer, n)
	for i := range n {
		peers[i], _ = s.openDeflate(offer)
		conns[i] = <-s.conns
	}
	return conns, peers
}

// A prepared message is compressed once for all, also for connections whose windows differ, and what is written to one of them before
// and after stays decodable.
func TestServer_7692_7_1_1_PreparedMessagesKeepTheWindowsRight(t *testing.T) {
	for name, offer := range map[string]string{
		"takeover": "permessage-deflate", "smallest window": "permessage-deflate; server_max_window_bits=8",
		"no takeover": "permessage-deflate; server_no_context_takeover",
	} {
		t.Run(name, func(t *testing.T) {
			conns, peers := deflatePeers(t, takeover, 3, offer)
			for round := range 20 {
				shared := websocket.SomeText(100*round, uint64(round), 0)
				p := websocket.Prepare(websocket.MessageText, shared)
				own := make([]string, len(conns))
				for i, c := range conns {
					own[i] = fmt.Sprintf("%d: %s", i, websocket.SomeText(200, uint64(i), 0))
					if i%2 == 0 {
						if err := c.Write(t.Context(), websocket.MessageText, []byte(own[i])); err != nil {
							t.Fatal(err)
						}
					}
					if r := c.Send(p); r != websocket.Accepted {
						t.Fatal(r)
					}
					if i%2 == 1 {
						if err := c.Write(t.Context(), websocket.MessageText, []byte(own[i])); err != nil {
							t.Fatal(err)
						}
					}
				}
				for i, peer := range peers {
					if offer == "permessage-deflate; server_max_window_bits=8" {
						peer.bits = 8
					}
					peer.forget = strings.Contains(offer, "no_context")
					want := []string{own[i], string(shared)}
					if i%2 == 1 {
						want[0], want[1] = want[1], want[0]
					}
					for _, message := range want {
						if _, got, _ := peer.receive(); string(got) != message {
							t.Fatalf("round %d, connection %d: %.100q, want %.100q", round, i, got, message)
						}
					}
				}
			}
		})
	}
}

// Everything that sends does so at once; the peer must be able to decompress what comes, in whatever order it comes.
func TestServer_7692_7_1_1_ConcurrentSendersKeepTheWindowRight(t *testing.T) {
	const each = 250
	o := websocket.Compression{Mode: websocket.CompressionTakeover, Threshold: 40}
	conns, peers := deflatePeers(t, o, 1, "permessage-deflate; server_max_window_bits=10")
	c, peer := conns[0], peers[0]
	peer.bits = 10
	message := func(who string, i int) []byte {
		return fmt.Appendf(nil, "%s %d %s", who, i, websocket.SomeText(30*(i%50), uint64(i), i%4&2))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	senders := map[string]func(p []byte) error{
		"write": func(p []byte) error { return c.Write(ctx, websocket.MessageBinary, p) },
		"send": func(p []byte) error {
			if r := c.Send(websocket.Prepare(websocket.MessageBinary, p)); r != websocket.Accepted {
				return fmt.Errorf("send: %v", r)
			}
			return nil
		},
		"many": func(p []byte) error { return c.WriteMany(ctx, websocket.MessageBinary, [][]byte{p, p}) },
		"stream": func(p []byte) error {
			w, err := c.Writer(ctx, websocket.MessageBinary)
			if err != nil {
				return err
			}
			w.Write(p[:len(p)/2])
			runtime.Gosched()
			w.Write(p[len(p)/2:])
			return w.Close()
		},
	}
	want := map[string]int{}
	var wg sync.WaitGroup
	for who, send := range senders {
		for i := range each {
			want[string(message(who, i))]++
			if who == "many" {
				want[string(message(who, i))]++
			}
		}
		wg.Go(func() {
			for i := range each {
				if err := send(message(who, i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for len(want) > 0 {
		_, got, _ := peer.receive()
		if want[string(got)] == 0 {
			t.Fatalf("not sent: %.100q", got)
		}
		if want[string(got)]--; want[string(got)] == 0 {
			delete(want, string(got))
		}
	}
	wg.Wait()
}
