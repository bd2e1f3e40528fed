package transport

import (
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/loop"
)

// line is an HTTP/1.1 connection that was taken from net/http, and waits on an event loop. Only the loop uses it.
type line struct {
	loop.Source
	patience time.Duration // WriteTimeout
	rest     *rest         // nil if there is none
	closed   bool
	closeBy  time.Duration // our half is closed; the peer has so long to do the same
}

// rest is what is left of what is being written: the kernel takes no more for now.
type rest struct {
	bytes    []byte
	progress int           // bytes written since by was set
	by       time.Duration // when some more must be written, by the loop's clock; 0 if that is not set
}

// takes returns the connection of a request, if it can be taken from net/http.
func takes(r *http.Request) *homing {
	h, ok := r.Context().Value(homingKey{}).(*homing)
	if !ok || r.TLS != nil || !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1 || r.ContentLength != 0 {
		return nil
	}
	return h
}

// seize takes the connection from net/http, with what it has read of the next request. It is false if nothing was done.
func seize(w http.ResponseWriter) (nc net.Conn, read []byte, ok bool) {
	nc, br, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, false
	}
	if n := br.Reader.Buffered(); n > 0 {
		read, _ = br.Reader.Peek(n)
		read = append([]byte(nil), read...)
	}
	return nc, read, true
}

// write writes p as far as the peer takes it; what is left follows. It reports whether the connection is still good.
func (l *line) write(p []byte) bool {
	n := 0
	if l.rest == nil {
		var err error
		if n, err = l.put(p); err != nil {
			return false
		}
	}
	if n < len(p) {
		if l.rest == nil {
			l.rest = &rest{}
		}
		l.rest.bytes = append(l.rest.bytes, p[n:]...)
		l.bound()
	}
	return true
}

// drain goes on with what is left.
func (l *line) drain() bool {
	r := l.rest
	n, err := l.put(r.bytes)
	if err != nil {
		return false
	}
	if r.bytes = r.bytes[n:]; len(r.bytes) == 0 {
		l.rest = nil
		return true
	}
	if r.progress += n; r.progress >= chunk {
		r.progress, r.by = 0, 0
	}
	l.bound()
	return true
}

// bound begins the time that the peer has for the next chunk.
func (l *line) bound() {
	if l.rest.by == 0 {
		l.rest.by = l.Loop().Now() + l.patience
		l.RemindBy(l.rest.by)
	}
}

// goodbye is how long a peer to whom everything was said has to close its half. Closing before could make TCP drop what was said last, if
// bytes of the peer's are unread.
const goodbye = time.Second

// finish closes our half.
func (l *line) finish() {
	unix.Shutdown(l.FD(), unix.SHUT_WR)
	l.closeBy = l.Loop().Now() + goodbye
	l.RemindBy(l.closeBy)
}

// Again and Flush are for who asks for them.
func (l *line) Again() {}
func (l *line) Flush() {}

// writeBy is when the peer must have taken more of what is left; 0 if nothing is.
func (l *line) writeBy() time.Duration {
	if l.rest == nil {
		return 0
	}
	return l.rest.by
}

func (l *line) put(p []byte) (sent int, err error) {
	for {
		switch n, err := l.Send(p[sent:]); {
		case err == unix.EAGAIN:
			return sent, nil
		case err != nil:
			return sent, err
		default:
			if sent += n; sent == len(p) {
				return sent, nil
			}
		}
	}
}

// passed reports whether a time of the loop's clock has come.
func (l *line) passed(t time.Duration) bool { return t != 0 && t <= l.Loop().Now() }

// earliest returns the first of the times that are set.
func earliest(times ...time.Duration) (first time.Duration) {
	for _, t := range times {
		if t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

// head is the headers that a handler has set, as they are sent. Most requests' are the same, and share one text.
func (t *Transport) head(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	text := b.String()
	if last := t.lastHead.Load(); last != nil && *last == text {
		return *last
	}
	t.lastHead.Store(&text)
	return text
}

// appendDate appends the header that every answer has (RFC 9110, section 6.6.1).
func (t *Transport) appendDate(dst []byte) []byte {
	now := time.Now()
	d := t.lastDate.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"}
		t.lastDate.Store(d)
	}
	return append(dst, d.line...)
}
