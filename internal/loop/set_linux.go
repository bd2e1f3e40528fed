package loop

import (
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
)

// Set is some loops, one for each processor. They begin with the first source. The zero value is ready; any goroutine may use it.
type Set struct {
	mu      sync.Mutex
	loops   []*Loop
	stopped bool
}

// Pick returns the loop for one more source, or nil if there can be none: the system has no epoll, or no descriptor is left, or the
// set was stopped.
func (s *Set) Pick() *Loop {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loops == nil && !s.stopped {
		s.begin()
	}
	if len(s.loops) == 0 {
		return nil
	}
	return s.loops[rand.IntN(len(s.loops))]
}

// PickFor is Pick for a connection that is to be taken by Detach. Where that cannot be it returns nil, and no loop begins.
func (s *Set) PickFor(nc net.Conn) *Loop {
	if tcpOf(nc) == nil {
		return nil
	}
	return s.Pick()
}

func (s *Set) begin() {
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop()
		if err != nil {
			return
		}
		s.loops = append(s.loops, l)
	}
}

// Stop ends the loops, which must have no sources any more, and waits for their goroutines.
func (s *Set) Stop() {
	s.mu.Lock()
	loops := s.loops
	s.loops, s.stopped = nil, true
	s.mu.Unlock()
	for _, l := range loops {
		l.stop()
	}
}
