package websocket

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// acceptSocket accepts a connection that does not block, and tells who it is from. Package unix would ask the kernel each time which protocol it
// has, and tell Go's scheduler of a call that never waits.
func acceptSocket(listener int) (fd int, from netip.AddrPort, err error) {
	var a rawAddress
	n, errno := a.fill(unix.SYS_ACCEPT4, listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if errno != 0 {
		return 0, from, errno
	}
	return n, a.addrPort(), nil
}

// localAddress returns the address of our end of a connection.
func localAddress(fd int) (netip.AddrPort, error) {
	var a rawAddress
	if _, errno := a.fill(unix.SYS_GETSOCKNAME, fd, 0); errno != 0 {
		return netip.AddrPort{}, errno
	}
	return a.addrPort(), nil
}

// closeSocket is for sockets whose closing does not wait: those without SO_LINGER.
func closeSocket(fd int) { syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0) }

// rawAddress is an address of IPv4 or IPv6 as the kernel has it (ip(7), ipv6(7)).
type rawAddress struct{ unix.RawSockaddrInet6 }

// fill makes a system call that takes a descriptor, room for an address, and flags.
func (a *rawAddress) fill(call uintptr, fd, flags int) (int, syscall.Errno) {
	size := uint32(unsafe.Sizeof(*a))
	n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(a)), uintptr(unsafe.Pointer(&size)), uintptr(flags), 0, 0)
	return int(n), errno
}

func (a *rawAddress) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&a.Port))[:])
	switch a.Family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(a)).Addr), port)
	case unix.AF_INET6:
		ip := netip.AddrFrom16(a.Addr)
		if a.Scope_id != 0 {
			if i, err := net.InterfaceByIndex(int(a.Scope_id)); err == nil {
				ip = ip.WithZone(i.Name)
			}
		}
		return netip.AddrPortFrom(ip.Unmap(), port)
	}
	return netip.AddrPort{}
}
