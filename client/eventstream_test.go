package client

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func allEvents(t *testing.T, r io.Reader) (all []string) {
	t.Helper()
	for e := newEventReader(r); ; {
		data, err := e.next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
}

func eventLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"one event", "data: a\n\n", []string{"a"}},
		{"named, with id", "event: batch\nid: 4-x\ndata: {}\n\n", []string{"{}"}},
		{"several data lines are joined", "data: a\ndata:b\ndata\ndata:  c\n\n", []string{"a\nb\n\n c"}},
		{"an event without data is none", "event: x\n\ndata: a\n\n", []string{"a"}},
		{"comments and unknown fields are passed over", ": hello\nfoo: bar\ndata: a\n\n", []string{"a"}},
		{"CR, LF and CR LF end lines", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", []string{"a", "b", "c"}},
		{"CR LF is one line end", "event: x\r\ndata: a\r\ndata: b\r\n\r\n", []string{"a\nb"}},
		{"a byte order mark is no text", "\ufeffdata: a\n\n", []string{"a"}},
		{"an unfinished event is none", "data: a\n", nil},
	} {
		if got := allEvents(t, strings.NewReader(c.text)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func eventCuts(t *testing.T) {
	text := ": c\r\nevent: batch\r\nid: 1-é\r\ndata: {\"text\":\"héllo 你好 👋\"}\r\n\r\ndata: a\rdata: b\r\rdata:\n\ndata: x\n\n"
	want := []string{`{"text":"héllo 你好 👋"}`, "a\nb", "", "x"}
	for cut := range len(text) {
		got := allEvents(t, io.MultiReader(strings.NewReader(text[:cut]), strings.NewReader(text[cut:])))
		if !slices.Equal(got, want) {
			t.Fatalf("cut at %d: %q", cut, got)
		}
	}
	if got := allEvents(t, iotest.OneByteReader(strings.NewReader(text))); !slices.Equal(got, want) {
		t.Fatalf("byte by byte: %q", got)
	}
}
