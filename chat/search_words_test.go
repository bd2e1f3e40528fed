package chat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

func words(t testing.TB, query string) *chat.Words {
	t.Helper()
	w, err := chat.ParseWords(query)
	if err != nil {
		t.Fatalf("%q: %v", query, err)
	}
	return w
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		query, text string
		found       bool
	}{
		{"hel", "Hello, world", true},
		{"HELLO", "hello", true},
		{"ello", "Hello", false}, // words are found by their beginning
		{"hello world", "The world says hello", true},
		{"hello moon", "The world says hello", false},
		{"hello hello", "hello", true},
		{"café", "CAFE\u0301 at nine", true}, // composed and not
		{"cafe", "café", false},
		{"straße", "STRASSE", true},
		{"strasse", "Straße", true},
		{"ΣΊΣΥΦΟΣ", "σίσυφος", true},
		{"привет", "ПРИВЕТ, мир", true},
		{"don't", "I don't know", true},
		{"2026", "on 2026-11-22", true},
		{"22", "on 2026-11-22", true},
		{"26", "on 2026-11-22", false},
		{"iphone 手机", "新的iPhone15手机", true},
		{"ｉＰｈｏｎｅ", "an iphone", true}, // full width
		{"c++", "C is enough", true},  // ASCII's punctuation separates

		{"投票", "请大家投票吧", true},
		{"投", "请大家投票吧", true},
		{"吧", "请大家投票吧", true},
		{"请大家投票吧", "请大家投票吧", true},
		{"票投", "请大家投票吧", false},
		{"投吧", "请大家投票吧", false},
		{"投票 大家", "请大家投票吧", true},
		{"投票", "投，票", false},
		{"家投吧", "大家投，投吧，家投", false}, // its pairs are there, and it is not
		{"テスト", "これはﾃｽﾄです", true},
		{"サーバー", "サーバーが落ちた", true},
		{"국어", "한국어를 배웁니다", true},
		{"สวัสดี", "คุณสวัสดีครับ", true},

		{"🎉", "done 🎉🎊", true},
		{"🎊", "done 🎉🎊", true},
		{"🎊🎉", "done 🎉🎊", false},
		{"👍", "fine 👍🏽!", true},
		{"❤️", "I ❤ this", true},
		{"👩", "👨‍👩‍👧", true},
		{"🇨🇳", "hello🇨🇳", true},
		{"€", "9 €", true},

		{"שלום", "אמר: שלום עולם", true},
		{"مرحبا", "\u200fمرحبا بالجميع", true},
		{"خواهم", "نمی\u200cخواهم", false}, // one word, its parts joined by a mark that is not seen
		{"نمی", "نمی\u200cخواهم", true},
		{"हिन्दी", "मेरी हिन्दी", true},

		{"hello", "", false},
		{"hello", "...", false},
	} {
		w := words(t, c.query)
		if found := w.In(c.text); found != c.found {
			t.Errorf("%q in %q: %v", c.query, c.text, found)
		}
		if c.found && !indexed(w, c.text) {
			t.Errorf("%q in %q: an index does not have it: %q, %v", c.query, c.text, chat.IndexTerms(c.text), w.Terms())
		}
	}
}

// indexed reports whether an index leads from the words to a text.
func indexed(w *chat.Words, text string) bool {
	terms := chat.IndexTerms(text)
	for _, need := range w.Terms() {
		if !slices.ContainsFunc(terms, func(term string) bool {
			return term == need.Text || need.Begins && strings.HasPrefix(term, need.Text)
		}) {
			return false
		}
	}
	return true
}

func TestWords_Refused(t *testing.T) {
	for query, want := range map[string]*problem.Problem{
		"":                       problem.BadRequest,
		" \t":                    problem.BadRequest,
		"?!… -- 。「」":             problem.BadRequest,
		"\u200b\u200d\ufe0f":     problem.BadRequest,
		"\u0301":                 problem.BadRequest,
		"a\xff":                  problem.BadRequest,
		strings.Repeat("a", 201): problem.TooLong,
		strings.Repeat("票", 201): problem.TooLong,
		"a b c d e f g h i j k l m n o p q r s t u": problem.TooLong,
	} {
		if _, err := chat.ParseWords(query); !want.Is(problem.Of(err)) {
			t.Errorf("%q: %v; want %s", query, err, want.Code())
		}
	}
	words(t, strings.Repeat("票", 200))
	words(t, "a b c d e f g h i j k l m n o p q r s t")
}

func TestWords_OnlyTexts(t *testing.T) {
	w := words(t, "hello")
	for _, m := range []channel.Message{
		{Type: "edit", Data: json.RawMessage(`{"seq":1,"text":"hello"}`)},
		{Type: "text", Data: json.RawMessage(`{"deleted":true}`)},
		{Type: "text", Data: json.RawMessage(`"hello"`)},
		{Type: "topic", Data: json.RawMessage(`{"name":"hello","topic":"hello"}`)},
	} {
		if w.Find(&m) {
			t.Errorf("found %s %s", m.Type, m.Data)
		}
	}
	if m := (channel.Message{Type: "text", Data: json.RawMessage(`{"text":"Hello","edited":"2026-01-31T09:30:00.000Z"}`)}); !w.Find(&m) {
		t.Error("not found: the text that was edited")
	}
}

// TestWords_Index: whatever is found, an index finds; and what is made of a text's own words and parts of runs is found in it.
func TestWords_Index(t *testing.T) {
	letter := rapid.SampledFrom([]rune("aAbBeéßſİıÅΣσς가각投票吧サﾃｰー์ทที่🎉👍🏽👩\u200d\u0301\ufe0f  .,-'_+۱०ﬁ㍿½ﷺשمंﾞ"))
	text := rapid.StringOfN(letter, 0, 40, -1)
	rapid.Check(t, func(t *rapid.T) {
		said := text.Draw(t, "text")
		for _, term := range chat.IndexTerms(said) {
			if strings.ContainsAny(term, " \t\n\"*") || term == "" {
				t.Fatalf("%q has the term %q", said, term)
			}
		}
		for _, query := range []string{text.Draw(t, "query"), said, strings.ToUpper(said), strings.ToLower(said)} {
			w, err := chat.ParseWords(query)
			if err != nil {
				continue
			}
			if found := w.In(said); found && !indexed(w, said) {
				t.Fatalf("%q is in %q, and its index does not have it: %q, %v", query, said, chat.IndexTerms(said), w.Terms())
			} else if !found && query == said {
				t.Fatalf("%q is not found by itself", said)
			}
		}
	})
}

func FuzzWords(f *testing.F) {
	f.Add("hello", "Hello, 投票 🎉")
	f.Add("投票", "请大家投票吧")
	f.Fuzz(func(t *testing.T, query, text string) {
		w, err := chat.ParseWords(query)
		if err != nil {
			return
		}
		if w.In(text) && !indexed(w, text) {
			t.Errorf("%q in %q", query, text)
		}
	})
}
