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
	done, err := t.enter(r)
	if err != nil {
		return err
	}
	defer done()
	s, opening, err := t.openStream(r.Context(), q, person)
	if err != nil {
		return err
	}
	defer s.Close()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform") // no-transform keeps proxies from compressing, which buffers
	h.Set("X-Accel-Buffering", "no")                 // nginx
	w.WriteHeader(http.StatusOK)
	out := newEventWriter(t.writer(w), &q)
	defer out.done()
	defer context.AfterFunc(t.cut, out.cutOff)()
	out.buf = append(out.buf, "retry: "+strconv.FormatInt(retryAdvice.Milliseconds(), 10)+"\n"...)
	out.add(opening[0])
	out.buf = append(out.buf, padding...)
	if out.write(opening[1:]) != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(t.leaving, cancel)()
	for s.Len() > 0 {
		events, err := s.await(ctx, r.Context())
		if err != nil {
			if r.Context().Err() == nil {
				out.bye(t.comeBack())
				t.logStream(r, err)
			}
			return nil
		}
		if out.write(events) != nil {
			return nil // gone, or it takes nothing: it will come back to its position
		}
	}
	return nil // every channel has ended; who connects again is told why
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

// eventWriter writes events, with the ids by which a reader that was cut off comes back.
type eventWriter struct {
	writer
	many bool
	seen []start // where the reader is once all of buf has arrived
	buf  []byte
}

func newEventWriter(w writer, q *query) *eventWriter {
	return &eventWriter{writer: w, many: q.many, seen: append([]start(nil), q.starts...)}
}

// write sends the events, as one write where they fit in a chunk.
func (w *eventWriter) write(events []event) error {
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

func (w *eventWriter) flush() error {
	err := w.writer.write(w.buf)
	if cap(w.buf) > 2*chunk {
		w.buf = nil // a stream that is silent again holds little
	}
	w.buf = w.buf[:0]
	return err
}

func (w *eventWriter) add(e event) {
	w.buf = append(append(append(w.buf, "event: "...), e.name...), '\n')
	if e.batch != nil {
		w.moved(e.batch)
		w.addID()
	}
	w.buf = e.appendJSON(append(w.buf, "data: "...))
	w.buf = append(w.buf, "\n\n"...)
}

// moved notes where a batch or gap brings the reader.
func (w *eventWriter) moved(b *channel.Batch) {
	for i := range w.seen {
		if w.seen[i].name != b.Channel {
			continue
		}
		switch {
		case b.Gap == nil:
			w.seen[i].after = b.To
		case b.Gap.Reason != channel.Deleted:
			w.seen[i].after = b.Gap.Resume
		}
	}
}

func (w *eventWriter) addID() {
	w.buf = append(w.buf, "id: "...)
	for i, s := range w.seen {
		switch {
		case !w.many:
			w.buf = s.after.AppendText(w.buf)
		case i > 0:
			w.buf = appendItem(append(w.buf, ','), s.name, s.after)
		default:
			w.buf = appendItem(w.buf, s.name, s.after)
		}
	}
	w.buf = append(w.buf, '\n')
}

// bye says that the server leaves, to the page and to its EventSource.
func (w *eventWriter) bye(after time.Duration) {
	w.buf = append(w.buf, "retry: "+strconv.FormatInt(after.Milliseconds(), 10)+"\n"...)
	_ = w.write([]event{byeEvent(after)})
}
