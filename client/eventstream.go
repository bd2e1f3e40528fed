package client

import (
	"bufio"
	"bytes"
	"io"
)

// eventReader reads a stream of events as the HTML standard describes it (section 9.2.6). Of each event only the data is of
// interest: the position is in it, and so is the kind.
type eventReader struct {
	r      *bufio.Reader
	line   []byte
	begun  bool
	skipLF bool // the last line ended with CR: an LF belongs to it
}

func newEventReader(r io.Reader) *eventReader { return &eventReader{r: bufio.NewReader(r)} }

// next returns the data of the next event. An event that is cut off is none.
func (e *eventReader) next() ([]byte, error) {
	var data []byte
	for {
		line, err := e.readLine()
		if err != nil {
			return nil, err
		}
		if !e.begun {
			e.begun = true
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			if data != nil {
				return data[:len(data)-1], nil
			}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		if string(field) == "data" {
			data = append(append(data, bytes.TrimPrefix(value, []byte(" "))...), '\n')
		}
		if len(data) > maxBatch {
			return nil, bufio.ErrTooLong
		}
	}
}

// readLine returns a line without its end: CR LF, LF or CR. It is good until the next call.
func (e *eventReader) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		b, err := e.r.ReadByte()
		if err != nil {
			return nil, err
		}
		if e.skipLF {
			e.skipLF = false
			if b == '\n' {
				continue
			}
		}
		switch b {
		case '\r':
			e.skipLF = true
			return e.line, nil
		case '\n':
			return e.line, nil
		}
		if e.line = append(e.line, b); len(e.line) > maxBatch {
			return nil, bufio.ErrTooLong
		}
	}
}
