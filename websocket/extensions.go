package websocket

import (
	"net/http"
	"strings"
)

const extensionsHeader = "Sec-Websocket-Extensions"

// extension is one element of Sec-WebSocket-Extensions: a name, and parameters with or without values.
type extension struct {
	name   string
	params []param
}

type param struct {
	name, value string
	hasValue    bool
}

// parseExtensions reads the header (RFC 6455, section 9.1):
//
//	extension-list  = 1#extension
//	extension       = token *( ";" extension-param )
//	extension-param = token [ "=" (token | quoted-string) ]
//
// A value in quotes must be a token too once unquoted. ok is false if the header breaks the grammar: then the handshake must fail.
func parseExtensions(h http.Header) (list []extension, ok bool) {
	for _, line := range h[extensionsHeader] {
		s := extensionScanner(line)
		for {
			e, ok := s.extension()
			if !ok {
				return nil, false
			}
			list = append(list, e)
			if s.eat(',') {
				continue
			}
			if s != "" {
				return nil, false
			}
			break
		}
	}
	return list, true
}

// extensionScanner is what is left of a header line.
type extensionScanner string

func (s *extensionScanner) extension() (e extension, ok bool) {
	if e.name, ok = s.token(); !ok {
		return e, false
	}
	for s.eat(';') {
		var p param
		if p.name, ok = s.token(); !ok {
			return e, false
		}
		if p.hasValue = s.eat('='); p.hasValue {
			if p.value, ok = s.value(); !ok {
				return e, false
			}
		}
		e.params = append(e.params, p)
	}
	return e, true
}

func (s *extensionScanner) skipSpace() { *s = extensionScanner(strings.TrimLeft(string(*s), " \t")) }

func (s *extensionScanner) eat(b byte) bool {
	s.skipSpace()
	if *s == "" || (*s)[0] != b {
		return false
	}
	*s = (*s)[1:]
	return true
}

func (s *extensionScanner) token() (string, bool) {
	s.skipSpace()
	n := 0
	for n < len(*s) && isToken(string((*s)[n:n+1])) {
		n++
	}
	token := string((*s)[:n])
	*s = (*s)[n:]
	s.skipSpace()
	return token, n > 0
}

func (s *extensionScanner) value() (string, bool) {
	if !s.eat('"') {
		return s.token()
	}
	var value []byte
	for i := 0; i < len(*s); i++ {
		switch b := (*s)[i]; b {
		case '"':
			*s = (*s)[i+1:]
			s.skipSpace()
			return string(value), isToken(string(value))
		case '\\':
			if i++; i == len(*s) {
				return "", false
			}
			value = append(value, (*s)[i])
		default:
			value = append(value, b)
		}
	}
	return "", false
}
