package websocket_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"parley/websocket"
)

func through(proxy string) func(*http.Request) (*url.URL, error) {
	return func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
}

// tlsServer echoes over wss. The options trust it and the proxy of httpsProxy, which has the same certificate.
func tlsServer(t *testing.T) (address string, o *websocket.DialOptions) {
	hs := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		echo(r.Context(), c)
	}))
	t.Cleanup(func() {
		hs.CloseClientConnections()
		hs.Close()
	})
	roots := x509.NewCertPool()
	roots.AddCert(hs.Certificate())
	return "wss://" + hs.Listener.Addr().String() + "/", &websocket.DialOptions{TLSClientConfig: &tls.Config{RootCAs: roots}}
}

func TestProxy_HTTPWithTLSInside(t *testing.T) {
	address, o := tlsServer(t)
	addr, targets := proxyServer(t, "200 OK", "")
	o.Proxy = through("http://" + addr)
	c, _, err := websocket.Dial(testContext(t), address, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	<-targets
	roundTrip(testContext(t), t, c, 70_000)
}

func TestProxy_HTTPSWithTLSInside(t *testing.T) {
	address, o := tlsServer(t)
	addr, targets := proxyServer(t, "200 OK", "")
	// TLS in front of the proxy.
	front := httptest.NewUnstartedServer(nil)
	front.StartTLS() // for its certificate
	config := front.TLS.Clone()
	config.NextProtos = nil
	front.Close()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer nc.Close()
				if nc.(*tls.Conn).Handshake() != nil {
					return
				}
				up, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer up.Close()
				go func() { io.Copy(up, nc); up.Close() }()
				io.Copy(nc, up)
			}()
		}
	}()
	o.Proxy = through("https://" + ln.Addr().String())
	c, _, err := websocket.Dial(testContext(t), address, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	<-targets
	roundTrip(testContext(t), t, c, 70_000)

	o.TLSClientConfig = nil // who does not trust the proxy's certificate does not speak to it
	if _, _, err := websocket.Dial(testContext(t), address, o); err == nil {
		t.Fatal("an untrusted proxy was used")
	}
}

// socksServer is a SOCKS5 proxy (RFC 1928) that wants the user u with the password p (RFC 1929), or answers CONNECT with reply.
func socksServer(t *testing.T, reply byte) (addr string, asked chan string) {
	ln := listen(t)
	t.Cleanup(func() { ln.Close() })
	asked = make(chan string, 10)
	serve := func(nc net.Conn) error {
		defer nc.Close()
		expect := func(want ...byte) error {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(nc, got); err != nil || !bytes.Equal(got, want) {
				return fmt.Errorf("the proxy got %x, want %x: %v", got, want, err)
			}
			return nil
		}
		if err := expect(5, 2, 0, 2); err != nil {
			return err
		}
		nc.Write([]byte{5, 2}) // user and password
		if err := expect(1, 1, 'u', 1, 'p'); err != nil {
			return err
		}
		nc.Write([]byte{1, 0})
		var head [5]byte
		io.ReadFull(nc, head[:])
		if head[1] != 1 || head[3] != 3 { // CONNECT, a name
			return fmt.Errorf("the proxy was asked %x", head)
		}
		target := make([]byte, int(head[4])+2)
		io.ReadFull(nc, target)
		name, port := string(target[:head[4]]), int(target[head[4]])<<8|int(target[head[4]+1])
		asked <- fmt.Sprint(name, ":", port)
		nc.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
		if reply != 0 {
			return nil
		}
		up, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			return err
		}
		defer up.Close()
		go func() { io.Copy(up, nc); up.Close() }()
		io.Copy(nc, up)
		return nil
	}
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				if err := serve(nc); err != nil {
					t.Error(err)
				}
			}()
		}
	}()
	return ln.Addr().String(), asked
}

func TestProxy_SOCKS5(t *testing.T) {
	s := serve(t, nil, nil)
	_, port, _ := net.SplitHostPort(s.addr)
	addr, asked := socksServer(t, 0)
	c, _, err := websocket.Dial(testContext(t), "ws://a.example:"+port+"/", &websocket.DialOptions{Proxy: through("socks5://u:p@" + addr)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := <-asked; got != "a.example:"+port {
		t.Fatal(got) // the name is the proxy's to look up
	}
	roundTrip(testContext(t), t, c, 70_000)

	addr, _ = socksServer(t, 5) // connection refused
	_, _, err = websocket.Dial(testContext(t), "ws://a.example:"+port+"/", &websocket.DialOptions{Proxy: through("socks5h://u:p@" + addr)})
	if e, ok := errors.AsType[*websocket.HandshakeError](err); !ok || e.Code != "connect" {
		t.Fatal(err)
	}
}

// A proxy that says nothing is bounded by the time of the dial.
func TestProxy_SilentOneIsLeft(t *testing.T) {
	ln := listen(t)
	defer ln.Close()
	for _, scheme := range []string{"http", "https", "socks5"} {
		_, _, err := websocket.Dial(testContext(t), "ws://a.example/", &websocket.DialOptions{Proxy: through(scheme + "://" + ln.Addr().String()), HandshakeTimeout: 50 * time.Millisecond})
		if err == nil {
			t.Fatal(scheme)
		}
	}
}
