package side

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Print writes both tables.
func (r *Results) Print(w io.Writer) {
	r.printTable(w)
	r.printTargets(w)
}

// printTable writes the table that compares the peers: median, spread (least–most of the rounds) and messages a second.
func (r *Results) printTable(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n%d rounds of %g s, %s in all. %s\n\n", r.Machine, r.Rounds, r.Seconds, r.Took, r.legend)
	table := [][]string{{"work", "unit"}}
	for _, p := range r.peers {
		table[0] = append(table[0], p.Title)
	}
	for i, l := range r.Lines {
		median, between, rate := []string{l.Title, l.Unit}, []string{"", ""}, []string{"", ""}
		same := i > 0 && r.Lines[i-1].Row == l.Row // its messages a second stand there already
		for _, p := range r.peers {
			cell := [3]string{}
			if values := l.Values[p.Key]; len(values) > 0 {
				s := spreadOf(values)
				cell = [3]string{number(s.Median), "(" + number(s.Min) + "–" + number(s.Max) + ")", ""}
				if n := spreadOf(l.Rates[p.Key]).Median; n > 0 && !same {
					cell[2] = number(n) + "/s"
				}
			} else {
				cell[0] = absence(r, p, l)
			}
			median, between, rate = append(median, cell[0]), append(between, cell[1]), append(rate, cell[2])
		}
		table = append(table, median, between)
		if slices.ContainsFunc(rate, func(s string) bool { return s != "" }) {
			table = append(table, rate)
		}
	}
	printAligned(w, table)
	for _, p := range r.peers {
		if why := r.missing[p.Key]; why != "" {
			fmt.Fprintf(w, "\n%s is not available: %s\n", p.Title, why)
		}
	}
}

func absence(r *Results, p Peer, l *LineResult) string {
	switch {
	case r.missing[p.Key] != "":
		return "not available"
	case strings.Contains(l.Absent[p.Key], ErrUnsupported.Error()):
		return "not supported"
	}
	return "failed"
}

// printTargets writes what was to be reached, and whether it was.
func (r *Results) printTargets(w io.Writer) {
	table := [][]string{{"work", "form", "", "target", "measured", "(least–most)", ""}}
	for _, l := range r.Lines {
		l.Targets = l.judge(r.peers)
		for _, v := range l.Targets {
			sign, kind := "≤ ", "must"
			if l.line.More {
				sign = "≥ "
			}
			if v.Aim {
				kind = "aim"
			}
			row := []string{l.Title, v.Form, kind, sign + number(v.Target) + of(l, v), "", "", "not measured"}
			if v.Judged {
				row[4], row[5] = number(v.Is.Median), "("+number(v.Is.Min)+"–"+number(v.Is.Max)+")"
				if row[6] = "missed"; v.Held {
					row[6] = "reached"
				}
			}
			table = append(table, row)
		}
	}
	if len(table) > 1 {
		fmt.Fprintln(w)
		printAligned(w, table)
	}
}

func of(l *LineResult, v Verdict) string {
	switch {
	case v.Of == "":
		return " " + l.Unit
	case v.Best != "":
		return " × " + v.Of + " (" + v.Best + ")"
	}
	return " × " + v.Of
}

// printAligned writes a table of Markdown that is also one to the eye.
func printAligned(w io.Writer, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range table {
		for i, cell := range row {
			fmt.Fprint(w, "| ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for _, width := range widths {
				fmt.Fprint(w, "| ", strings.Repeat("-", width), " ")
			}
			fmt.Fprintln(w, "|")
		}
	}
}

// number has three significant digits; thousands are set apart.
func number(f float64) string {
	if f < 1000 {
		digits := 0
		if f != 0 {
			digits = min(max(2-int(math.Floor(math.Log10(math.Abs(f)))), 0), 3)
		}
		return strconv.FormatFloat(f, 'f', digits, 64)
	}
	s := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
