package vote

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/problem"
)

func TestSpec(t *testing.T) {
	now := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	good := func() Spec { return Spec{Question: "Tea?", Options: []string{"yes", "no"}} }
	many := func(n int) []string {
		options := make([]string, n)
		for i := range options {
			options[i] = strings.Repeat("i", i+1)
		}
		return options
	}
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   error
	}{
		{"the least", func(s *Spec) {}, nil},
		{"no question", func(s *Spec) { s.Question = "" }, problem.Empty},
		{"a question of spaces", func(s *Spec) { s.Question = " \u3000\u00a0" }, problem.Empty},
		{"a question of invisible characters", func(s *Spec) { s.Question = "\u200b\u200d" }, problem.Empty},
		{"300 characters", func(s *Spec) { s.Question = strings.Repeat("茶", 300) }, nil},
		{"300 characters between spaces", func(s *Spec) { s.Question = " " + strings.Repeat("茶", 300) + "\n" }, nil},
		{"301 characters", func(s *Spec) { s.Question = strings.Repeat("茶", 301) }, problem.TooLong},
		{"two lines", func(s *Spec) { s.Question = "a\nb" }, problem.BadRequest},
		{"two lines, by a line separator", func(s *Spec) { s.Question = "a\u2028b" }, problem.BadRequest},
		{"a control character", func(s *Spec) { s.Options[0] = "a\x00b" }, problem.BadRequest},
		{"not UTF-8", func(s *Spec) { s.Options[0] = "a\xffb" }, problem.BadRequest},
		{"right to left, emoji", func(s *Spec) { s.Options = []string{"שלום", "👩‍👩‍👧‍👦", "مرحبا"} }, nil},
		{"one option", func(s *Spec) { s.Options = many(1) }, ErrBadOptions},
		{"50 options", func(s *Spec) { s.Options = many(50) }, nil},
		{"51 options", func(s *Spec) { s.Options = many(51) }, ErrBadOptions},
		{"an empty option", func(s *Spec) { s.Options[1] = " " }, problem.Empty},
		{"100 characters in an option", func(s *Spec) { s.Options[1] = strings.Repeat("é", 100) }, nil},
		{"101 characters in an option", func(s *Spec) { s.Options[1] = strings.Repeat("é", 101) }, problem.TooLong},
		{"the same option twice", func(s *Spec) { s.Options = []string{"a", "b", " a "} }, ErrBadOptions},
		{"the same option, composed otherwise", func(s *Spec) { s.Options = []string{"\u00e9", "e\u0301"} }, ErrBadOptions},
		{"options that differ in case", func(s *Spec) { s.Options = []string{"Tea", "tea"} }, nil},
		{"min alone", func(s *Spec) { s.Min = 2 }, nil},
		{"min above max", func(s *Spec) { s.Min, s.Max = 2, 1 }, ErrBadOptions},
		{"max above the options", func(s *Spec) { s.Max = 3 }, ErrBadOptions},
		{"min below 1", func(s *Spec) { s.Min = -1 }, ErrBadOptions},
		{"max below 1", func(s *Spec) { s.Max = -1 }, ErrBadOptions},
		{"unknown results", func(s *Spec) { s.Results = "never" }, problem.BadRequest},
		{"known results", func(s *Spec) { s.Results = Owner }, nil},
		{"a deadline now", func(s *Spec) { s.Closes = now }, problem.BadRequest},
		{"a deadline less than a millisecond ahead", func(s *Spec) { s.ClosesIn = time.Microsecond }, problem.BadRequest},
		{"a deadline in the past", func(s *Spec) { s.ClosesIn = -time.Hour }, problem.BadRequest},
		{"a deadline soon", func(s *Spec) { s.ClosesIn = time.Second }, nil},
		{"a deadline in a year", func(s *Spec) { s.Closes = now.Add(FarthestClose) }, nil},
		{"a deadline in more than a year", func(s *Spec) { s.Closes = now.Add(FarthestClose + time.Second) }, problem.BadRequest},
		{"two deadlines", func(s *Spec) { s.Closes, s.ClosesIn = now.Add(time.Hour), time.Hour }, problem.BadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := good()
			test.change(&spec)
			v, err := spec.vote(now)
			if !errors.Is(err, test.want) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err == nil && (!v.Open || !v.Change || v.Min < 1 || v.Max < v.Min || v.Results == "") {
				t.Errorf("made %+v", v)
			}
		})
	}
}

func TestSpecTrims(t *testing.T) {
	no := false
	v, err := Spec{Question: " Tea? ", Options: []string{"\tyes\n", "no"}, Change: &no, ClosesIn: 90 * time.Second}.vote(time.UnixMilli(1000))
	if err != nil || v.Question != "Tea?" || v.Options[0] != (Option{ID: 1, Text: "yes"}) || v.Change || !v.Closes.Equal(time.UnixMilli(91000)) {
		t.Errorf("made %+v, %v", v, err)
	}
}
