package enginetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

func (t *searchTest) pages() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	var want []string
	for i := range 60 {
		if i%3 == 0 {
			want = append(want, fmt.Sprint("tea ", i))
		}
		t.say(ann, room, fmt.Sprint([]string{"tea ", "milk ", "no "}[i%3], i))
	}
	slices.Reverse(want)
	t.settle()
	for _, limit := range []int{1, 3, 20, 100} {
		found := t.follow(ann, chat.Search{Query: "tea", Channel: room, Limit: limit}, func(page int) {
			if page < 4 {
				t.say(ann, room, "late tea")
			}
		})
		got := slices.DeleteFunc(textsOf(found), func(text string) bool { return text == "late tea" })
		if !slices.Equal(got, want) {
			t.Fatalf("in pages of %d: %q; want %q", limit, got, want)
		}
	}
}

func (t *searchTest) pagesOfMany() {
	ann, bob := t.person("Ann"), t.person("Bob")
	channels := []channel.Name{channel.Direct(ann.ID, bob.ID)}
	for i := range 24 {
		channels = append(channels, t.room(ann, fmt.Sprint("Room ", i), i%2 == 0))
	}
	var want []string
	for i := range 140 {
		text := fmt.Sprint("tea ", i)
		if i%5 == 4 {
			text = fmt.Sprint("milk ", i)
		} else {
			want = append(want, text)
		}
		t.say(ann, channels[i*i%23], text) // two of them have nothing
	}
	slices.Sort(want)
	t.settle()
	for _, limit := range []int{1, 7, 100} {
		changing := 0
		found := t.follow(ann, chat.Search{Query: "tea", Limit: limit}, func(page int) {
			if page%10 == 0 {
				t.say(ann, channels[page%len(channels)], "late tea")
				changing++
			}
		})
		got := slices.DeleteFunc(textsOf(found), func(text string) bool { return text == "late tea" })
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("in pages of %d: %d messages; want %d:\n%q", limit, len(got), len(want), got)
		}
	}
}

// farBack: what one search looks at is bounded, and so the oldest is found with the second only, unless there is an index.
func (t *searchTest) farBack() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	t.say(ann, room, "needle")
	const filler = 10_500
	drafts := make([]channel.Draft, 100)
	for i := range drafts {
		drafts[i] = channel.Draft{Channel: room, Type: "text", From: ann, Data: json.RawMessage(`{"text":"hay"}`)}
	}
	for range filler / len(drafts) {
		_, err := t.Engine.Append(t.Context(), drafts...)
		t.ok(err)
	}
	t.settle()
	first, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "needle"})
	t.ok(err)
	if len(first.Messages) == 1 && first.Next == "" {
		return
	}
	if first.Next == "" || first.Back.IsZero() {
		t.Fatalf("nothing is found, and nothing left: %+v", first)
	}
	second, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "needle", Before: first.Next})
	t.ok(err)
	if len(second.Messages) != 1 || second.Next != "" || second.Messages[0].Seq != 1 {
		t.Fatalf("the second page: %+v", second)
	}
}

func (t *searchTest) refused() {
	ann := t.person("Ann")
	room := t.room(ann, "Tea", false)
	for _, c := range []struct {
		q    chat.Search
		want error
	}{
		{chat.Search{Query: ""}, problem.BadRequest},
		{chat.Search{Query: "?! …"}, problem.BadRequest},
		{chat.Search{Query: strings.Repeat("a", chat.MaxQuery+1)}, problem.TooLong},
		{chat.Search{Query: "tea", Limit: 101}, problem.BadRequest},
		{chat.Search{Query: "tea", Limit: -1}, problem.BadRequest},
		{chat.Search{Query: "tea", Before: "42"}, channel.ErrBadPosition},
		{chat.Search{Query: "tea", Before: "AQ-"}, channel.ErrBadPosition},
		{chat.Search{Query: "tea", Before: "AQECAwQF"}, channel.ErrBadPosition},
		{chat.Search{Query: "tea", Channel: room, Before: "x"}, channel.ErrBadPosition},
	} {
		if _, err := t.talk.Search(t.Context(), ann, c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v; want %v", c.q, err, c.want)
		}
	}
	for _, before := range []string{"", "0", "1", "42", "end", "42-k3x9q0zr"} {
		if results, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "tea", Channel: room, Before: before}); err != nil || len(results.Messages) != 0 || results.Next != "" {
			t.Errorf("before %q in an empty room: %+v, %v", before, results, err)
		}
	}
	t.say(ann, room, "tea")
	if results, err := t.talk.Search(t.Context(), ann, chat.Search{Query: "tea", Channel: room, Before: "1000"}); err != nil || len(results.Messages) != 1 {
		t.Errorf("before what is not there yet: %+v, %v", results, err)
	}
}
