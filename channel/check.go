package channel

import (
	"bytes"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"parley/internal/plain"
	"parley/problem"
)

var (
	ErrBadType = problem.New(http.StatusUnprocessableEntity, "bad_type", "The type is malformed")
	ErrBadKey  = problem.New(http.StatusBadRequest, "bad_request", "The idempotency key is malformed")
	ErrBadData = problem.New(http.StatusBadRequest, "bad_request", "The data is not JSON")
)

// maxNesting bounds how deep arrays and objects of data nest, for the sake of those who parse it by recursion.
const maxNesting = 64

// check refuses a draft that no log should have, and compacts its data.
func (d *Draft) check(limit int) (err error) {
	if _, err := ParseName(string(d.Channel)); err != nil {
		return err
	}
	if err := checkType(d.Type); err != nil {
		return err
	}
	if d.Key != "" && !ValidKey(d.Key) {
		return ErrBadKey.Detail("%.80q is not a key: 1 to 64 characters of A–Z a–z 0–9 . _ ~ -", d.Key)
	}
	if d.Data, err = compact(d.Data, limit); err != nil {
		return err
	}
	if d.Amend != nil {
		amend := *d.Amend
		if amend.Data, err = compact(amend.Data, limit); err != nil {
			return err
		}
		d.Amend = &amend
	}
	return nil
}

// check refuses a signal that no reader should get, and compacts its data.
func (s *Signal) check(limit int) (err error) {
	if _, err := ParseName(string(s.Channel)); err != nil {
		return err
	}
	if err := checkType(s.Type); err != nil {
		return err
	}
	if len(s.Data) == 0 {
		s.Data = json.RawMessage("{}")
	}
	s.json = nil
	s.Data, err = compact(s.Data, limit)
	return err
}

// ValidKey reports whether s may be a message's key: 1 to 64 of A–Z a–z 0–9 . _ ~ -.
func ValidKey(s string) bool { return s != "" && len(s) <= 64 && Unreserved(s) }

// checkType wants [a-z][a-z0-9._-]{0,31}.
func checkType(s string) error {
	ok := s != "" && len(s) <= 32
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return ErrBadType.Detail("%.40q is not a type: 1 to 32 characters of a–z 0–9 . _ -, a letter first", s)
	}
	return nil
}

// compact returns data without white space, which may be a part of it, if it is JSON (RFC 8259) within the limits.
func compact(data json.RawMessage, limit int) (json.RawMessage, error) {
	if short, ok := plain.Compact(data); ok && len(short) <= limit {
		return short, nil
	}
	if !utf8.Valid(data) {
		return nil, ErrBadData.Detail("the data is not UTF-8 (RFC 8259 section 8.1)")
	}
	if n := nesting(data); n > maxNesting {
		return nil, ErrBadData.Detail("the data nests %d deep: at most %d", n, maxNesting)
	}
	var out bytes.Buffer
	out.Grow(len(data))
	if err := json.Compact(&out, data); err != nil {
		return nil, ErrBadData.Detail("the data is not JSON: %s", err)
	}
	if out.Len() > limit {
		return nil, problem.TooLong.Detail("the data is %d bytes: at most %d", out.Len(), limit)
	}
	return out.Bytes(), nil
}

// nesting is how deep data nests, if it is JSON.
func nesting(data []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}
