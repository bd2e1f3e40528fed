package sqlite

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// lock keeps a second server off the data. It is a file of its own, because SQLite's locks come and go with each
// transaction. The file stays when the lock is released: removing it would let two servers lock two files of one name.
type lock struct{ file *os.File }

// acquire takes the lock, and leaves the process id in the file for whoever comes second.
func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	ok, err := lockFile(f)
	if err == nil && !ok {
		pid, _ := io.ReadAll(io.LimitReader(f, 32))
		err = fmt.Errorf("%w (process %s, which holds %s): stop it, or choose another data folder",
			ErrInUse, strings.TrimSpace(string(pid)), path)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.file.Close() }
