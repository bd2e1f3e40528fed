//go:build !linux

package raw

// TuneWAL is for Linux.
func (*Conn) TuneWAL() error { return nil }
