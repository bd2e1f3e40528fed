package transport

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/channel"
)

// retryAdvice is how long an EventSource waits before it connects again.
const retryAdvice = 2 * time.Second

// padding follows the greeting as a comment: some proxies and antivirus programs hold back an answer's first 1 to 2 KiB,
// and would hold back all that is said in a quiet channel.
var padding = []byte(":" + strings.Repeat(" ", 2<<10) + "\n\n")

// sse answers with a stream of Server-Sent Events (HTML Living Standard, section 9.2).
func (t *Transport) sse(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	if err := q.resume(r.Header.Get("Last-Event-ID")); err != nil {
		return err
	}
	leave, err := t.enter(r)
	if err != nil {
		return err
	}
	s, opening, err := t.openStream(r.Context(), q, person)
	if err != nil {
		leave()
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform") // no-transform keeps proxies from compressing, which buffers
	h.Set("X-Accel-Buffering", "no")                 // nginx
	e := &encoder{many: q.many, seen: q.starts}
	e.buf = append(e.buf, "retry: "+strconv.FormatInt(retryAdvice.Milliseconds(), 10)+"\n"...)
	e.add(opening[0])
	e.buf = append(e.buf, padding...)
	for _, ev := range opening[1:] {
		e.add(ev)
	}
	if t.parkSSE(w, r, s, e, leave) {
		return nil
	}
	defer leave()
	defer s.Close()
	t.sseFrom(w, r, s, e)
	return nil
}

// sseFrom is sse in the request's goroutine, after the head.
func (t *Transport) sseFrom(w http.ResponseWriter, r *http.Request, s *stream, e *encoder) {
	w.WriteHeader(http.StatusOK)
	out := eventWriter{t.writer(w), e}
	defer out.done()
	defer context.AfterFunc(t.cut, out.cutOff)()
	if out.flush() != nil {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(t.leaving, cancel)()
	for s.Len() > 0 {
		events, err := s.await(ctx, r.Context())
		if err != nil {
			if r.Context().Err() == nil {
				out.bye(t.comeBack())
				_ = out.flush()
				t.logStream(r, err)
			}
			return
		}
		if out.write(events) != nil {
			return // gone, or it takes nothing: it will come back to its position
		}
	}
	// Every channel has ended; who connects again is told why.
}

// resume takes the positions of Last-Event-ID, which an EventSource sends when it connects again, in place of the URL's.
func (q *query) resume(lastID string) error {
	if lastID == "" {
		return nil
	}
	if !q.many {
		after, err := channel.ParsePosition(lastID)
		q.starts[0].after = after
		return err
	}
	resumed, err := parseStarts(strings.Split(lastID, ","))
	if err != nil {
		return err
	}
	for _, from := range resumed {
		for i := range q.starts {
			if q.starts[i].name == from.name {
				q.starts[i].after = from.after
			}
		}
	}
	return nil
}

// encoder makes text of events, with the ids by which a reader that was cut off comes back.
type encoder struct {
	many bool
	seen []start // where the reader is once all of buf has arrived
	buf  []byte
}

func (e *encoder) add(ev event) {
	e.buf = append(append(append(e.buf, "event: "...), ev.name...), '\n')
	if ev.batch != nil {
		e.moved(ev.batch)
		e.addID()
	}
	e.buf = ev.appendJSON(append(e.buf, "data: "...))
	e.buf = append(e.buf, "\n\n"...)
}

// moved notes where a batch or gap brings the reader.
func (e *encoder) moved(b *channel.Batch) {
	for i := range e.seen {
		if e.seen[i].name != b.Channel {
			continue
		}
		switch {
		case b.Gap == nil:
			e.seen[i].after = b.To
		case b.Gap.Reason != channel.Deleted:
			e.seen[i].after = b.Gap.Resume
		}
	}
}

func (e *encoder) addID() {
	e.buf = append(e.buf, "id: "...)
	for i, s := range e.seen {
		switch {
		case !e.many:
			e.buf = s.after.AppendText(e.buf)
		case i > 0:
			e.buf = appendItem(append(e.buf, ','), s.name, s.after)
		default:
			e.buf = appendItem(e.buf, s.name, s.after)
		}
	}
	e.buf = append(e.buf, '\n')
}

// bye says that the server leaves, to the page and to its EventSource.
func (e *encoder) bye(after time.Duration) {
	e.buf = append(e.buf, "retry: "+strconv.FormatInt(after.Milliseconds(), 10)+"\n"...)
	e.add(byeEvent(after))
}

// eventWriter writes events, as one write where they fit in a chunk.
type eventWriter struct {
	writer
	*encoder
}

func (w eventWriter) write(events []event) error {
	for _, e := range events {
		w.add(e)
		if len(w.buf) >= chunk {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

func (w eventWriter) flush() error {
	err := w.writer.write(w.buf)
	if cap(w.buf) > 2*chunk {
		w.buf = nil // a stream that is silent again holds little
	}
	w.buf = w.buf[:0]
	return err
}
