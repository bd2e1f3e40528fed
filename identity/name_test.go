package identity

import (
	"errors"
	"strings"
	"testing"
)

func TestPrepareName(t *testing.T) {
	for _, test := range []struct{ what, in, name, fold string }{
		{"plain", "Ann", "Ann", "ann"},
		{"Chinese", "李雷", "李雷", "李雷"},
		{"Arabic", "محمد علي", "محمد علي", "محمد علي"},
		{"Persian with its non-joiner", "نامه\u200cای", "نامه\u200cای", "نامه\u200cای"},
		{"Hindi", "क्षत्रिय", "क्षत्रिय", "क्षत्रिय"},
		{"Thai", "น้ำผึ้ง", "น้ําผึ้ง", "น้ําผึ้ง"},
		{"Cyrillic", "Анна", "Анна", "анна"},
		{"Greek", "ΑΝΝΑ", "ΑΝΝΑ", "αννα"},
		{"Latin and Cyrillic in two words", "DJ Саша", "DJ Саша", "dj саша"},
		{"Latin and Chinese in one word", "Ann李", "Ann李", "ann李"},
		{"emoji", "Ann 🎉", "Ann 🎉", "ann 🎉"},
		{"emoji with a skin tone", "👍🏽", "👍🏽", "👍🏽"},
		{"emoji with its variation selector", "I ❤\ufe0f tea", "I ❤ tea", "i ❤ tea"},
		{"precomposed and combining are one", "Zoe\u0301", "Zoé", "zoé"},
		{"full width", "Ａｎｎ", "Ann", "ann"},
		{"spaces around", "  Ann  ", "Ann", "ann"},
		{"spaces inside", "Ann \t"[:4] + "   Lee", "Ann Lee", "ann lee"},
		{"look-alike spaces", "Ann\u00a0\u3000\u2003Lee", "Ann Lee", "ann lee"},
		{"punctuation", "o'Neil, jr.", "o'Neil, jr.", "o'neil, jr."},
		{"32 characters", strings.Repeat("a", 32), strings.Repeat("a", 32), strings.Repeat("a", 32)},
		{"32 Chinese characters", strings.Repeat("李", 32), strings.Repeat("李", 32), strings.Repeat("李", 32)},
		{"a longer word than a reserved one", "Systema", "Systema", "systema"},
		{"guests of the hotel", "Guest of Ann", "Guest of Ann", "guest of ann"},
	} {
		name, fold, err := PrepareName(test.in)
		if err != nil || name != test.name || fold != test.fold {
			t.Errorf("%s: %q is %q, %q, %v; want %q, %q", test.what, test.in, name, fold, err, test.name, test.fold)
		}
		again, foldAgain, err := PrepareName(name)
		if err != nil || again != name || foldAgain != fold {
			t.Errorf("%s: preparing %q again gives %q, %q, %v", test.what, name, again, foldAgain, err)
		}
	}
}

func TestPrepareNameRefuses(t *testing.T) {
	for _, test := range []struct{ what, in, says string }{
		{"empty", "", "empty"},
		{"spaces", " \u3000\u00a0 ", "empty"},
		{"only a variation selector", "\ufe0f", "empty"},
		{"33 characters", strings.Repeat("a", 33), "33 characters"},
		{"33 after preparation", strings.Repeat("a", 32) + "\u00a0b", "34 characters"},
		{"expands beyond 32", "ﷺﷺ", "36 characters"},
		{"huge", strings.Repeat("a", 100_000), "at most 32"},
		{"broken UTF-8", "Ann\xff", "UTF-8"},
		{"line feed", "Ann\nLee", "cannot be used"},
		{"tab", "Ann\tLee", "cannot be used"},
		{"escape", "\x1b[31mAnn", "cannot be used"},
		{"zero-width space", "Ann\u200b", "cannot be used"},
		{"byte order mark", "\ufeffAnn", "cannot be used"},
		{"soft hyphen", "An\u00adn", "cannot be used"},
		{"word joiner", "An\u2060n", "cannot be used"},
		{"joiner where no script needs it", "An\u200dn", "cannot be used"},
		{"right-to-left override", "Ann\u202e", "cannot be used"},
		{"isolate", "\u2066Ann", "cannot be used"},
		{"direction mark", "Ann\u200f", "cannot be used"},
		{"only zero-width characters", "\u200b\u200c\u200d", "cannot be used"},
		{"Hangul filler", "\u3164", "cannot be used"},
		{"private use", "\ue000", "cannot be used"},
		{"tags", "🏴\U000e0067\U000e007f", "cannot be used"},
		{"Braille blank", "\u2800", "cannot be seen"},
		{"replacement character", "Ann\ufffd", "cannot be seen"},
		{"combining mark first", "\u0301Ann", "combining mark"},
		{"combining mark after a space", "Ann \u0301", "combining mark"},
		{"stacked marks", "A" + strings.Repeat("\u0335", 5), "combining mark"},
		{"Latin and Cyrillic in one word", "Аnn", "mixes"},
		{"Latin and Greek in one word", "Αnn", "mixes"},
		{"reserved", "Parley", "kept for the server"},
		{"reserved, full width", "ＡＤＭＩＮ", "kept for the server"},
		{"reserved with dots", "-= System =-", "kept for the server"},
		{"reserved with spaces", "S y s t e m", "kept for the server"},
		{"reserved in Chinese", "管理员", "kept for the server"},
		{"a guest's", "Guest-K7QM", "kept for the server"},
		{"a guest's in other letters", "gUEST\u2010ab", "kept for the server"},
		{"a guest's with a minus", "guest\u2212ab", "kept for the server"},
	} {
		name, _, err := PrepareName(test.in)
		if !errors.Is(err, ErrBadName) {
			t.Errorf("%s: %q is allowed as %q (%v)", test.what, test.in, name, err)
			continue
		}
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %q; want it to say %q", test.what, err, test.says)
		}
	}
}

func TestGuestNames(t *testing.T) {
	seen := map[rune]bool{}
	for range 2000 {
		name, _, err := prepare(guestName(4))
		if err != nil || len(name) != len("Guest-K7QM") {
			t.Fatal(name, err)
		}
		for _, r := range name[len("Guest-"):] {
			seen[r] = true
		}
	}
	if len(seen) != len(guestLetters) {
		t.Fatalf("%d letters are used; want %d", len(seen), len(guestLetters))
	}
}

func FuzzPrepareName(f *testing.F) {
	for _, s := range []string{"Ann", "李雷", "محمد", "ﷺ", "I ❤\ufe0f tea", "Zoe\u0301", "İ", "\u1e9e", "ϒ\u0301", " a  b "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, fold, err := PrepareName(s)
		if err != nil {
			if !errors.Is(err, ErrBadName) {
				t.Fatal(err)
			}
			return
		}
		again, foldAgain, err := PrepareName(name)
		if err != nil || again != name || foldAgain != fold {
			t.Fatalf("%q is %q, %q; prepared again %q, %q, %v", s, name, fold, again, foldAgain, err)
		}
	})
}
