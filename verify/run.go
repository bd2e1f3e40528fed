package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Run verifies a server. The error says why it could not; a server that breaks its promises is no error, but in the report. If ctx ends,
// the run does, with ctx's error and a report on what it had seen.
func Run(ctx context.Context, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()>>11 | 1 // a JSON number holds it
	}
	r := &run{o: o, began: time.Now()}
	r.site = newSite(o, &r.counts)
	defer r.site.client.CloseIdleConnections()
	stopTelling := r.tell()
	err = r.all(ctx)
	stopTelling()
	return r.report(), err
}

// run is a verification under way.
type run struct {
	o      Options
	counts counters
	began  time.Time
	site   *site
	stage  *stage
	oracle *oracle

	publishers []*publisher
	voters     []*voter
	readers    []*reader
	open       []string

	mu      sync.Mutex
	phase   string
	writing time.Time // since when
}

// random is a source of its own for each worker, so that none depends on when the others draw.
func (r *run) random(worker uint64) *rand.Rand { return rand.New(rand.NewPCG(r.o.Seed, worker)) }

func (r *run) all(ctx context.Context) error {
	r.enter("preparing")
	var err error
	if r.stage, err = prepare(ctx, r.o, r.site, rand.New(rand.NewPCG(uint64(r.began.UnixNano()), r.o.Seed))); err != nil {
		return err
	}
	clean := false
	defer func() {
		if clean && !r.o.Keep {
			r.enter("tidying up")
			tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Timeout)
			defer cancel()
			r.stage.strike(tidy)
		}
	}()
	if slices.Contains(r.o.Transports, "websocket") {
		if err := r.stage.owner.tryWebSocket(ctx); err != nil {
			return err
		}
	}
	r.oracle = newOracle(r.stage.name, &r.counts, r.o.MayLose)
	if err := r.cast(ctx); err != nil {
		return err
	}
	if err := r.play(ctx); err != nil {
		return err
	}
	clean = r.counts.violations.Load() == 0 && len(r.open) == 0
	return nil
}

// cast makes the people.
func (r *run) cast(ctx context.Context) error {
	rooms := r.stage.channels[:len(r.stage.channels)-1]
	for i := range r.o.Publishers {
		name := fmt.Sprintf("publisher %d", i+1)
		p, err := r.stage.enter(ctx, r.o, name)
		if err != nil {
			return err
		}
		r.publishers = append(r.publishers, &publisher{
			person: p, oracle: r.oracle, random: r.random(1000 + uint64(i)), name: fmt.Sprintf("p%d", i+1), rooms: rooms,
			pace: newPace(r.o.Rate), chains: map[string]*intent{},
		})
	}
	for i := range r.o.Voters {
		p := r.stage.owner
		if r.o.Token == "" {
			var err error
			if p, err = r.stage.guest(ctx, r.site, fmt.Sprintf("voter %d", i+1)); err != nil {
				return err
			}
		}
		r.voters = append(r.voters, &voter{person: p, oracle: r.oracle, random: r.random(2000 + uint64(i)), name: fmt.Sprintf("voter %d", i+1), code: r.stage.vote})
	}
	for i := range r.o.Readers {
		name := fmt.Sprintf("reader %d", i+1)
		p, err := r.stage.enter(ctx, r.o, name)
		if err != nil {
			return err
		}
		ways := r.o.Transports
		if i < len(ways) {
			ways = ways[i : i+1]
		}
		r.readers = append(r.readers, newReader(p, r.oracle, r.random(3000+uint64(i)), name, r.stage, ways...))
	}
	return nil
}

// play lets everybody do what they do, and judges.
func (r *run) play(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	writing, endWriting := context.WithCancel(ctx)
	defer endWriting()
	answering, endAnswering := context.WithCancel(ctx)
	defer endAnswering()
	reading, endReading := context.WithCancel(ctx)
	defer endReading()

	var writers, audience sync.WaitGroup
	start := func(group *sync.WaitGroup, do func() error) {
		group.Go(func() {
			if err := do(); err != nil {
				fail(err)
			}
		})
	}
	r.mu.Lock()
	r.writing = time.Now()
	r.mu.Unlock()
	r.enter("running")
	goals := make([]chan map[string]string, len(r.readers))
	for i, one := range r.readers {
		goals[i] = make(chan map[string]string, 1)
		start(&audience, func() error {
			if i%4 == 3 && i >= len(r.o.Transports) { // comes late
				pause(writing, r.late())
			}
			return one.read(reading, goals[i])
		})
	}
	looking, endLooking := context.WithCancel(reading)
	defer endLooking()
	historian := newReader(r.stage.owner, r.oracle, r.random(4000), "reader of history", r.stage)
	start(&audience, func() error { return historian.history(looking, reading) })
	for i, p := range r.publishers {
		p.ctx = answering
		start(&writers, func() error {
			if i%2 == 1 && slices.Contains(r.o.Transports, "websocket") {
				return p.pipelined(writing)
			}
			return p.overHTTP(writing)
		})
	}
	for _, v := range r.voters {
		start(&writers, func() error { return v.vote(answering, writing) })
	}

	r.untilWritten(writing)
	r.enter("catching up")
	endWriting()
	settled := time.AfterFunc(r.o.Settle, endAnswering)
	writers.Wait()
	settled.Stop()
	defer time.AfterFunc(r.o.Settle, endReading).Stop()
	goal, err := r.goal(reading)
	if err == nil {
		for _, c := range goals {
			c <- goal
		}
		endLooking()
	} else {
		endReading()
	}
	audience.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("the server was away when writing was over, and did not come back for %v: %w", r.o.Settle, err)
	}
	return r.judge(ctx, goal)
}

