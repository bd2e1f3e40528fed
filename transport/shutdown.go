package transport

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"parley/problem"
)

// errLeaving answers what would have to wait while the server leaves.
var errLeaving = problem.Overloaded.Detail("the server is shutting down; another one, or it itself, will be there soon").After(2 * time.Second)

// enter counts one more stream or waiting poll, here and at the site, until done is called; it is refused once Shutdown has begun.
func (t *Transport) enter(r *http.Request) (done func(), err error) {
	if err := t.hold(); err != nil {
		return nil, err
	}
	release, err := t.site.Hold(r)
	if err != nil {
		t.held.Done()
		return nil, err
	}
	return func() { release(); t.held.Done() }, nil
}

// hold enters while nobody waits for the last to leave.
func (t *Transport) hold() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.leaving.Err() != nil {
		return errLeaving
	}
	t.held.Add(1)
	return nil
}

// held is a client that is held without a goroutine.
type held interface {
	// lookUp is called when the server leaves, and when what is left is cut off. It does not block.
	lookUp()
}

// keep makes Shutdown find h; drop undoes it.
func (t *Transport) keep(h held) {
	t.mu.Lock()
	t.parked[h] = struct{}{}
	leaving := t.leaving.Err() != nil
	t.mu.Unlock()
	if leaving {
		h.lookUp()
	}
}

func (t *Transport) drop(h held) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.parked, h)
}

// enterLine is keep for a connection on a loop, which Shutdown waits for. It is refused once all are cut off.
func (t *Transport) enterLine(h held) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut.Err() != nil {
		return false
	}
	t.lines.Add(1)
	t.parked[h] = struct{}{}
	return true
}

func (t *Transport) leaveLine(h held) {
	t.drop(h)
	t.lines.Done()
}

// all returns what is kept.
func (t *Transport) all() []held {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.parked))
}

// Shutdown says bye to all streams, answers all waiting polls with what there is, refuses new ones with 503, and waits until
// none is left. Publishes that were received before are carried out and answered. When ctx is done first, what is left is cut
// off, and ctx's error returned. Polls and publishes over HTTP go on until the HTTP server is shut down.
func (t *Transport) Shutdown(ctx context.Context) error {
	t.mu.Lock()
	t.leave()
	t.mu.Unlock()
	for _, h := range t.all() {
		h.lookUp()
	}
	ended := make(chan struct{})
	go func() {
		t.held.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.mu.Lock()
	t.cutNow()
	t.mu.Unlock()
	for _, h := range t.all() {
		h.lookUp()
	}
	t.rest()
	return err
}

// rest ends the loops, once nothing waits there any more: that is soon, as all that is left has been cut off.
func (t *Transport) rest() {
	_ = t.sockets.Shutdown(t.cut) // its connections are closed at once
	t.lines.Wait()
	t.loops.Stop()
}

// comeBack draws when a stream's client is asked to come back.
func (t *Transport) comeBack() time.Duration {
	const soonest = 500 * time.Millisecond
	return soonest + time.Duration(rand.Int64N(int64(t.o.ByeSpread)+1))
}
