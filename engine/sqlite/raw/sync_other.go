//go:build !linux

package raw

// SyncData is for Linux.
func (*Conn) SyncData() error { return nil }
