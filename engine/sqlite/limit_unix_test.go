//go:build unix

package sqlite

import (
	"os/signal"
	"syscall"
)

// limitFileSize makes writes past size fail with EFBIG.
func limitFileSize(size uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size})
}
