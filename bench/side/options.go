package side

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parley/bench/process"
)

// Options are what people choose on the command line.
type Options struct {
	Rows, Peers string // keys, separated by commas; "" for all
	Rounds      int
	Seconds     float64
	Cores       string
	JSON        string
}

// Flags declares them. rows and peers are the keys that there are.
func (o *Options) Flags(f *flag.FlagSet, rows, peers []string) {
	f.StringVar(&o.Rows, "rows", "", "comma-separated rows, default all: "+strings.Join(rows, ","))
	f.StringVar(&o.Peers, "peers", "", "comma-separated peers, default all: "+strings.Join(peers, ","))
	f.IntVar(&o.Rounds, "rounds", o.Rounds, "how often each measurement is made")
	f.Float64Var(&o.Seconds, "seconds", o.Seconds, "how long each measurement lasts, after 0.4 s to warm up")
	f.StringVar(&o.Cores, "cores", "0,1", "the server's core and the load's, or none")
	f.StringVar(&o.JSON, "json", "", "file to write all values to")
}

// Time is how long each measurement lasts.
func (o *Options) Time() time.Duration { return time.Duration(o.Seconds * float64(time.Second)) }

// Pin keeps this process to the load's core, with one thread that runs Go, and returns the server's core, "" for any.
func (o *Options) Pin() (server string, err error) {
	if o.Rounds < 1 || o.Seconds <= 0 {
		return "", errors.New("-rounds and -seconds must be positive")
	}
	runtime.GOMAXPROCS(1)
	if o.Cores == "none" {
		return "", nil
	}
	server, own, ok := strings.Cut(o.Cores, ",")
	core, err := strconv.Atoi(own)
	if _, serr := strconv.Atoi(server); !ok || err != nil || serr != nil || server == own {
		return "", fmt.Errorf("-cores %s: two different numbers, or none", o.Cores)
	}
	if err := process.Pin(core); err != nil {
		return "", fmt.Errorf("-cores %s: %w (the server and the load need a core each)", o.Cores, err)
	}
	return server, nil
}

// Report writes the tables, and the file if one is wanted. The error says what could not be measured.
func (o *Options) Report(w io.Writer, r *Results) error {
	r.Print(w)
	if o.JSON != "" {
		text, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.JSON, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	return r.Failure()
}

// Keys returns the key of each.
func Keys[T any](all []T, key func(T) string) []string {
	var keys []string
	for _, t := range all {
		keys = append(keys, key(t))
	}
	return keys
}

// Choose picks those whose keys are wanted, separated by commas, in the order of all; "" for all.
func Choose[T any](what string, all []T, key func(T) string, wanted string) ([]T, error) {
	if wanted == "" {
		return all, nil
	}
	want := map[string]bool{}
	for name := range strings.SplitSeq(wanted, ",") {
		want[name] = true
	}
	var chosen []T
	for _, t := range all {
		if want[key(t)] {
			chosen = append(chosen, t)
			delete(want, key(t))
		}
	}
	for name := range want {
		return nil, fmt.Errorf("no %s %q: there are %s", what, name, strings.Join(Keys(all, key), ", "))
	}
	return chosen, nil
}
