package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/channel"
	"parley/engine/redis/redistest"
	"parley/identity"
	"parley/vote"
)

func TestAddress(t *testing.T) {
	for _, c := range []struct{ text, hosts, user, password, master, prefix, shown string }{
		{"redis://127.0.0.1:6380", "127.0.0.1:6380", "", "", "", "parley:", "redis://127.0.0.1:6380"},
		{"redis://example.com", "example.com:6379", "", "", "", "parley:", "redis://example.com"},
		{"redis://[::1]:7000/3", "[::1]:7000", "", "", "", "parley:", "redis://[::1]:7000/3"},
		{"redis://ann:p%40ss%2Fword@h:1/0?prefix=x:", "h:1", "ann", "p@ss/word", "", "x:", "redis://h:1/0"},
		{"redis://:secret@h:1", "h:1", "", "secret", "", "parley:", "redis://h:1"},
		{"redis+sentinel://a:1,b:2,c/main", "a:1 b:2 c:6379", "", "", "main", "parley:", "redis+sentinel://a:1,b:2,c/main"},
		{"redis+cluster://a:1,b:2", "a:1 b:2", "", "", "", "parley:", "redis+cluster://a:1,b:2"},
		{"rediss://h:1", "h:1", "", "", "", "parley:", "rediss://h:1"},
	} {
		a, err := parseAddress(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		o := a.option
		if got := strings.Join(o.InitAddress, " "); got != c.hosts || o.Username != c.user || o.Password != c.password || o.Sentinel.MasterSet != c.master ||
			a.prefix != c.prefix || a.shown != c.shown || (o.TLSConfig != nil) != strings.HasPrefix(c.text, "rediss") {
			t.Errorf("%s is taken for %s %q %q %q %q %q", c.text, got, o.Username, o.Password, o.Sentinel.MasterSet, a.prefix, a.shown)
		}
	}
	for _, text := range []string{"", "h:1", "http://h:1", "redis://", "redis://a:1,b:1", "redis://h:1:2", "redis://h:1/x", "redis://h:1/-1", "redis://h:1/1/2",
		"redis+sentinel://a:1", "redis+cluster://a:1/1", "redis+tor://a:1", "redis://h:1?prefix={x}", "redis://h:1?replicas=many", "redis://h:1?wat=1",
		"rediss://h:1?ca=/nowhere", "redis://%zz@h:1"} {
		if err := Check(text); !errors.Is(err, ErrBadURL) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOpen_SaysWhatIsWrong(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "secret")
	with := func(user string) string { return strings.Replace(server.URL(), "://", "://"+user+"@", 1) }
	alone := redistest.Start(t).Addr()
	e := open(t, with(":secret")+"?prefix=a:", Options{})
	mustAppend(t, e, say("room:a", "", "hello"))
	for _, c := range []struct{ url, want string }{
		{with(":wrong"), "user or password"},
		{server.URL(), "user or password"},
		{"redis://127.0.0.1:1", "connection refused"},
		{"redis+cluster://" + alone + "," + alone, "no cluster"},
	} {
		if e, err := Open(t.Context(), c.url, Options{Patience: time.Second}); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "wrong@") {
			t.Errorf("%s: %v", c.url, err)
			if e != nil {
				_ = e.Close()
			}
		}
	}
}

// TestUser_MayBeLimited to what the engine needs, as docs/operations.md says.
func TestUser_MayBeLimited(t *testing.T) {
	server := redistest.Start(t)
	server.Do("ACL", "SETUSER", "parley", "on", ">pw", "~parley:*", "&parley:*", "+@read", "+@write", "+@scripting", "+@pubsub", "+@connection", "-@dangerous", "+info", "+time", "+wait", "+config|get")
	e := open(t, strings.Replace(server.URL(), "://", "://parley:pw@", 1), Options{})
	h := listen(t, e, "room:a")
	h.wantAll("room:a", mustAppend(t, e, say("room:a", "", "hello"))[0].Position)
	if err := e.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	r := h.hub.NewReader(channel.ReaderOptions{Mode: channel.Stream, Person: ann})
	defer r.Close()
	if _, err := r.Add(t.Context(), "room:a", channel.Position{}, nil); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, "she is there", func() bool { _, n := h.hub.Presence().Here("room:a", 10); return n == 1 })
	if _, err := e.CreateVote(t.Context(), vote.Vote{Code: "AAAAA", Question: "?", Options: []vote.Option{{ID: 1, Text: "yes"}}, Min: 1, Max: 1, Owner: ann, Open: true}); err != nil {
		t.Error(err)
	}
	if err := e.CreateUser(t.Context(), identity.User{ID: "u1", Name: "Ann"}, "ann"); err != nil {
		t.Error(err)
	}
	if err := e.keeper.sweep(t.Context(), true); err != nil {
		t.Error(err)
	}
	if denied := server.Do("ACL", "LOG"); denied != "" {
		t.Errorf("denied: %s", denied)
	}
}

func TestTLS(t *testing.T) {
	ca, cert, key := certificates(t)
	port := redistest.FreePort(t)
	redistest.Start(t, "--tls-port", fmt.Sprint(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca)
	base := fmt.Sprintf("rediss://127.0.0.1:%d", port)
	e := open(t, base+"?ca="+ca+"&cert="+cert+"&key="+key, Options{})
	h := listen(t, e, "room:a")
	h.wantAll("room:a", mustAppend(t, e, say("room:a", "", "hello"))[0].Position)
	if _, err := Open(t.Context(), base, Options{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

// certificates makes a certificate for 127.0.0.1 that vouches for itself.
func certificates(t *testing.T) (ca, cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, cert, key
}

// TestSeveralSitesShareARedis: by prefix and by database, neither hears or sees the other.
func TestSeveralSitesShareARedis(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL()+"/0?prefix=a:", Options{})
	for _, url := range []string{server.URL() + "/1?prefix=a:", server.URL() + "/0?prefix=b:"} {
		other := open(t, url, Options{})
		h := listen(t, other, "room:a")
		mustAppend(t, a, say("room:a", "", "of one site"))
		h.wantAll("room:a", mustAppend(t, other, say("room:a", "", "of another"))[0].Position)
		if b := mustRead(t, other, "room:a", channel.Position{}); len(b.Messages) != 1 || string(b.Messages[0].Data) != `{"text":"of another"}` {
			t.Errorf("%s has %+v", url, b.Messages)
		}
	}
}
