package load

import "bytes"

// events follows Server-Sent Events, in chunks or not; an event's data is one line with every server here.
type events struct {
	chunked bool
	text    []byte // of an event that has begun in an earlier chunk
}

// take takes all whole events of p; their data go to message.
func (e *events) take(p []byte, message func([]byte) error) (taken int, err error) {
	if !e.chunked {
		return e.whole(p, message)
	}
	for {
		chunk, n, err := parseChunk(p[taken:])
		if n == 0 || err != nil {
			return taken, err
		}
		taken += n
		if len(e.text) > 0 {
			e.text = append(e.text, chunk...)
			chunk = e.text
		}
		n, err = e.whole(chunk, message)
		if err != nil {
			return taken, err
		}
		if n == len(chunk) {
			e.text = nil
		} else {
			e.text = append([]byte(nil), chunk[n:]...)
		}
	}
}

var (
	endOfEvent = []byte("\n\n")
	dataLine   = []byte("data: ")
)

func (e *events) whole(p []byte, message func([]byte) error) (taken int, err error) {
	for {
		n := bytes.Index(p[taken:], endOfEvent)
		if n < 0 {
			return taken, nil
		}
		event := p[taken : taken+n]
		taken += n + 2
		for len(event) > 0 {
			line := event
			if i := bytes.IndexByte(event, '\n'); i >= 0 {
				line, event = event[:i], event[i+1:]
			} else {
				event = nil
			}
			if data, ok := bytes.CutPrefix(line, dataLine); ok {
				if err := message(data); err != nil {
					return taken, err
				}
			}
		}
	}
}
