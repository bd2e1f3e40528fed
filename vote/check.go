package vote

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/problem"
)

// Limits of what people write, in characters (Unicode code points).
const (
	QuestionLimit = 300
	OptionLimit   = 100
	MinOptions    = 2
	MaxOptions    = 50
	FarthestClose = 365 * 24 * time.Hour // from now
)

// checkText trims s and checks it; what names it in errors.
func checkText(what, s string, limit int) (string, error) {
	if !utf8.ValidString(s) {
		return "", problem.BadRequest.Detail("%s is not valid UTF-8", what)
	}
	s = strings.TrimSpace(s)
	visible := false
	for _, r := range s {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return "", problem.BadRequest.Detail("%s has the control character %U: it must be one line of text", what, r)
		}
		visible = visible || !unicode.In(r, unicode.Cf, unicode.Zs)
	}
	if !visible {
		return "", problem.Empty.Detail("%s is empty", what)
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return "", problem.TooLong.Detail("%s has %d characters, %d are allowed", what, n, limit)
	}
	return s, nil
}

func checkQuestion(s string) (string, error) { return checkText("the question", s, QuestionLimit) }

func checkOptions(texts []string) ([]Option, error) {
	if n := len(texts); n < MinOptions || n > MaxOptions {
		return nil, ErrBadOptions.Detail("a vote has %d to %d options, not %d", MinOptions, MaxOptions, n)
	}
	options := make([]Option, len(texts))
	seen := make(map[string]int, len(texts))
	for i, text := range texts {
		text, err := checkText("an option", text, OptionLimit)
		if err != nil {
			return nil, err
		}
		// Texts that differ in composition only look the same. They are compared composed, and kept as they came,
		// because composition replaces some Chinese and Korean characters (CJK compatibility ideographs) by others.
		composed := norm.NFC.String(text)
		if first, twice := seen[composed]; twice {
			return nil, ErrBadOptions.Detail("options %d and %d are the same", first, i+1)
		}
		seen[composed] = i + 1
		options[i] = Option{ID: i + 1, Text: text}
	}
	return options, nil
}

func checkRange(least, most, options int) error {
	if least < 1 || least > most || most > options {
		return ErrBadOptions.Detail("min %d and max %d do not fit: 1 ≤ min ≤ max ≤ %d, the number of options", least, most, options)
	}
	return nil
}

func checkResults(r Results) error {
	switch r {
	case Always, Voted, Closed, Owner:
		return nil
	}
	return problem.BadRequest.Detail("results cannot be %.40q: it is one of always, voted, closed, owner", string(r))
}

// checkDeadline returns the deadline as it is stored: in milliseconds, UTC.
func checkDeadline(at, now time.Time) (time.Time, error) {
	at = at.Truncate(time.Millisecond).UTC()
	if !at.After(now) {
		return time.Time{}, problem.BadRequest.Detail("the deadline %s has passed: it must be in the future by the server's clock, which says %s", stamp(at), stamp(now))
	}
	if at.Sub(now) > FarthestClose {
		return time.Time{}, problem.BadRequest.Detail("the deadline %s is too far away: a year is the limit", stamp(at))
	}
	return at, nil
}
