package simulation

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync"

	"parley/channel"
	"parley/transport"
)

// process is one life of the server.
type process struct {
	engine    *engine
	hub       *channel.Hub
	transport *transport.Transport
	http      *http.Server
	serving   sync.WaitGroup
}

// boot starts a server over the database at path, which may be an older copy.
func (w *world) boot(path string, older bool, life uint64) (*process, error) {
	e, err := w.openEngine(path, life)
	if err != nil {
		return nil, err
	}
	if older {
		e.file.adopt()
	}
	p := &process{engine: e}
	p.hub = channel.NewHub(e, channel.Options{Policies: policies, CacheMessages: w.plan.cache, CacheBytes: w.plan.cache * 200})
	p.transport = transport.New(p.hub, &site{p.hub}, transport.Options{Node: "n", Logger: slog.New(slog.DiscardHandler)})
	mux := http.NewServeMux()
	p.transport.Register(mux)
	p.http = &http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)}
	listener := w.net.listen()
	p.serving.Go(func() { _ = p.http.Serve(listener) })
	return p, nil
}

// end takes a process apart after its death. Nobody is listening to it any more.
func (p *process) end() error {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.http.Close()
	_ = p.transport.Shutdown(now)
	p.hub.Close()
	p.serving.Wait()
	return p.engine.close()
}

// leave is a shutdown in good order.
func (p *process) leave(ctx context.Context) error {
	err := p.transport.Shutdown(ctx)
	return errors.Join(err, p.http.Close(), p.end())
}
