package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"parley"
)

// engineWait is how long a node that is started waits for a Redis that cannot be reached, and engineRetry how often it tries. A machine that
// starts both needs seconds. Whoever ends at once is started again at once by systemd, five times, and then never.
const (
	engineWait  = time.Minute
	engineRetry = time.Second
)

// comeUp makes the server. While its Redis is away it tries again, for engineWait, and answers 503 to everybody who asks tcp (by listener, which
// may be its TLS form) meanwhile, but for /healthz. Without an error the server is nil if ctx has ended.
func comeUp(ctx context.Context, s *settings, tcp *net.TCPListener, listener net.Listener, log *slog.Logger) (*parley.Server, error) {
	p, err := parley.New(ctx, s.parley)
	if err == nil || s.parley.Engine == "" || !isAway(err) {
		return p, err
	}
	defer answerAway(tcp, listener)()
	for deadline := time.Now().Add(engineWait); isAway(err); p, err = parley.New(ctx, s.parley) {
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%w (tried for %s)", err, engineWait)
		}
		log.Warn("Redis cannot be reached yet: trying again, and not ready until then", "engine", s.parley.Where(), "giving_up_in", time.Until(deadline).Round(time.Second), "error", err)
		select {
		case <-time.After(engineRetry):
		case <-ctx.Done():
			return nil, nil
		}
	}
	return p, err
}

// isAway reports whether err says that Redis cannot be reached, or is still loading: not that it refuses.
func isAway(err error) bool {
	var network *net.OpError
	var problem interface{ Status() int }
	return errors.As(err, &network) || errors.As(err, &problem) && problem.Status() == http.StatusServiceUnavailable
}

// answerAway answers 503, until the function it returns is called. The listener stays open.
func answerAway(tcp *net.TCPListener, listener net.Listener) (stop func()) {
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			fmt.Fprintln(w, "ok")
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, `{"type":"urn:parley:error:unavailable","title":"Not available now","status":503,"code":"unavailable","detail":"This server has just started and cannot reach Redis yet","retry_after":2}`)
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(lent{listener})
	}()
	return func() {
		_ = tcp.SetDeadline(time.Now()) // ends the waiting for another connection, for which Close waits
		_ = server.Close()
		<-ended
		_ = tcp.SetDeadline(time.Time{})
	}
}

// lent is a listener that its user does not close.
type lent struct{ net.Listener }

// Close does nothing.
func (lent) Close() error { return nil }
