package loop

import (
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Owner is whoever has a connection. Its loop calls these methods.
type Owner interface {
	Happened(Events) // the socket is ready for something
	Again()          // as LookAgain asked
	Late() (next time.Duration)
	Flush()  // as Touch asked: once for each call of it
	Attend() // as Schedule asked: once for each call of it
}

// Events are what epoll says of a socket. Each is said once, until the socket was read or written as far as it goes.
type Events uint32

// Readable reports whether there is something to read, be it the end.
func (e Events) Readable() bool { return e&(unix.EPOLLIN|unix.EPOLLRDHUP|gone) != 0 }

// Writable reports whether a write that was refused may go on, be it to its error.
func (e Events) Writable() bool { return e&(unix.EPOLLOUT|gone) != 0 }

// PeerDone reports whether the peer sends nothing more, or is gone.
func (e Events) PeerDone() bool { return e&(unix.EPOLLRDHUP|gone) != 0 }

// PeerGone reports whether the connection is of no more use in either direction.
func (e Events) PeerGone() bool { return e&gone != 0 }

const gone = unix.EPOLLHUP | unix.EPOLLERR

// Source is a socket of a loop. Embed it in what is known of the connection.
type Source struct {
	loop  *Loop
	owner Owner
	fd    int32
	timer int32 // place in the loop's timers, from 1; 0 for none
	again bool  // in the loop's list
}

// Init gives the socket to a loop. Schedule must follow, and Attend call Begin.
func (s *Source) Init(l *Loop, o Owner, fd int) { s.loop, s.owner, s.fd = l, o, int32(fd) }

// FD is the descriptor.
func (s *Source) FD() int { return int(s.fd) }

// Loop is the one that calls the owner.
func (s *Source) Loop() *Loop { return s.loop }

// Schedule makes the loop call Attend soon.
func (s *Source) Schedule() {
	l := s.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	l.todo = append(l.todo, s)
	l.wake()
}

// Begin makes the loop wait for the socket: what is ready already is told too. If the socket is another source's of this loop, it is taken over from
// that one, and what that one was told is not told again.
func (s *Source) Begin() error {
	l := s.loop
	for len(l.sources) <= int(s.fd) {
		l.sources = append(l.sources, make([]*Source, max(64, len(l.sources)))...)
	}
	before := l.sources[s.fd]
	if l.sources[s.fd] = s; before != nil {
		before.Remind(0)
		return nil
	}
	err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, int(s.fd), &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET&0xFFFFFFFF, Fd: s.fd,
	})
	return os.NewSyscallError("epoll_ctl", err)
}

// End makes the loop forget the socket, which the owner has to close; of what it has asked for, Again, Flush and Attend may still be called.
func (s *Source) End() {
	if l := s.loop; int(s.fd) < len(l.sources) && l.sources[s.fd] == s {
		l.sources[s.fd] = nil
	}
	s.Remind(0)
}

// Leave is End for a socket that is not closed, but goes on elsewhere.
func (s *Source) Leave() {
	s.End()
	unix.EpollCtl(s.loop.epoll, unix.EPOLL_CTL_DEL, int(s.fd), nil)
}

// Move is for a socket that is another descriptor from now on: between Leave and Begin.
func (s *Source) Move(fd int) { s.fd = int32(fd) }

// LookAgain makes the loop call Again in the next turn: there may be more to read, and no event will tell.
func (s *Source) LookAgain() {
	if !s.again {
		s.again = true
		s.loop.again = append(s.loop.again, s)
	}
}

// Touch makes the loop call Flush when all that is ready in this turn has happened.
func (s *Source) Touch() { s.loop.touched = append(s.loop.touched, s) }

// Remind makes the loop call Late once its clock has reached when, in place of any time set before; 0 is never. What Late returns is the next
// time.
func (s *Source) Remind(when time.Duration) { s.loop.timers.set(s, when) }

// RemindBy is Remind if that is earlier than what is set.
func (s *Source) RemindBy(when time.Duration) {
	if when != 0 && (s.timer == 0 || when < s.loop.timers.when(s)) {
		s.loop.timers.set(s, when)
	}
}

// Detach takes the socket out of a connection of package net, which is closed: what the package holds for it is free then. It works for plain
// TCP, and for connections that say by a method TCP which one they are.
func Detach(nc net.Conn) (fd int, ok bool) {
	tcp := tcpOf(nc)
	if tcp == nil {
		return 0, false
	}
	rc, err := tcp.SyscallConn()
	if err != nil {
		return 0, false
	}
	if rc.Control(func(of uintptr) { fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) }) != nil || err != nil {
		return 0, false // who uses the connection instead will see what is wrong
	}
	tcp.Close()
	return fd, true
}

// tcpOf returns what Detach takes the socket out of, or nil.
func tcpOf(nc net.Conn) *net.TCPConn {
	if is, does := nc.(interface{ TCP() *net.TCPConn }); does {
		return is.TCP()
	}
	tcp, _ := nc.(*net.TCPConn)
	return tcp
}

// Descriptor returns the socket of a TCP connection that stays as it is, for a source that will Leave. It is -1 if the connection is closed.
func Descriptor(tcp *net.TCPConn) int {
	descriptor := -1
	if rc, err := tcp.SyscallConn(); err == nil {
		rc.Control(func(fd uintptr) { descriptor = int(fd) })
	}
	return descriptor
}
