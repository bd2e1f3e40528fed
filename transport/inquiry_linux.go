package transport

import (
	"sync"
	"sync/atomic"

	"parley/channel"
)

// inquiry is what a line asks the database, which its loop must not wait for. One goes on at a time.
type inquiry[T any] struct {
	asking atomic.Bool
	found  *found[T] // by a goroutine, while asking; then the loop's
}

type found[T any] struct {
	value T
	err   error
}

// ask finds it out in a goroutine of a group, and then schedules the line.
func (i *inquiry[T]) ask(t *Transport, l *line, group *sync.WaitGroup, find func() (T, error)) {
	i.asking.Store(true)
	group.Go(func() {
		f := &found[T]{}
		defer func() {
			i.found = f
			i.asking.Store(false)
			l.Schedule()
		}()
		defer t.survive(func() { f.err = channel.ErrClosed })
		f.value, f.err = find()
	})
}
