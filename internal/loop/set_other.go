//go:build !linux

package loop

// Loop is for Linux.
type Loop struct{}

// Set has no loops here.
type Set struct{}

// Pick returns nil: here connections have goroutines.
func (*Set) Pick() *Loop { return nil }

// Stop has nothing to do.
func (*Set) Stop() {}
