package main

import (
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"parley/bench/delivery/load"
	"parley/bench/process"
	"parley/bench/side"
)

// flooding is how many publish, or vote, as fast as they can: the nodes' clients, and Redis' own where it is measured alone.
const flooding = 64

// window is how many publishes each has under way, where it does not wait for answers.
const window = 16

// plain is what a publish would be if it were only an XADD and a PUBLISH of the same size, nobody subscribed: one after the other by
// redis-benchmark, which has one command at a time, and together 1/(1/a + 1/b).
func (b *bench) plain(s *site) (side.Measurement, error) {
	text := strings.Repeat("x", load.Size)
	inFlight := 1
	if s.key == pipelined {
		inFlight = window
	}
	var both, cpu float64 // seconds for one of each
	for _, command := range [][]string{{"XADD", "plain", "*", "m", text}, {"PUBLISH", "plain", text}} {
		second, _, err := s.redis.repeat(b.size(flooding), inFlight, 10000/b.shrink, command) // tells how many there must be
		if err != nil {
			return side.Measurement{}, err
		}
		second, used, err := s.redis.repeat(b.size(flooding), inFlight, int(second*b.time.Seconds()), command)
		if err != nil {
			return side.Measurement{}, err
		}
		both += 1 / second
		cpu += used
	}
	return side.Measurement{Values: []float64{1 / both, 0, 1e6 * cpu, 2}}, nil
}

// repeat runs a command n times by redis-benchmark, and returns how often in a second, and Redis' CPU time for each, in seconds. It runs it more
// often if that takes less than a millisecond, which redis-benchmark counts as none.
func (r *redis) repeat(conns, inFlight, n int, command []string) (second, cpu float64, err error) {
	for n = max(n, conns*inFlight); ; n *= 10 {
		if second, cpu, err = r.exactly(conns, inFlight, n, command); err != nil || !math.IsInf(second, 1) {
			return second, cpu, err
		}
	}
}

func (r *redis) exactly(conns, inFlight, n int, command []string) (second, cpu float64, err error) {
	before, err := r.cpu()
	if err != nil {
		return 0, 0, err
	}
	args := []string{"-p", r.port, "-c", strconv.Itoa(conns), "-P", strconv.Itoa(inFlight), "-n", strconv.Itoa(n), "--csv"}
	out, err := exec.Command("redis-benchmark", append(args, command...)...).Output()
	if err != nil {
		return 0, 0, fmt.Errorf("redis-benchmark: %w: %s", err, out)
	}
	after, err := r.cpu()
	if err != nil {
		return 0, 0, err
	}
	_, values, _ := strings.Cut(string(out), "\n")
	fields := strings.Split(values, `","`) // the command, how many a second, latencies
	if len(fields) < 2 {
		return 0, 0, fmt.Errorf("redis-benchmark says %q", out)
	}
	second, err = strconv.ParseFloat(fields[1], 64)
	return second, (after - before).Seconds() / float64(n), err
}

func (r *redis) cpu() (t time.Duration, err error) { return process.CPUTime(r.process.PID()) }
