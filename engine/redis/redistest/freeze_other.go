//go:build !unix

package redistest

import "syscall"

// Elsewhere Redis does not run; the tests are only compiled.
const (
	freeze = syscall.Signal(0x13)
	thaw   = syscall.Signal(0x12)
)