// late is when a late reader comes.
func (r *run) late() time.Duration {
	if r.o.For > 0 {
		return r.o.For / 2
	}
	return time.Second
}

// untilWritten waits for the end of writing.
func (r *run) untilWritten(ctx context.Context) {
	var timeUp <-chan time.Time
	if r.o.For > 0 {
		timeUp = time.After(r.o.For)
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-timeUp:
			return
		case <-r.o.Stop:
			return
		case <-ctx.Done():
			return
		case <-look.C:
			if r.o.Messages > 0 && r.counts.acknowledged.Load() >= int64(r.o.Messages) {
				return
			}
		}
	}
}

// goal is how far the channels go, now that nobody writes.
func (r *run) goal(ctx context.Context) (map[string]string, error) {
	goal := map[string]string{}
	for _, c := range r.stage.channels {
		tail, err := r.stage.tail(ctx, c)
		if err != nil {
			return nil, err
		}
		goal[c] = tail
	}
	return goal, nil
}

// judge lets one more reader come, who reads all of it, and hears the oracle.
func (r *run) judge(ctx context.Context, goal map[string]string) error {
	r.enter("judging")
	last := newReader(r.stage.owner, r.oracle, r.random(5000), "last reader", r.stage, "poll")
	last.keeps = r.oracle.mayGoBack()
	reading, cancel := context.WithTimeout(ctx, r.o.Settle)
	defer cancel()
	goals := make(chan map[string]string, 1)
	goals <- goal
	if err := last.read(reading, goals); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	floor := map[string]uint64{}
	for channel, c := range last.cursors {
		floor[channel] = c.floor
	}
	everybody := append(slices.Clip(r.readers), last)
	for _, one := range everybody {
		for _, c := range one.behind(goal) {
			r.oracle.violate(Violation{Rule: "lost", Channel: c, Seq: one.cursors[c].seq + 1, Who: one.name + " (" + one.transport + ")",
				Expected: fmt.Sprintf("all messages up to %s within %v", goal[c], r.o.Settle), Came: fmt.Sprintf("none behind %s", one.cursors[c].position)})
		}
	}
	if r.oracle.mayGoBack() {
		for channel, c := range last.cursors {
			r.oracle.stand(channel, c.all)
		}
		for _, one := range everybody {
			for channel, c := range one.cursors {
				r.oracle.stays(one.name, channel, c.last)
			}
		}
	}
	r.open = r.oracle.judge(floor)
	for _, v := range r.voters {
		if v.open {
			r.open = append(r.open, "the last ballot of "+v.name+" was never answered")
		}
	}
	if len(r.open) > 0 {
		return nil
	}
	if err := r.askForLost(reading); err != nil {
		return err
	}
	return judgeTally(reading, r.stage, r.oracle, r.voters, everybody)
}

// askForLost asks for what comes behind acknowledgements that do not hold any more, as a page does whose last message is its own: it must be told.
func (r *run) askForLost(ctx context.Context) error {
	lost := r.oracle.lostAnswers()
	for _, a := range lost[:min(len(lost), 1000)] {
		var b batch
		if err := r.stage.owner.insist(ctx, "GET", "/v1/channels/"+a.Channel+"/messages?limit=1&after="+a.Position, nil, &b); err != nil {
			return err
		}
		if b.Gap == nil || b.Gap.Reason == "deleted" {
			r.oracle.violate(Violation{Rule: "rollback", Channel: a.Channel, Seq: a.Seq, Who: "the owner asked",
				Expected: "a gap behind " + a.Position + ", which is lost", Came: b.describe()})
		}
	}
	return nil
}

func (r *run) report() *Report {
	report := &Report{URL: r.o.URL, Nodes: r.o.Nodes, Seed: r.o.Seed, Began: r.began, Seconds: time.Since(r.began).Seconds(), Counts: r.counts.read(), Violations: []Violation{}, Open: []string{}}
	if r.stage != nil {
		report.Rooms, report.Vote = r.stage.rooms, r.stage.vote
	}
	if r.oracle != nil {
		r.oracle.mu.Lock()
		report.Violations = append(report.Violations, r.oracle.violations...)
		r.oracle.mu.Unlock()
	}
	report.Open = append(report.Open, r.open...)
	return report
}

func (r *run) enter(phase string) {
	r.mu.Lock()
	r.phase = phase
	r.mu.Unlock()
}

// tell tells the progress, until it is stopped.
func (r *run) tell() (stop func()) {
	if r.o.Progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var telling sync.WaitGroup
	telling.Go(func() {
		for pause(ctx, 250*time.Millisecond) {
			r.o.Progress(r.progress())
		}
	})
	return func() { cancel(); telling.Wait() }
}

func (r *run) progress() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Progress{Phase: r.phase, Counts: r.counts.read()}
	if r.writing.IsZero() {
		return p
	}
	p.Elapsed = time.Since(r.writing)
	if r.o.For > 0 {
		p.Done = p.Elapsed.Seconds() / r.o.For.Seconds()
	}
	if r.o.Messages > 0 {
		p.Done = max(p.Done, float64(p.Acknowledged)/float64(r.o.Messages))
	}
	p.Done = min(p.Done, 1)
	return p
}
