package plain

import "unicode/utf8"

// Compact returns data, a JSON value, without the white space between its tokens: data itself where there is none.
func Compact(data []byte) ([]byte, bool) {
	begin := skipSpace(data, 0)
	end := skipValue(data, begin, MaxDepth)
	if end < 0 || skipSpace(data, end) < len(data) || !utf8.Valid(data) {
		return nil, false
	}
	value := data[begin:end]
	space := nextSpace(value, 0)
	if space == len(value) {
		return value, true
	}
	out := make([]byte, 0, len(value))
	for from := 0; ; {
		out = append(out, value[from:space]...)
		if space == len(value) {
			return out, true
		}
		from = skipSpace(value, space)
		space = nextSpace(value, from)
	}
}

// nextSpace is where the next white space between tokens begins, or where the value ends.
func nextSpace(value []byte, i int) int {
	for i < len(value) {
		switch value[i] {
		case '"':
			i = skipString(value, i)
		case ' ', '\n', '\t', '\r':
			return i
		default:
			i++
		}
	}
	return i
}
