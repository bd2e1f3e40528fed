package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"parley/problem"
)

// MaxDepth is how deeply objects and arrays may be nested.
const MaxDepth = 64

// Decode reads data, which must be exactly one JSON object, into v, which points to a struct. Of a field that is given twice the
// last one counts (RFC 8259, section 4, leaves it open).
//
// It returns problem.BadField for a field that v does not have, and problem.BadRequest for all else that is wrong.
func Decode(data []byte, v any) error {
	switch trimmed := bytes.TrimLeft(data, " \t\r\n"); {
	case len(trimmed) == 0:
		return problem.BadRequest.Detail("the body is empty: a JSON object is needed")
	case trimmed[0] != '{':
		return problem.BadRequest.Detail("a JSON object is needed: it begins with {")
	case !utf8.Valid(data):
		return problem.BadRequest.Detail("the JSON is not UTF-8")
	case tooDeep(data):
		return problem.BadRequest.Detail("the JSON is nested more than %d deep", MaxDepth)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return explain(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return problem.BadRequest.Detail("something follows the JSON object")
	}
	return nil
}

// explain words what encoding/json found, without the names of Go's types.
func explain(err error) error {
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return problem.BadRequest.Detail("the field %q has the wrong type: it may not be a %s", mistyped.Field, mistyped.Value)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return problem.BadRequest.Detail("the JSON is malformed near byte %d: %v", syntax.Offset, syntax)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return problem.BadRequest.Detail("the JSON breaks off")
	}
	// The package has no type for this one; TestJSON holds it to the wording.
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return problem.BadField.Detail("there is no field %.80s here", field)
	}
	return problem.BadRequest.Detail("the JSON does not fit the request").Because(err)
}

// tooDeep counts brackets outside strings; whether they match is the decoder's question.
func tooDeep(data []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
