package raw

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"unsafe"
)

// Value is an argument as SQLite knows it: unlike one that was made an any, it takes no memory of its own. The zero Value is NULL.
type Value struct {
	kind  kind
	int   int64
	bytes string // of a text or blob
}

type kind uint8

const (
	null kind = iota
	integer
	text
	blob
)

// Int is an INTEGER.
func Int(n int64) Value { return Value{kind: integer, int: n} }

// Text is TEXT.
func Text(s string) Value { return Value{kind: text, bytes: s} }

// TextOf is Text of bytes, which may not be changed while the statement runs.
func TextOf(b []byte) Value { return Text(unsafe.String(unsafe.SliceData(b), len(b))) }

// Blob is a BLOB, NULL if b is nil; b may not be changed while the statement runs.
func Blob(b []byte) Value {
	if b == nil {
		return Value{}
	}
	v := TextOf(b)
	v.kind = blob
	return v
}

// valueOf is what arg stands for.
func valueOf(arg any) (Value, error) {
	switch v := arg.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return v, nil
	case int64:
		return Int(v), nil
	case int:
		return Int(int64(v)), nil
	case uint64:
		return Int(int64(v)), nil
	case bool:
		return ofBool(v), nil
	case string:
		return Text(v), nil
	case []byte:
		return Blob(v), nil
	case driver.Valuer:
		plain, err := v.Value()
		if err != nil {
			return Value{}, err
		}
		return valueOf(plain)
	}
	switch v := reflect.ValueOf(arg); v.Kind() {
	case reflect.String:
		return Text(v.String()), nil
	case reflect.Bool:
		return ofBool(v.Bool()), nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		return Int(v.Int()), nil
	case reflect.Uint, reflect.Uint64, reflect.Uint32:
		return Int(int64(v.Uint())), nil
	}
	return Value{}, fmt.Errorf("a %T cannot be bound", arg)
}

func ofBool(b bool) Value {
	if b {
		return Int(1)
	}
	return Int(0)
}
