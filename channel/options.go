package channel

import "time"

// Options are the limits of a Hub. The zero value of every field means its default.
type Options struct {
	Policies Policies // how each kind of channel is read; default: none is conflated

	CacheMessages int // newest messages kept in memory for each channel that has readers; default 256
	CacheBytes    int // their data, about, in bytes; default 256 KiB. The newest one is kept whatever its size.

	IdleChannels int // channels whose tail is kept in memory when their last reader has left; default 1,024

	ConflateEvery time.Duration // how often the readers of a conflated kind are woken at most; default 200 ms, negative: for every commit

	BatchLimit int // messages in a batch where the reader does not say; default 100
	BatchBytes int // bytes, about, of a batch, and of all that one Next or Ready returns; default 1 MiB

	DataLimit   int // bytes of a message's data, compacted; default 16 KiB
	SignalLimit int // bytes of a signal's data, compacted; default 1 KiB
	SignalQueue int // signals that wait for a slow stream, before the oldest are dropped; default 64
	MaxChannels int // channels of one reader; default 256

	StreamGrace time.Duration // how long somebody stays present after their last stream or long poll; default 10 s
	PollGrace   time.Duration // the same after a poll; default 30 s
	HereLimit   int           // people in a here signal; above it join and leave are not signalled; default 200
}

func (o Options) withDefaults() Options {
	def(&o.CacheMessages, 256)
	def(&o.CacheBytes, 256<<10)
	def(&o.IdleChannels, 1024)
	if o.ConflateEvery == 0 {
		o.ConflateEvery = 200 * time.Millisecond
	}
	def(&o.BatchLimit, 100)
	def(&o.BatchBytes, 1<<20)
	def(&o.DataLimit, 16<<10)
	def(&o.SignalLimit, 1<<10)
	def(&o.SignalQueue, 64)
	def(&o.MaxChannels, 256)
	def(&o.StreamGrace, 10*time.Second)
	def(&o.PollGrace, 30*time.Second)
	def(&o.HereLimit, 200)
	return o
}

func def[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
