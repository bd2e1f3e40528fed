package parley_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley"
)

// stall keeps the disk from taking writes, as a slow one does, until release is called: another process is writing.
func stall(t *testing.T, file string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		conn.Close()
		db.Close()
	})
}

// More is published than the disk takes: what waits is bounded, the rest is refused at once with the advice to try again, readers go on,
// and what was acknowledged is there.
func TestPublishersFasterThanTheDisk(t *testing.T) {
	var data string
	h := open(t, func(c *parley.Config) { data = c.Data })
	ann := h.guest("Ann")
	ann.do("POST", "/v1/channels/room:lobby/messages", "first").is(201)
	release := stall(t, filepath.Join(data, "parley.db"))
	defer release()

	const n, size = 2400, 15 << 10 // more than twice the 16 MiB that may wait: as much may have been taken from there already
	body := `{"type":"load","data":"` + strings.Repeat("x", size) + `"}`
	answers := make(chan *httptest.ResponseRecorder, n)
	for range n {
		go func() {
			r := httptest.NewRequest("POST", "/v1/channels/room:lobby/messages", strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+ann.token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			answers <- w
		}()
	}
	if w := <-answers; w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"code":"overloaded"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	h.stranger().get("/v1/channels/room:lobby/messages?before=end&limit=1").is(200).has(`"seq":1,`)
	release()
	acknowledged := 1
	for range n - 1 {
		switch w := <-answers; w.Code {
		case 201:
			acknowledged++
		case 503:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	ann.do("POST", "/v1/channels/room:lobby/messages", "last").is(201).has(fmt.Sprintf(`"seq":%d,`, acknowledged+1))
}

// Each message of several counts against the sender's rate, and more than may be sent at once are never sent.
func TestSeveralMessagesCountEach(t *testing.T) {
	h := open(t, limited)
	ann := h.guest("Ann")
	several := func(n int) *answer {
		return ann.do("POST", "/v1/channels/room:lobby/messages", `{"messages":[`+strings.TrimSuffix(strings.Repeat(`{"type":"x","data":1},`, n), ",")+`]}`)
	}
	if a := several(41).fails(429, "rate_limited"); a.header.Get("Retry-After") != "" {
		t.Errorf("try again after %s", a.header.Get("Retry-After"))
	}
	several(40).is(201).has(`"seq":40,`)
	if a := several(20).fails(429, "rate_limited"); a.header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
}
