package plain

// The functions below return where what begins at i ends (RFC 8259), and -1 if there is nothing of its kind.

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// skipValue takes arrays and objects that nest at most so deep.
func skipValue(data []byte, i, depth int) int {
	if i >= len(data) {
		return -1
	}
	switch c := data[i]; c {
	case '"':
		return skipString(data, i)
	case '{', '[':
		if depth == 0 {
			return -1
		}
		return skipNested(data, i, depth-1)
	case 't':
		return skipLiteral(data, i, "true")
	case 'f':
		return skipLiteral(data, i, "false")
	case 'n':
		return skipLiteral(data, i, "null")
	}
	return skipNumber(data, i)
}

// skipNested skips an object or array.
func skipNested(data []byte, i, depth int) int {
	object := data[i] == '{'
	last := byte(']')
	if object {
		last = '}'
	}
	if i = skipSpace(data, i+1); i < len(data) && data[i] == last {
		return i + 1
	}
	for {
		if object {
			if i = skipString(data, i); i < 0 {
				return -1
			}
			if i = skipSpace(data, i); i == len(data) || data[i] != ':' {
				return -1
			}
			i = skipSpace(data, i+1)
		}
		if i = skipValue(data, i, depth); i < 0 {
			return -1
		}
		if i = skipSpace(data, i); i == len(data) {
			return -1
		}
		switch data[i] {
		case last:
			return i + 1
		case ',':
			i = skipSpace(data, i+1)
		default:
			return -1
		}
	}
}

func skipString(data []byte, i int) int {
	if i >= len(data) || data[i] != '"' {
		return -1
	}
	for i++; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c == '\\':
			if i++; i == len(data) {
				return -1
			}
			switch data[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					if i++; i == len(data) || !isHex(data[i]) {
						return -1
					}
				}
			default:
				return -1
			}
		}
	}
	return -1
}

func isHex(c byte) bool { return IsDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// IsDigit reports whether c is a decimal digit.
func IsDigit(c byte) bool { return c >= '0' && c <= '9' }

func skipLiteral(data []byte, i int, literal string) int {
	if end := i + len(literal); end <= len(data) && string(data[i:end]) == literal {
		return end
	}
	return -1
}

func skipNumber(data []byte, i int) int {
	if i < len(data) && data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else if i = skipDigits(data, i); i < 0 {
		return -1
	}
	if i < len(data) && data[i] == '.' {
		if i = skipDigits(data, i+1); i < 0 {
			return -1
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		if i++; i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		i = skipDigits(data, i)
	}
	return i
}

// skipDigits wants at least one.
func skipDigits(data []byte, i int) int {
	begin := i
	for i < len(data) && IsDigit(data[i]) {
		i++
	}
	if i == begin {
		return -1
	}
	return i
}
