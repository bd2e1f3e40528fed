package loop

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Loop waits for many sources. The epoll set is its own, edge-triggered: one system call when a source is added, none later. The set itself is
// waited for by Go's runtime like any file, so a waiting loop holds no thread, and is woken by a deadline in the past, without a system call.
type Loop struct {
	epoll  int
	file   *os.File // owns epoll
	raw    syscall.RawConn
	poll   func(uintptr) bool
	events [256]unix.EpollEvent
	ready  int // of events
	epoch  time.Time
	now    time.Duration // since epoch, as the turn began
	in     []byte
	out    []byte

	sources []*Source // by descriptor
	again   []*Source // to be looked at again
	looking []*Source // again, while it is worked off
	touched []*Source // to be flushed at the end of this turn
	timers  timers

	mu       sync.Mutex
	todo     []*Source // scheduled
	doing    []*Source // todo, while it is worked off
	asleep   bool
	stopping bool
	deadline time.Time // of file
	stopped  chan struct{}
}

// longAgo, as a deadline, ends a wait at once.
var longAgo = time.Unix(1, 0)

func newLoop() (*Loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that os.File gives it to the runtime's poller
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &Loop{
		epoll: fd, file: os.NewFile(uintptr(fd), "epoll"), epoch: time.Now(),
		in: make([]byte, ReadSize), out: make([]byte, WriteSize), stopped: make(chan struct{}),
	}
	if l.raw, err = l.file.SyscallConn(); err == nil {
		err = l.file.SetReadDeadline(time.Time{}) // fails if it cannot be waited for
	}
	if err != nil {
		l.file.Close()
		return nil, err
	}
	l.poll = func(uintptr) bool { return l.look() }
	go l.run()
	return l, nil
}

// Now is the time since the loop began, as of this turn: the clock of [Source.Remind].
func (l *Loop) Now() time.Duration { return l.now }

// Time is the same, as of this moment: for what is to happen no sooner than some time from now, also at the end of a long turn.
func (l *Loop) Time() time.Duration { return time.Since(l.epoch) }

// In and Out are for whatever one method of an owner reads, and gathers to write: they are the loop's own, and the next method's.
func (l *Loop) In() []byte  { return l.in }
func (l *Loop) Out() []byte { return l.out }

// look asks what is ready, without waiting.
func (l *Loop) look() bool {
	n, err := unix.EpollWait(l.epoll, l.events[:], 0)
	l.ready = max(n, 0)
	return n > 0 || (err != nil && err != unix.EINTR)
}

// wait returns when something is ready, or scheduled, or due. It returns false when the loop shall end.
func (l *Loop) wait() bool {
	if len(l.again) > 0 {
		l.look()
		return true
	}
	l.mu.Lock()
	if stopping := l.stopping; stopping || len(l.todo) > 0 {
		l.mu.Unlock()
		l.look()
		return !stopping
	}
	var until time.Time
	if when, ok := l.timers.next(); ok {
		until = l.epoch.Add(when)
	}
	l.wakeAt(until)
	l.asleep = true
	l.mu.Unlock()
	l.raw.Read(l.poll) // looks first; an error is the deadline's
	l.mu.Lock()
	woken := !l.asleep
	l.asleep = false
	l.mu.Unlock()
	if woken {
		runtime.Gosched() // who else is about to schedule something does so before this turn
	}
	return true
}

// wakeAt sets when the wait ends at the latest. mu must be held.
func (l *Loop) wakeAt(t time.Time) {
	if !t.Equal(l.deadline) {
		l.deadline = t
		l.file.SetReadDeadline(t)
	}
}

// wake ends a wait. mu must be held.
func (l *Loop) wake() {
	if l.asleep {
		l.asleep = false
		l.wakeAt(longAgo)
	}
}

// stop ends the loop, which must have no sources any more.
func (l *Loop) stop() {
	l.mu.Lock()
	l.stopping = true
	l.wake()
	l.mu.Unlock()
	<-l.stopped
	l.file.Close()
}

func (l *Loop) run() {
	defer close(l.stopped)
	for l.wait() {
		l.turn()
	}
}

func (l *Loop) turn() {
	l.now = time.Since(l.epoch)
	l.again, l.looking = l.looking[:0], l.again
	for _, e := range l.events[:l.ready] {
		if s := l.sources[e.Fd]; s != nil {
			s.owner.Happened(Events(e.Events))
		}
	}
	l.ready = 0
	for i, s := range l.looking {
		l.looking[i] = nil
		s.again = false
		s.owner.Again()
	}
	for s := l.timers.due(l.now); s != nil; s = l.timers.due(l.now) {
		s.Remind(s.owner.Late())
	}
	for i := 0; i < len(l.touched); i++ {
		s := l.touched[i]
		l.touched[i] = nil
		s.owner.Flush()
	}
	l.touched = l.touched[:0]

	l.mu.Lock()
	l.todo, l.doing = l.doing[:0], l.todo
	l.mu.Unlock()
	for i, s := range l.doing {
		l.doing[i] = nil
		s.owner.Attend()
	}
}
