//go:build unix

package sqlite

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limitFileSize makes writes past size fail with EFBIG; 0 lifts that.
func limitFileSize(size uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if limit.Cur = limit.Max; size > 0 {
		limit.Cur = size
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

// breakFile makes the process's open files at path take writes, and fail when they are to be on the disk: they become /dev/null, of
// which fsync returns EINVAL.
func breakFile(path string) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	var want, have unix.Stat_t
	if err := unix.Stat(path, &want); err != nil {
		return err
	}
	broken := 0
	for fd := range 256 {
		if unix.Fstat(fd, &have) == nil && have.Ino == want.Ino && have.Dev == want.Dev {
			if err := unix.Dup2(null, fd); err != nil {
				return err
			}
			broken++
		}
	}
	if broken == 0 {
		return fmt.Errorf("%s is not open", path)
	}
	return nil
}

// cpuTime is what the process has used of the processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
