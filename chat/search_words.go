package chat

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/channel"
	"parley/problem"
)

// Limits of what is searched for.
const (
	MaxQuery      = 200 // characters
	MaxQueryWords = 20
)

// Words is what a message must have to be found: all of them.
//
// A text is compared in Unicode's form KC with cases folded, without the characters that are not seen. It falls apart into words, which are
// found by their beginning, and into runs of what is written without spaces between words (Han, Kana, Hangul, Thai, …) and of
// symbols, emoji above all, in which any part is found. Everything else separates.
type Words struct {
	begins []string // a word begins so
	parts  []string // a run has this in it
}

// ParseWords reads what somebody searches for. problem.BadRequest where there is no word in it, problem.TooLong.
func ParseWords(query string) (*Words, error) {
	if !utf8.ValidString(query) {
		return nil, problem.BadRequest.Detail("what is searched for is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(query); n > MaxQuery {
		return nil, problem.TooLong.Detail("what is searched for has %d characters; at most %d are allowed", n, MaxQuery)
	}
	w := &Words{}
	split(fold(query), func(run string, dense bool) bool {
		list := &w.begins
		if dense {
			list = &w.parts
		}
		if !slices.Contains(*list, run) {
			*list = append(*list, run)
		}
		return true
	})
	switch n := len(w.begins) + len(w.parts); {
	case n == 0:
		return nil, problem.BadRequest.Detail("there is no word to search for: letters, digits or symbols of any script but ASCII's punctuation")
	case n > MaxQueryWords:
		return nil, problem.TooLong.Detail("%d words are searched for; at most %d are allowed", n, MaxQueryWords)
	}
	return w, nil
}

// In reports whether a text has all the words.
func (w *Words) In(text string) bool {
	begins, parts := slices.Clone(w.begins), slices.Clone(w.parts)
	split(fold(text), func(run string, dense bool) bool {
		if dense {
			parts = slices.DeleteFunc(parts, func(part string) bool { return strings.Contains(run, part) })
		} else {
			begins = slices.DeleteFunc(begins, func(begin string) bool { return strings.HasPrefix(run, begin) })
		}
		return len(begins)+len(parts) > 0
	})
	return len(begins)+len(parts) == 0
}

// Find reports whether a message is found: it is a text, which has all the words as it is now.
func (w *Words) Find(m *channel.Message) bool {
	text, is := SearchedText(m.Type, m.Data)
	return is && w.In(text)
}

// SearchedText is the text by which a message is found; false for what is not, as a deleted one.
func SearchedText(typ string, data json.RawMessage) (string, bool) {
	if typ != "text" {
		return "", false
	}
	var t struct {
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(data, &t); err != nil || t.Text == nil {
		return "", false
	}
	return *t.Text, true
}

// Term is a word of an index.
type Term struct {
	Text   string
	Begins bool // it stands for all that begin so
}

// maxTerm is how many characters of a word an index keeps.
const maxTerm = 64

// IndexTerms are the words under which an index keeps a text: what letters spell, and of runs every two neighbours, and the last alone. They have
// neither spaces nor ASCII but letters and digits.
func IndexTerms(text string) []string {
	var terms []string
	seen := map[string]bool{}
	add := func(term string) {
		if !seen[term] {
			seen[term] = true
			terms = append(terms, term)
		}
	}
	split(fold(text), func(run string, dense bool) bool {
		if !dense {
			add(beginning(run, maxTerm))
			return true
		}
		pairs(run, add)
		_, size := utf8.DecodeLastRuneInString(run)
		add(run[len(run)-size:])
		return true
	})
	return terms
}

// Terms are what an index must have of a text that has the words. The other way round it need not be so: In decides.
func (w *Words) Terms() []Term {
	var terms []Term
	for _, begin := range w.begins {
		terms = append(terms, Term{beginning(begin, maxTerm), true})
	}
	for _, part := range w.parts {
		if utf8.RuneCountInString(part) == 1 {
			terms = append(terms, Term{part, true})
			continue
		}
		pairs(part, func(pair string) { terms = append(terms, Term{pair, false}) })
	}
	return terms
}

// pairs tells every two neighbours of a run.
func pairs(run string, tell func(string)) {
	before := -1
	for at, r := range run {
		if before >= 0 {
			tell(run[before : at+utf8.RuneLen(r)])
		}
		before = at
	}
}

// beginning is the first n characters of s.
func beginning(s string, n int) string {
	for at := range s {
		if n--; n < 0 {
			return s[:at]
		}
	}
	return s
}

// fold makes equal what differs in nothing that a reader would mind (Unicode's NFKC_Casefold).
func fold(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	s = norm.NFKC.String(s)
	s = cases.Fold().String(s)
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, s)
	return norm.NFKC.String(s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// split tells the words and runs of a folded text, until told to stop.
func split(s string, tell func(run string, dense bool) bool) {
	start, was := 0, separates
	for at, r := range s {
		is := kindOf(r)
		if is == extends {
			is = was
		}
		if is == was {
			continue
		}
		if was != separates && !tell(s[start:at], was == dense) {
			return
		}
		start, was = at, is
	}
	if was != separates {
		tell(s[start:], was == dense)
	}
}

type kind int

const (
	separates kind = iota
	spells         // stands in words with spaces between
	dense          // stands in runs
	extends        // belongs to what is before
)

// unspaced are the scripts that are written without spaces between words, or with words too long to be found by their beginning.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

func kindOf(r rune) kind {
	switch {
	case r < utf8.RuneSelf:
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return spells
		}
		return separates
	case unicode.IsMark(r):
		return extends
	case r == 'ー': // of no script, and in every other Japanese word
		return dense
	case unicode.IsLetter(r), unicode.IsNumber(r):
		if unicode.In(r, unspaced...) {
			return dense
		}
		return spells
	case unicode.IsSymbol(r):
		return dense
	}
	return separates
}
