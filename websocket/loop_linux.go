package websocket

import (
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// loop reads and writes many connections in one goroutine, so that a silent one has neither goroutine nor buffer. Only the loop's
// goroutine touches their sockets; others put messages into a connection's output and schedule it.
//
// The sockets are in an epoll set of the loop's own, edge-triggered: one system call when a connection opens, none later. The set itself is
// waited for by Go's runtime like any file, so a waiting loop holds no thread, and is woken by a deadline in the past, without a system call.
//
// In one turn all that is ready is read and handled, and then everything is written: what came for a connection from several
// handlers in between goes out together.
type loop struct {
	epoll  int
	file   *os.File // owns epoll
	raw    syscall.RawConn
	poll   func(uintptr) bool
	events [256]unix.EpollEvent
	ready  int // of events
	epoch  time.Time
	now    time.Duration // since epoch, as the turn began
	in     []byte        // where everything is read
	out    []byte        // where pieces are put together to be written

	conns   []*Conn // by descriptor
	again   []*Conn // of which there is or may be more to read
	reading []*Conn // again, while it is worked off
	touched []*Conn // whose handlers have run in this turn
	timers  timers

	mu       sync.Mutex
	todo     []*Conn // to be looked at: opened, closed, or with output
	doing    []*Conn // todo, while it is worked off
	asleep   bool
	stopping bool
	deadline time.Time // of file
	stopped  chan struct{}
}

func newLoop() (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that os.File gives it to the runtime's poller
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &loop{
		epoll: fd, file: os.NewFile(uintptr(fd), "epoll"), epoch: time.Now(),
		in: make([]byte, readSize), out: make([]byte, largeBuffer), stopped: make(chan struct{}),
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

// look asks what is ready, without waiting.
func (l *loop) look() bool {
	n, err := unix.EpollWait(l.epoll, l.events[:], 0)
	l.ready = max(n, 0)
	return n > 0 || (err != nil && err != unix.EINTR)
}

// wait returns when something is ready, or scheduled, or due. It returns false when the loop shall end.
func (l *loop) wait() bool {
	if l.look() || len(l.again) > 0 {
		return true
	}
	l.mu.Lock()
	if l.stopping || len(l.todo) > 0 {
		l.mu.Unlock()
		return !l.stopping
	}
	var until time.Time
	if when, ok := l.timers.next(); ok {
		until = l.epoch.Add(when)
	}
	l.wakeAt(until)
	l.asleep = true
	l.mu.Unlock()
	l.raw.Read(l.poll) // an error is the deadline's
	l.mu.Lock()
	l.asleep = false
	l.mu.Unlock()
	return true
}

// wakeAt sets when the wait ends at the latest. mu must be held.
func (l *loop) wakeAt(t time.Time) {
	if !t.Equal(l.deadline) {
		l.deadline = t
		l.file.SetReadDeadline(t)
	}
}

// wake ends a wait. mu must be held.
func (l *loop) wake() {
	if l.asleep {
		l.asleep = false
		l.wakeAt(longAgo)
	}
}

// schedule makes the loop look at the connection soon.
func (l *loop) schedule(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.todo = append(l.todo, c)
	l.wake()
}

// stop ends the loop, which must have no connections any more.
func (l *loop) stop() {
	l.mu.Lock()
	l.stopping = true
	l.wake()
	l.mu.Unlock()
	<-l.stopped
	l.file.Close()
}

func (l *loop) run() {
	defer close(l.stopped)
	for l.wait() {
		l.turn()
	}
}

func (l *loop) turn() {
	l.now = time.Since(l.epoch)
	l.again, l.reading = l.reading[:0], l.again
	for _, e := range l.events[:l.ready] {
		if c := l.conns[e.Fd]; c != nil {
			l.happened(c, e.Events)
		}
	}
	l.ready = 0
	for i, c := range l.reading {
		l.reading[i] = nil
		c.sock.queued = false
		l.read(c)
	}
	l.expire()
	for i, c := range l.touched {
		l.touched[i] = nil
		l.write(c)
	}
	l.touched = l.touched[:0]

	l.mu.Lock()
	l.todo, l.doing = l.doing[:0], l.todo
	l.mu.Unlock()
	for i, c := range l.doing {
		l.doing[i] = nil
		l.attend(c)
	}
}

// happened takes an event of epoll.
func (l *loop) happened(c *Conn, events uint32) {
	const gone = unix.EPOLLHUP | unix.EPOLLERR
	s := c.sock
	if events&(unix.EPOLLOUT|gone) != 0 && s.blocked {
		s.blocked = false
		c.keepalive.waiting()
		l.write(c)
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|gone) != 0 {
		if events&(unix.EPOLLRDHUP|gone) != 0 {
			s.halfClosed = true
		}
		l.read(c)
	}
}

// read reads once, and handles what came. A peer that does not take what is written is not read either.
func (l *loop) read(c *Conn) {
	s := c.sock
	switch {
	case s.closed:
		return
	case s.blocked && s.final == nil:
		s.unread = true
		return
	}
	s.unread = false
	in := l.in
	if room := c.roomToRead(); len(room) >= smallBuffer {
		in = room
	}
	n, err := ignoringEINTR(unix.Read, s.fd, in)
	switch {
	case err == unix.EAGAIN:
		return
	case err != nil:
		l.lost(c, os.NewSyscallError("read", err))
		return
	case n == 0:
		l.lost(c, io.EOF)
		return
	}
	if n == len(in) || s.halfClosed {
		l.readAgain(c)
	}
	l.handle(c, in[:n])
}

// readAgain reads once more in the next turn: there may be more, and no event will tell.
func (l *loop) readAgain(c *Conn) {
	if !c.sock.queued {
		c.sock.queued = true
		l.again = append(l.again, c)
	}
}

// attend looks at a connection that was scheduled.
func (l *loop) attend(c *Conn) {
	s := c.sock
	if s.closed {
		return
	}
	if !s.open {
		l.open(c)
	}
	if c.closing.Load() && s.closeBy == 0 {
		s.closeBy = l.now + c.limits.closeTimeout + 1
		l.remind(c)
	}
	l.write(c)
}

// open is the beginning of a connection.
func (l *loop) open(c *Conn) {
	s := c.sock
	s.open = true
	for len(l.conns) <= s.fd {
		l.conns = append(l.conns, make([]*Conn, max(64, len(l.conns)))...)
	}
	l.conns[s.fd] = c
	c.out.cork()
	if open := c.server.Handler.OnOpen; open != nil {
		open(c)
	}
	c.keepalive.waiting()
	if c.limits.pingInterval > 0 {
		s.lookAt = l.now + c.limits.pingInterval
		l.remind(c)
	}
	if p := c.in.unread; len(p) > 0 { // it came behind the handshake
		l.handle(c, p)
	}
	c.in.release()
	err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xFFFFFFFF, Fd: int32(s.fd),
	})
	if err != nil {
		l.lost(c, os.NewSyscallError("epoll_ctl", err))
	}
}

// shut is the end of a connection, after teardown.
func (l *loop) shut(c *Conn) {
	s := c.sock
	s.closed = true
	l.conns[s.fd] = nil
	l.timers.remove(c)
	if s.backlog != nil {
		s.backlog.giveBack()
		s.backlog = nil
	}
	unix.Close(s.fd)
	err := c.readErr
	if err == nil {
		err = c.why
	}
	c.dropAssembly()
	c.server.ended(c, err)
}
