package load

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Report is what was measured.
type Report struct {
	Kind        string  `json:"kind"`
	Transport   string  `json:"transport"`
	Connections int     `json:"connections"`
	Size        int     `json:"size"`
	Loop        string  `json:"loop"` // "open loop, 50/s" or "closed loop, 64 in flight"
	Seconds     float64 `json:"seconds"`

	ConnectPerSecond float64 `json:"connects_per_second"` // of the readers
	Lost             int64   `json:"connections_lost"`

	Sent          int64   `json:"sent"` // acknowledged publishes or ballots
	SentPerSecond float64 `json:"sent_per_second"`
	SendLatency   Latency `json:"send_latency"` // until acknowledged

	Delivered          int64   `json:"delivered"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	DeliveryLatency    Latency `json:"delivery_latency"`
	Missing            int64   `json:"missing"` // deliveries that had not come when the run ended
}

// Run measures. The error says why it could not; a *Refused is in it where the server refused.
func Run(ctx context.Context, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &run{o: o, site: &site{url: u}, clock: clock{time.Now()}, fail: fail}
	defer r.tell(ctx)()
	report, err := r.all(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return report, err
}

type run struct {
	o     Options
	site  *site
	stage *stage
	clock clock
	fail  context.CancelCauseFunc // ends the measurement

	phase     atomic.Pointer[string]
	began     atomic.Int64 // the phase
	connected atomic.Int64
	lost      atomic.Int64
	leaving   atomic.Bool // connections that end now are not lost
	measuring atomic.Bool

	published atomic.Int64 // acknowledged since the readers are there
	received  [shards]counter
	sends     histogram
	arrivals  [4]histogram // readers in turn, so that they do not wait for each other's
}

// counter is in a cache line of its own.
type counter struct {
	all, counted atomic.Int64
	_            [48]byte
}

const shards = 16

func (r *run) all(ctx context.Context) (*Report, error) {
	r.enter("preparing")
	var err error
	defer func() {
		r.leaving.Store(true)
		if r.stage != nil && len(r.stage.tokens) > 0 {
			r.enter("tidying up")
			r.site.strike(r.stage)
		}
	}()
	if r.stage, err = r.site.prepare(ctx, r.o, func(float64) {}); err != nil {
		return nil, err
	}
	audience := newAudience(r)
	defer audience.leave()
	report := &Report{Kind: r.o.Kind, Transport: r.o.Transport, Connections: r.o.Connections, Size: r.o.Size}
	if r.o.Kind != "publish" && r.o.Connections > 0 {
		r.enter("connecting")
		began := time.Now()
		if err := audience.come(ctx); err != nil {
			return nil, err
		}
		report.ConnectPerSecond = float64(r.o.Connections) / time.Since(began).Seconds()
	}
	if r.o.Kind == "idle" {
		r.enter("measuring")
		pause(ctx, r.o.For)
		report.Loop, report.Seconds, report.Lost = "none", r.o.For.Seconds(), r.lost.Load()
		return report, nil
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var senders sync.WaitGroup
	if err := r.startSenders(sending, &senders); err != nil {
		stop()
		senders.Wait()
		return nil, err
	}
	r.enter("warming up")
	pause(ctx, r.o.Warmup)
	r.enter("measuring")
	r.measuring.Store(true)
	began := time.Now()
	pause(ctx, r.o.For)
	r.measuring.Store(false)
	seconds := time.Since(began).Seconds()
	stop()
	senders.Wait()
	r.enter("draining")
	if r.o.Kind == "fanout" || r.o.Kind == "longpoll" {
		report.Missing = r.drain(ctx)
	}
	report.fill(r, seconds)
	return report, nil
}

// drain waits until everybody has everything, and returns how many deliveries are missing when nothing comes any more.
func (r *run) drain(ctx context.Context) (missing int64) {
	for before, still := int64(-1), 0; still < 20; {
		got := r.deliveries()
		if missing = r.published.Load()*r.connected.Load() - got; missing <= 0 || !pause(ctx, 100*time.Millisecond) {
			return max(missing, 0)
		}
		if still++; got != before {
			before, still = got, 0
		}
	}
	return missing
}

func (r *run) deliveries() (n int64) {
	for i := range r.received {
		n += r.received[i].all.Load()
	}
	return n
}

func (p *Report) fill(r *run, seconds float64) {
	p.Seconds, p.Lost = seconds, r.lost.Load()
	p.Loop = fmt.Sprintf("closed loop, %d in flight", r.o.InFlight)
	if r.o.Rate > 0 {
		p.Loop = "open loop, " + strconv.FormatFloat(r.o.Rate, 'f', -1, 64) + "/s"
	}
	for i := range r.sends.buckets {
		p.Sent += int64(r.sends.buckets[i].Load())
	}
	for i := range r.received {
		p.Delivered += r.received[i].counted.Load()
	}
	p.SentPerSecond, p.DeliveredPerSecond = float64(p.Sent)/seconds, float64(p.Delivered)/seconds
	p.SendLatency = r.sends.percentiles()
	for i := range r.arrivals[1:] {
		r.arrivals[0].merge(&r.arrivals[i+1])
	}
	p.DeliveryLatency = r.arrivals[0].percentiles()
}

// audience are the readers.
type audience struct {
	*run
	mu    sync.Mutex
	conns []net.Conn
	all   sync.WaitGroup
}

func newAudience(r *run) *audience { return &audience{run: r} }

// come connects all readers, some at a time.
func (a *audience) come(ctx context.Context) error {
	var next atomic.Int64
	var dialers sync.WaitGroup
	for range 8 * runtime.GOMAXPROCS(0) {
		dialers.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= a.o.Connections {
					return
				}
				if err := a.join(ctx, n); err != nil {
					a.fail(fmt.Errorf("connecting reader %d of %d: %w", n+1, a.o.Connections, err))
				}
			}
		})
	}
	dialers.Wait()
	return context.Cause(ctx)
}

// join connects one reader and lets it read.
func (a *audience) join(ctx context.Context, n int) error {
	conn, err := a.site.dial(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.conns = append(a.conns, conn)
	a.mu.Unlock()
	received, arrivals := &a.received[n%shards], &a.arrivals[n%len(a.arrivals)]
	marks := messages
	if a.stage.vote != "" {
		marks = tallies
	}
	rd := &reader{conn: conn, marks: marks, token: a.stage.tokens[n%len(a.stage.tokens)], host: a.site.url.Host, found: func(sent int64) {
		received.all.Add(1)
		if a.measuring.Load() {
			received.counted.Add(1)
			if sent > 0 {
				arrivals.add(time.Duration(a.clock.since(sent)))
			}
		}
	}}
	path, read := "/v1/channels/"+a.stage.channel+"/messages?limit=1000", func() error { return nil }
	switch a.o.Transport {
	case "longpoll":
		read = func() error { return rd.longPolls(path+"&wait=55", a.stage.after) }
	default:
		headers, status, follow := "Accept: text/event-stream\r\n", 200, rd.stream
		if a.o.Transport == "websocket" {
			headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
			status, follow = 101, rd.frames
		}
		first, err := rd.open(path+"&after="+a.stage.after, headers, status)
		if err != nil {
			return err
		}
		read = func() error { return follow(first) }
	}
	a.connected.Add(1)
	a.all.Go(func() {
		if err := read(); err != nil && !a.leaving.Load() {
			a.connected.Add(-1)
			if a.lost.Add(1) == 1 {
				if why, ok := err.(*Refused); ok {
					a.fail(fmt.Errorf("reading: %w", why))
				}
			}
		}
	})
	return nil
}

func (a *audience) leave() {
	a.leaving.Store(true)
	a.mu.Lock()
	for _, c := range a.conns {
		c.Close()
	}
	a.mu.Unlock()
	a.all.Wait()
}

func (r *run) enter(phase string) {
	r.began.Store(r.clock.now())
	r.phase.Store(&phase)
}

// tell tells the progress until it is stopped.
func (r *run) tell(ctx context.Context) (stop func()) {
	if r.o.Progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var telling sync.WaitGroup
	telling.Go(func() {
		var sent, delivered int64
		for last := time.Now(); pause(ctx, 250*time.Millisecond); {
			phase := r.phase.Load()
			if phase == nil {
				continue
			}
			seconds := time.Since(last).Seconds()
			last = time.Now()
			p := Progress{Phase: *phase, Connected: int(r.connected.Load()), Lost: r.lost.Load()}
			s, d := r.published.Load(), r.deliveries()
			p.Sent, p.Delivered = int64(float64(s-sent)/seconds), int64(float64(d-delivered)/seconds)
			sent, delivered = s, d
			spent := time.Duration(r.clock.now() - r.began.Load())
			switch *phase {
			case "connecting":
				p.Done = float64(p.Connected) / float64(r.o.Connections)
			case "warming up":
				p.Done = spent.Seconds() / r.o.Warmup.Seconds()
			case "measuring":
				p.Done = spent.Seconds() / r.o.For.Seconds()
			}
			p.Done = min(max(p.Done, 0), 1)
			r.o.Progress(p)
		}
	})
	return func() { cancel(); telling.Wait() }
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
