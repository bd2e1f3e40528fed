package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/problem"
)

// Limits, in characters (code points).
const (
	MaxText     = 4000
	MaxRoomName = 60
	MaxTopic    = 300
)

// checkText checks what a person says: nothing is changed in it.
func checkText(text string) error {
	if err := checkCharacters("text", text); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(text); n > MaxText {
		return problem.TooLong.Detail("the text has %d characters; at most %d are allowed", n, MaxText)
	}
	if strings.TrimSpace(text) == "" {
		return problem.Empty.Detail("the text is empty: say something, in 1 to %d characters", MaxText)
	}
	return nil
}

// line prepares a text of one line (a room's name or topic): Unicode's normal form C, without spaces at its ends.
func line(what, s string, limit int) (string, error) {
	if len(s) > 64*limit {
		return "", problem.TooLong.Detail("the %s is too long; at most %d characters are allowed", what, limit)
	}
	s = strings.TrimSpace(norm.NFC.String(s))
	if strings.ContainsAny(s, "\n\t\u2028\u2029") {
		return "", problem.BadRequest.Detail("the %s has a line break or tab", what)
	}
	if err := checkCharacters(what, s); err != nil {
		return "", err
	}
	for _, r := range s {
		if unicode.Is(unicode.Bidi_Control, r) { // would turn around what stands beside it
			return "", problem.BadRequest.Detail("the %s has a character that turns the writing direction (%U)", what, r)
		}
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return "", problem.TooLong.Detail("the %s has %d characters; at most %d are allowed", what, n, limit)
	}
	return s, nil
}

func checkCharacters(what, s string) error {
	if !utf8.ValidString(s) {
		return problem.BadRequest.Detail("the %s is not valid UTF-8", what)
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return problem.BadRequest.Detail("the %s has a control character (%U); only line feeds and tabs are allowed", what, r)
		}
	}
	return nil
}

// decode reads a message's data into v, strictly.
func decode(typ string, data json.RawMessage, v any) error {
	if !utf8.Valid(data) {
		return problem.BadRequest.Detail("the data is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		err = errors.New("there is more after the JSON value")
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return problem.BadField.Detail("the data of a message of type %q has no field %s", typ, field)
	}
	return problem.BadRequest.Detail("the data of a message of type %q is malformed: %s", typ, strings.TrimPrefix(err.Error(), "json: "))
}
