// Command centrifuge is a server with the library that Centrifugo is made of: WebSocket and SSE, history in memory, and
// publishing over HTTP. Its settings are the library's own, but for a queue that lets a reader fall behind a burst.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
)

func main() {
	fmt.Fprintln(os.Stderr, serve())
	os.Exit(1)
}

func serve() error {
	node, err := centrifuge.New(centrifuge.Config{ClientQueueMaxSize: 256 << 20})
	if err != nil {
		return err
	}
	var people atomic.Int64
	node.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		reply := centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: strconv.FormatInt(people.Add(1), 10)}}
		var wanted struct{ Channel string }
		if json.Unmarshal(e.Data, &wanted) == nil && wanted.Channel != "" { // over SSE a client can say no more than this
			reply.Subscriptions = map[string]centrifuge.SubscribeOptions{wanted.Channel: {EnableRecovery: true}}
		}
		return reply, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EnableRecovery: true}}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	any := func(*http.Request) bool { return true }
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{CheckOrigin: any}))
	http.Handle("/connection/sse", centrifuge.NewSSEHandler(node, centrifuge.SSEConfig{}))
	http.HandleFunc("POST /publish/{channel}", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = node.Publish(r.PathValue("channel"), data, centrifuge.WithHistory(10000, time.Hour))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, nil)
}
