package client

import "time"

// backoff says how long to wait before the next try: full jitter, a random part of a ceiling that doubles, so that clients
// that lost their server together do not come back together.
type backoff struct {
	min, max time.Duration // ceilings of the first and of all delays
	random   func() float64
	tries    int
}

// next is the next delay. What the server asked for is never undercut; the jitter comes on top, within the first ceiling.
func (b *backoff) next(why *Error) time.Duration {
	ceiling := min(b.max, b.min<<min(b.tries, 30))
	if ceiling <= 0 {
		ceiling = b.max
	}
	b.tries++
	if why != nil && why.said {
		return why.RetryAfter + b.part(min(ceiling, b.min))
	}
	return b.part(ceiling)
}

func (b *backoff) part(ceiling time.Duration) time.Duration {
	return time.Duration(b.random() * float64(ceiling))
}

func (b *backoff) reset() { b.tries = 0 }
