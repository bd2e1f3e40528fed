package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// MaxName is how many characters (code points, after preparation) a name may have.
const MaxName = 32

// maxMarks is how many combining marks may follow each other: the scripts that stack them need three.
const maxMarks = 4

// maxNameBytes bounds the work of preparing a name: NFKC makes at most 18 characters of one, and never fewer bytes
// than a third.
const maxNameBytes = 1 << 10

// PrepareName applies the Nickname profile of RFC 8266: spaces of any kind become one ASCII space between words and
// none around them, compatibility characters (full width, ligatures) become ordinary ones (NFKC). It returns the name
// to show, and the fold by which names are compared: two names of one fold are the same name.
//
// The profile's string class, FreeformClass of RFC 8264, refuses control characters, bidirectional controls, zero-width
// characters (but for the joiners where a script's spelling needs them) and everything else that is ignored when
// shown, and unassigned and private-use characters. Refused beyond that, because a name stands in other people's pages:
//
//   - more than MaxName characters, and none;
//   - a combining mark at the start, or more than four in a row;
//   - the blank that counts as a symbol (U+2800) and the replacement characters (U+FFFC, U+FFFD);
//   - a word that mixes Latin with Cyrillic or Greek letters, which look alike;
//   - names of the server's own: see reserved.
//
// Variation selectors, which emoji keyboards add, are left out rather than refused. All errors are ErrBadName.
func PrepareName(s string) (name, fold string, err error) {
	name, fold, err = prepare(s)
	if err == nil && reserved(fold) {
		return "", "", ErrBadName.Detail("the name %q is kept for the server: choose another", name)
	}
	return name, fold, err
}

func prepare(s string) (name, fold string, err error) {
	if len(s) > maxNameBytes {
		return "", "", ErrBadName.Detail("a name has at most %d characters", MaxName)
	}
	if !utf8.ValidString(s) {
		return "", "", ErrBadName.Detail("the name is not valid UTF-8")
	}
	s = strings.Map(func(r rune) rune {
		if r == '\uFE0E' || r == '\uFE0F' {
			return -1
		}
		return r
	}, s)
	if strings.TrimSpace(s) == "" {
		return "", "", ErrBadName.Detail("the name is empty: give 1 to %d characters", MaxName)
	}
	name, err = precis.Nickname.String(s)
	if err != nil {
		return "", "", ErrBadName.Detail("the name has a character that cannot be used, such as a control, invisible or joining one").Because(err)
	}
	if n := utf8.RuneCountInString(name); n > MaxName {
		return "", "", ErrBadName.Detail("the name has %d characters; at most %d are allowed", n, MaxName)
	}
	if err := checkMarks(name); err != nil {
		return "", "", err
	}
	if mixed(name) {
		return "", "", ErrBadName.Detail("a word of the name mixes Latin with Cyrillic or Greek letters, which look alike")
	}
	fold, err = precis.Nickname.CompareKey(name)
	if err != nil {
		return "", "", ErrBadName.Detail("the name has a character that cannot be used").Because(err)
	}
	return name, fold, nil
}

func checkMarks(name string) error {
	marks := maxMarks // as if the start were full: a mark there has nothing to stand on
	for _, r := range name {
		switch {
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks {
				return ErrBadName.Detail("the name has a combining mark at its start, or more than %d in a row", maxMarks)
			}
		case r == '\u2800', r == '\uFFFC', r == '\uFFFD':
			return ErrBadName.Detail("the name has a character that cannot be seen (%U)", r)
		default:
			marks = 0
		}
		if r == ' ' {
			marks = maxMarks
		}
	}
	return nil
}

// mixed reports whether a word has Latin letters and Cyrillic or Greek ones.
func mixed(name string) bool {
	var latin, alike bool
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.In(r, unicode.Cyrillic, unicode.Greek):
			alike = true
		case !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r):
			latin, alike = false, false
		}
		if latin && alike {
			return true
		}
	}
	return false
}

// reserved reports whether a name is the server's own: it would make people believe what its bearer says. Everything
// but letters and digits is left out of the comparison. "Guest-" starts the names that the server gives.
func reserved(fold string) bool {
	if rest, ok := strings.CutPrefix(fold, "guest"); ok {
		if r, _ := utf8.DecodeRuneInString(rest); unicode.Is(unicode.Pd, r) || r == '\u2212' {
			return true
		}
	}
	bare := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, fold)
	switch bare {
	case "parley", "admin", "administrator", "system", "server", "moderator", "root", "管理员", "系统":
		return true
	}
	return false
}

// foldPrefix is the fold of the beginning of a name; "" when no name can begin so.
func foldPrefix(s string) string {
	if len(s) > maxNameBytes {
		return ""
	}
	fold, err := precis.Nickname.CompareKey(s)
	if err != nil {
		return ""
	}
	return fold
}
