// Package limit keeps rates: so many a second and so many at once, for each key (a person, an address).
package limit

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/problem"
)

// Rate is how often something may be done. The zero Rate does not limit.
type Rate struct {
	PerSecond float64
	Burst     int // at once
}

// Parse reads "10/40" (10 a second, 40 at once), "10" (the burst is the rate, at least 1) or "off".
func Parse(s string) (Rate, error) {
	if s == "off" {
		return Rate{}, nil
	}
	perSecond, burst, both := strings.Cut(s, "/")
	r, err := strconv.ParseFloat(perSecond, 64)
	if err != nil || !(r > 0 && r <= 1e9) {
		return Rate{}, fmt.Errorf("%q is not a rate: write 10/40 for 10 a second and 40 at once, or off", s)
	}
	b := max(1, int(r))
	if both {
		if b, err = strconv.Atoi(burst); err != nil || b < 1 {
			return Rate{}, fmt.Errorf("%q is not a rate: the number at once must be 1 or more", s)
		}
	}
	return Rate{r, b}, nil
}

func (r Rate) String() string {
	if r.PerSecond == 0 {
		return "off"
	}
	return strconv.FormatFloat(r.PerSecond, 'f', -1, 64) + "/" + strconv.Itoa(r.Burst)
}

// MarshalText and UnmarshalText let a Rate be a flag or a line of a configuration file.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
func (r *Rate) UnmarshalText(b []byte) (err error) {
	*r, err = Parse(string(b))
	return err
}

// maxKeys bounds the memory of one Limiter (about 150 bytes a key). When so many keys are in use at once, those that
// have been idle longest are forgotten first.
const maxKeys = 100_000

// Limiter keeps one Rate for many keys. It may be used concurrently.
type Limiter[K comparable] struct {
	rate Rate
	what string
	now  func() time.Time

	mu      sync.Mutex
	young   map[K]*rate.Limiter // used since the last turn
	old     map[K]*rate.Limiter // used before it
	turned  time.Time
	refills time.Duration // an idle key is full again after this
}

// New makes a Limiter; what names the thing in the error, for example "messages".
func New[K comparable](r Rate, what string) *Limiter[K] {
	return &Limiter[K]{rate: r, what: what, now: time.Now, young: map[K]*rate.Limiter{}, refills: r.refill()}
}

func (r Rate) refill() time.Duration {
	if r.PerSecond == 0 {
		return 0
	}
	return max(time.Second, time.Duration(float64(r.Burst)/r.PerSecond*float64(time.Second)))
}

// Allow takes one for key, or returns problem.RateLimited with the time to wait.
func (l *Limiter[K]) Allow(key K) error { return l.AllowN(key, 1) }

// Off reports whether everything is allowed.
func (l *Limiter[K]) Off() bool { return l.rate.PerSecond == 0 }

// AllowN takes n for key, all or none. More than there may be at once are never allowed.
func (l *Limiter[K]) AllowN(key K, n int) error {
	if l.Off() {
		return nil
	}
	if n > l.rate.Burst {
		return problem.RateLimited.Detail("%d %s at once are too many: the limit is %d", n, l.what, l.rate.Burst)
	}
	now := l.now()
	bucket := l.bucket(key, now)
	if bucket.AllowN(now, n) {
		return nil
	}
	reservation := bucket.ReserveN(now, n) // to learn when
	wait := reservation.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	reservation.CancelAt(now)
	return problem.RateLimited.
		Detail("too many %s: the limit is %v a second, %d at once; try again in %v", l.what, l.rate.PerSecond, l.rate.Burst, tenths(wait)).
		After(wait)
}

// tenths rounds up to tenths of a second: who comes back then is not too early.
func tenths(d time.Duration) time.Duration {
	return (d + 100*time.Millisecond - 1).Truncate(100 * time.Millisecond)
}

// bucket finds the key's bucket. Buckets live in two generations: a key idle for a whole generation, which lasts at
// least as long as a bucket takes to be full again, is forgotten without a scan.
func (l *Limiter[K]) bucket(key K, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.turned) > l.refills || len(l.young) >= maxKeys/2 {
		l.old, l.young, l.turned = l.young, make(map[K]*rate.Limiter), now
	}
	b := l.young[key]
	if b == nil {
		if b = l.old[key]; b == nil {
			b = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
		}
		l.young[key] = b
	}
	return b
}
