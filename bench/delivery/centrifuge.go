package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/url"

	"parley/bench/delivery/load"
	"parley/bench/process"
	"parley/bench/side"
)

// startPlain starts a program of ours that says its address and is spoken to with a dialect.
func startPlain(b *bench, program string, dialect func(host string) site) (*server, error) {
	p, err := process.Start(b.core, program)
	if err != nil {
		return nil, err
	}
	if !p.Lines.Scan() {
		return nil, p.Ended("it did not start")
	}
	addr, err := netip.ParseAddrPort(p.Lines.Text())
	if err != nil {
		return nil, p.Ended(err.Error())
	}
	return &server{site: dialect(addr.String()), process: p, pid: p.PID(), addr: addr}, nil
}

func startEmpty(b *bench, program string) (*server, error) {
	return startPlain(b, program, func(string) site { return mute{} })
}

func startCentrifuge(b *bench, program string) (*server, error) {
	return startPlain(b, program, func(host string) site { return centrifuge{nchan{host}} })
}

// centrifuge is its JSON dialect: several objects may share a frame, each in a line. Channels are made by being named, and
// everybody is somebody by connecting, as with Nchan.
type centrifuge struct{ nchan }

func (s centrifuge) Publish(channel string, _ int, data load.Data) request {
	head := fmt.Sprintf("POST /publish/%s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", channel, s.headers(), len(data))
	return newRequest(head, "", data, "")
}

func (s centrifuge) Published(h *load.Head, body []byte) error {
	if h.Status != 200 {
		return fmt.Errorf("a publish was answered %d: %s", h.Status, body)
	}
	return nil
}

func (s centrifuge) Begin(_ *load.Load, _ string, how load.Transport) ([]byte, error) {
	if how == load.LongPoll {
		return nil, side.ErrUnsupported
	}
	return nil, nil
}

func (s centrifuge) Ask(r *load.Reader) []byte {
	path, how := "/connection/websocket", load.Upgrade
	if r.Transport == load.SSE {
		path = "/connection/sse?cf_connect=" + url.QueryEscape(`{"id":1,"connect":{"data":{"channel":"`+r.Channel+`"}}}`)
		how = "Accept: text/event-stream\r\n"
	}
	return []byte("GET " + path + " HTTP/1.1\r\n" + s.headers() + how + "\r\n")
}

func (s centrifuge) Opened(r *load.Reader) (bool, error) {
	if r.Transport == load.SSE {
		return false, nil
	}
	return false, r.Say([]byte(`{"id":1,"connect":{}}` + "\n" + `{"id":2,"subscribe":{"channel":"` + r.Channel + `"}}`))
}

func (s centrifuge) Message(r *load.Reader, p []byte) error {
	for line := range bytes.SplitSeq(p, []byte{'\n'}) {
		switch {
		case bytes.HasPrefix(line, []byte(`{"push":`)):
			if n, err := r.Messages(line); err != nil || n != 1 {
				return fmt.Errorf("a reader got %.300q: %w", line, err)
			}
		case bytes.Equal(line, []byte(`{}`)): // a ping
			if r.Transport == load.WebSocket {
				if err := r.Say([]byte(`{}`)); err != nil {
					return err
				}
			}
		case bytes.Contains(line, []byte(`"error":`)):
			return fmt.Errorf("a reader got %.300q", line)
		case bytes.Contains(line, []byte(`"subscribe":`)) || r.Transport == load.SSE && bytes.Contains(line, []byte(`"connect":`)):
			r.Ready()
		}
	}
	return nil
}
