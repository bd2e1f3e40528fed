// Package sidetest has what every bench's own test demands of its results.
package sidetest

import (
	"strings"
	"testing"

	"parley/bench/side"
)

// Table is what the results look like, in which every line must be.
func Table(t *testing.T, r *side.Results) string {
	t.Helper()
	var out strings.Builder
	r.Print(&out)
	for _, l := range r.Lines {
		if !strings.Contains(out.String(), "| "+l.Title+" ") {
			t.Errorf("the table lacks %q:\n%s", l.Title, out.String())
		}
	}
	return out.String()
}

// NotAvailable demands that the log and the table say of a peer that it is not, and why, and that another was measured all the same.
func NotAvailable(t *testing.T, r *side.Results, log, why, other string) {
	t.Helper()
	for _, said := range []string{log, Table(t, r)} {
		if !strings.Contains(said, why) {
			t.Errorf("nothing is said of the peer:\n%s", said)
		}
	}
	if len(r.Lines[0].Values[other]) != 1 {
		t.Errorf("the other was not measured: %v", r.Failure())
	}
}
