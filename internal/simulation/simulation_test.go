package simulation

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// few seeds are what make test has time for, with the race detector.
const few = 16

// TestSimulation runs seeds: a few, or PARLEY_SEEDS of them, or the one of PARLEY_SEED.
func TestSimulation(t *testing.T) {
	first, count := number(t, "PARLEY_FIRST_SEED", 1), number(t, "PARLEY_SEEDS", few)
	if one := number(t, "PARLEY_SEED", 0); one != 0 {
		first, count = one, 1
	}
	var all activity
	t.Run("seed", func(t *testing.T) { // ends when all parallel ones have
		for seed := first; seed < first+count; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				simulate(t, seed, &all)
			})
		}
	})
	t.Logf("%d seeds: %s", count, &all)
	if count >= few && !all.enough() {
		t.Errorf("too little happened to prove anything: %s", &all)
	}
}

func simulate(t *testing.T, seed uint64, all *activity) {
	w := &world{plan: draw(seed), dir: folder(t)}
	var wrong []string
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		wrong = w.run()
	})
	all.add(w)
	for i, what := range wrong {
		if i == 10 {
			t.Errorf("… and %d more", len(wrong)-i)
			break
		}
		t.Error(what)
	}
	if len(wrong) > 0 {
		t.Errorf("%+v; again: PARLEY_SEED=%d go test ./internal/simulation", w.plan, seed)
	}
}

// folder is in memory where that can be had: what a disk promises is tested elsewhere.
func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "parley-simulation-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func number(t *testing.T, name string, byDefault uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return byDefault
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}
