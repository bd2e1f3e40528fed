//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/engine/redis/redistest"
	"parley/websocket"
)

// TestNodesWithoutTheirData: Redis comes back with nothing. Who reads is told, on every transport; who publishes is told that their session is
// of nobody. The nodes go on by themselves, as one site without a past.
func TestNodesWithoutTheirData(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	nodes := startNodes(t, redis.URL(), 2)
	f := &faults{T: t, redis: redis, nodes: nodes}
	was := nodes[0].signIn("Who was there")
	var secret struct{ Channel string }
	if err := was.insist("POST", "/v1/rooms", map[string]any{"name": "secret", "private": true}, &secret); err != nil {
		t.Fatal(err)
	}
	var told sync.WaitGroup
	for _, channel := range []string{"room:lobby", secret.Channel} {
		var last struct{ Position string }
		for range 3 {
			if err := was.insist("POST", "/v1/channels/"+channel+"/messages", saying("what was"), &last); err != nil {
				t.Fatal(err)
			}
		}
		for i, s := range nodes {
			for _, transport := range []string{"longpoll", "sse", "websocket"} {
				r := openReader(t, client{s.url, was.token}, transport, channel, last.Position)
				told.Go(func() {
					answer := r()
					if !isTold(answer) {
						t.Errorf("who reads %s by %s on node %d is not told: %s", channel, transport, i, strings.Join(strings.Fields(answer), " "))
					}
				})
			}
		}
	}
	redis.Kill()
	ready(t, false, nodes...)
	redis.Restart()
	f.do("Redis has come back with nothing", func() {})
	told.Wait()
	for _, s := range nodes {
		if status, err := (client{s.url, was.token}).do("POST", "/v1/channels/room:lobby/messages", saying("still here"), nil); status != http.StatusUnauthorized {
			t.Errorf("who was there is answered %d, %v", status, err)
		}
	}
	nodes[0].kill()
	nodes[0].start()
	f.do("a node was started anew", func() {})
}

// isTold reports whether a reader was told that what it has is lost, or that it may not read any more, before it got anything else.
func isTold(answer string) bool {
	return !strings.Contains(answer, `"seq":`) && (strings.Contains(answer, `"reason":"rollback"`) || strings.Contains(answer, `"ended":`) || strings.Contains(answer, `"code":"no_session"`))
}

// openReader begins to read a channel behind a position. The function it returns waits for what comes.
func openReader(t *testing.T, c client, transport, channel, after string) (answer func() string) {
	t.Helper()
	path := "/v1/channels/" + channel + "/messages?after=" + after
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	if transport == "websocket" {
		conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.url, "http")+path, &websocket.DialOptions{Header: http.Header{"Authorization": {"Bearer " + c.token}}})
		if err != nil {
			t.Fatal(err)
		}
		return func() (all string) {
			defer conn.CloseNow()
			for !isTold(all) {
				_, data, err := conn.Read(ctx)
				if err != nil {
					return all + err.Error()
				}
				all += string(data) + "\n"
			}
			return all
		}
	}
	req, err := http.NewRequestWithContext(ctx, "GET", c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if transport == "longpoll" {
		req.URL.RawQuery += "&wait=60"
		return func() string {
			for {
				resp, err := http.DefaultClient.Do(req.Clone(ctx))
				if err != nil {
					return err.Error()
				}
				data, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusServiceUnavailable {
					return string(data)
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return func() (all string) {
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); !isTold(all) && lines.Scan(); {
			all += lines.Text() + "\n"
		}
		return all
	}
}
