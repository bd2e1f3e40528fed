package enablehttp2_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	_ "parley/websocket/enablehttp2"
)

const asServer = "PARLEY_TEST_ANNOUNCE"

// TestServersOfTheProgramAnnounceIt starts programs with different settings: this test binary, as a server that prints what it announces.
func TestServersOfTheProgramAnnounceIt(t *testing.T) {
	if os.Getenv(asServer) != "" {
		fmt.Println("announced:", announced(t))
		return
	}
	for settings, want := range map[string]string{"": "1", "panicnil=1": "1", "http2xconnect=1": "1", "http2xconnect=0": "0", "a=b,http2xconnect=0": "0"} {
		program := exec.Command(os.Args[0], "-test.run=^TestServersOfTheProgramAnnounceIt$", "-test.v")
		program.Env = append(os.Environ(), asServer+"=1", "GODEBUG="+settings)
		out, err := program.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "announced: "+want) {
			t.Errorf("GODEBUG=%s: want %s: %v\n%s", settings, want, err, out)
		}
	}
}

// announced is the SETTINGS_ENABLE_CONNECT_PROTOCOL of a server (RFC 8441, section 3).
func announced(t *testing.T) uint32 {
	hs := httptest.NewUnstartedServer(http.NotFoundHandler())
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	nc, err := tls.Dial("tcp", hs.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	io.WriteString(nc, http2.ClientPreface)
	framer := http2.NewFramer(nc, nc)
	framer.WriteSettings()
	first, err := framer.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	value, _ := first.(*http2.SettingsFrame).Value(http2.SettingEnableConnectProtocol)
	return value
}
