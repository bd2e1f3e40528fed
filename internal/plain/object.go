package plain

import (
	"strconv"
	"unicode/utf8"
)

// MaxDepth bounds how deep arrays and objects nest.
const MaxDepth = 64

// Object calls field for each field of the object that data is, in their order, with its name and its value as they stand
// there. It reports false if data is not that or field does.
func Object(data []byte, field func(name, value []byte) bool) bool {
	if !utf8.Valid(data) {
		return false
	}
	i := skipSpace(data, 0)
	if i == len(data) || data[i] != '{' {
		return false
	}
	for i = skipSpace(data, i+1); ; i = skipSpace(data, i+1) {
		end := skipString(data, i)
		if end < 0 {
			return false
		}
		name := data[i+1 : end-1]
		if i = skipSpace(data, end); i == len(data) || data[i] != ':' {
			return false
		}
		i = skipSpace(data, i+1)
		if end = skipValue(data, i, MaxDepth-1); end < 0 || !field(name, data[i:end]) {
			return false
		}
		if i = skipSpace(data, end); i == len(data) {
			return false
		}
		switch data[i] {
		case ',':
		case '}':
			return skipSpace(data, i+1) == len(data)
		default:
			return false
		}
	}
}

// Array calls element for each element of the array that value, of a field, is. It reports false if value is not that or element does.
func Array(value []byte, element func(value []byte) bool) bool {
	if value[0] != '[' {
		return false
	}
	i := skipSpace(value, 1)
	for value[i] != ']' {
		end := skipValue(value, i, MaxDepth-1)
		if end < 0 || !element(value[i:end]) {
			return false
		}
		if i = skipSpace(value, end); value[i] == ',' {
			i = skipSpace(value, i+1)
		}
	}
	return true
}

// String is what a string says that has nothing to be unescaped.
func String(value []byte) (string, bool) {
	if value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	for _, c := range inner {
		if c == '\\' || c >= utf8.RuneSelf {
			return "", false
		}
	}
	return string(inner), true
}

// Int is a whole number of up to 18 digits.
func Int(value []byte) (int, bool) {
	digits := value
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) > 18 || skipDigits(digits, 0) != len(digits) {
		return 0, false
	}
	n, err := strconv.Atoi(string(value))
	return n, err == nil
}
