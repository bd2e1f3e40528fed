package load

import (
	"bytes"
	"fmt"
	"strconv"
)

// Head is what matters of an answer's head.
type Head struct {
	Status       int
	ETag         []byte
	LastModified []byte

	length  int // of the body; -1: not told
	chunked bool
}

var endOfHead = []byte("\r\n\r\n")

// parseHead parses the head at the beginning of p and returns its length, 0 if it is not complete. What h refers to
// is in p.
func parseHead(p []byte, h *Head) (int, error) {
	end := bytes.Index(p, endOfHead)
	if end < 0 {
		if len(p) > 16<<10 {
			return 0, fmt.Errorf("an endless head")
		}
		return 0, nil
	}
	*h = Head{length: -1}
	if end < 12 || p[0] != 'H' {
		return 0, fmt.Errorf("not HTTP: %.60q", p)
	}
	h.Status = int(p[9]-'0')*100 + int(p[10]-'0')*10 + int(p[11]-'0')
	for lines := p[:end+2]; len(lines) > 0; {
		i := bytes.IndexByte(lines, '\n')
		line := lines[:max(i-1, 0)]
		lines = lines[i+1:]
		name, value, ok := bytes.Cut(line, []byte(": "))
		if !ok {
			continue
		}
		switch len(name) {
		case len("etag"):
			if is(name, "etag") {
				h.ETag = value
			}
		case len("last-modified"):
			if is(name, "last-modified") {
				h.LastModified = value
			}
		case len("content-length"):
			if is(name, "content-length") {
				n, err := strconv.Atoi(string(value))
				if err != nil {
					return 0, fmt.Errorf("Content-Length %q", value)
				}
				h.length = n
			}
		case len("transfer-encoding"):
			h.chunked = h.chunked || is(name, "transfer-encoding")
		}
	}
	return end + 4, nil
}

func is(name []byte, lower string) bool { return bytes.EqualFold(name, []byte(lower)) }

// parseAnswer parses the whole answer at the beginning of p, whose end must be told by its length or by chunks, and
// returns its length, 0 if it is not complete.
func parseAnswer(p []byte, h *Head) (body []byte, n int, err error) {
	n, err = parseHead(p, h)
	if n == 0 || err != nil {
		return nil, 0, err
	}
	switch {
	case h.Status == 304 || h.Status == 204 || h.Status < 200:
		return nil, n, nil
	case h.chunked:
		for {
			chunk, m, err := parseChunk(p[n:])
			if m == 0 || err != nil {
				return nil, 0, err
			}
			if n += m; len(chunk) == 0 {
				return body, n, nil
			}
			body = append(body, chunk...)
		}
	case h.length < 0:
		return nil, 0, fmt.Errorf("an answer (%d) whose end cannot be known", h.Status)
	case len(p) < n+h.length:
		return nil, 0, nil
	}
	return p[n : n+h.length], n + h.length, nil
}

// parseChunk returns the chunk at the beginning of p and its length with all that belongs to it, 0 if it is not complete.
func parseChunk(p []byte) (chunk []byte, n int, err error) {
	i := bytes.IndexByte(p, '\n')
	if i < 1 {
		return nil, 0, nil
	}
	size := 0
	for _, c := range p[:i-1] {
		switch {
		case c >= '0' && c <= '9':
			size = size<<4 | int(c-'0')
		case c >= 'a' && c <= 'f':
			size = size<<4 | int(c-'a'+10)
		case c >= 'A' && c <= 'F':
			size = size<<4 | int(c-'A'+10)
		default:
			return nil, 0, fmt.Errorf("a chunk's size %q", p[:i-1])
		}
	}
	if n = i + 1 + size + 2; len(p) < n {
		return nil, 0, nil
	}
	return p[i+1 : i+1+size], n, nil
}
