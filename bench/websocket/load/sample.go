package load

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"

	"parley/bench/side"
)

// sampled is how many messages of a connection are inflated and compared.
const sampled = 100

// sample inflates the first messages of a connection and compares them with those sent, in turn.
type sample struct {
	messages   [][]byte
	noTakeover bool
	enough     int // messages to look at

	compressed bool
	payload    []byte
	window     []byte // the text before, at most 32 KiB
	seen       int
}

func (s *sample) begin(compressed bool) {
	s.compressed, s.payload = compressed, s.payload[:0]
}

func (s *sample) add(p []byte) { s.payload = append(s.payload, p...) }

// end compares the message; more says whether to go on.
func (s *sample) end() (more bool, err error) {
	text := s.payload
	if !s.compressed && len(text) >= 1<<10 {
		return false, fmt.Errorf("%w: a message of %d bytes came uncompressed", side.ErrUnsupported, len(text))
	}
	if s.compressed {
		// The bytes that the sender left out, and an empty last block so that the reader sees an end.
		in := bytes.NewReader(append(append(s.payload, tail...), 1, 0, 0, 0xff, 0xff))
		var dict []byte
		if !s.noTakeover {
			dict = s.window
		}
		if text, err = io.ReadAll(flate.NewReaderDict(in, dict)); err != nil {
			return false, fmt.Errorf("message %d does not inflate: %w", s.seen, err)
		}
		s.window = append(s.window, text...)
		s.window = s.window[max(0, len(s.window)-1<<15):]
	}
	if want := s.messages[s.seen%len(s.messages)]; !bytes.Equal(text, want) {
		return false, fmt.Errorf("message %d differs from what was sent", s.seen)
	}
	s.seen++
	return s.seen < s.enough, nil
}
