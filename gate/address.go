package gate

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const retryStreams = 10 * time.Second

// Address is who is asking: the peer of the connection or, where that is a trusted proxy, the last address in
// X-Forwarded-For that is not one. What an untrusted client writes there never counts.
func (g *Gate) Address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a test or a Unix socket
	}
	addr := peer.Addr().Unmap().WithZone("")
	if !g.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap().WithZone("")
		if !g.trusted(addr) {
			break
		}
	}
	return addr
}

// Key is what the limits count an address by: an IPv4 address, or an IPv6 /64, which is what one subscriber gets.
func (g *Gate) Key(r *http.Request) netip.Addr {
	addr := g.Address(r)
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

// Secure reports whether the browser speaks TLS: to this server, or to a trusted proxy that says so.
func (g *Gate) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && g.trusted(peer.Addr().Unmap()) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func (g *Gate) trusted(a netip.Addr) bool {
	for _, p := range g.o.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
