package vote

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/channel"
)

func TestVisibleTo(t *testing.T) {
	for _, test := range []struct {
		results                               Results
		open                                  bool
		nobody, stranger, someVoter, theOwner bool
	}{
		{Always, true, true, true, true, true},
		{Always, false, true, true, true, true},
		{Voted, true, false, false, true, true},
		{Voted, false, true, true, true, true},
		{Closed, true, false, false, false, true},
		{Closed, false, true, true, true, true},
		{Owner, true, false, false, false, true},
		{Owner, false, false, false, false, true},
		{"", false, false, false, false, true},
	} {
		v := Vote{Owner: channel.Sender{ID: "owner"}, Results: test.results, Open: test.open}
		for who, want := range map[string]bool{"": test.nobody, "stranger": test.stranger, "voter": test.someVoter, "owner": test.theOwner} {
			if got := v.VisibleTo(who, who == "voter"); got != want {
				t.Errorf("results %q, open %t: visible to %q is %t", test.results, test.open, who, got)
			}
		}
	}
	if (Vote{Results: Owner}).VisibleTo("", true) {
		t.Error("a vote without owner is visible to nobody's id")
	}
}

func sample() Vote {
	at := time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	return Vote{
		Code: "K7QM3", Question: "Tea?", Options: []Option{{1, "yes", 2}, {2, "no", 0}}, Min: 1, Max: 1, Owner: channel.Sender{ID: "o", Name: "Ann"},
		Change: true, Results: Voted, Open: true, Closes: at.Add(time.Hour), Created: at, Version: 7, Voters: 2,
	}
}

// The fields and their names are the contract of docs/protocol.md.
func TestViewJSON(t *testing.T) {
	const head = `"code":"K7QM3","channel":"vote:K7QM3","question":"Tea?","open":true,"version":7,"voters":2,"min":1,"max":1,"change":true,"named":`
	const rest = `"results":"voted","room":"","owner":{"id":"o","name":"Ann"},"created":"2026-01-31T09:30:00.000Z","closes":"2026-01-31T10:30:00.000Z","visible":`
	own := &Ballot{Voter: channel.Sender{ID: "v", Name: "Vic"}, Options: []int{1}}
	who := []Ballot{*own, {Voter: channel.Sender{ID: "w", Name: "Wu"}, Options: []int{1}}}
	named := sample()
	named.Named = true
	for _, test := range []struct {
		name string
		got  any
		want string
	}{
		{"event", Event(sample()), `{` + head + `false,` + rest + `true,"options":[{"id":1,"text":"yes","count":2},{"id":2,"text":"no","count":0}]}`},
		{"event of a named vote", Event(named), `{` + head + `true,` + rest + `true,"options":[{"id":1,"text":"yes","count":2},{"id":2,"text":"no","count":0}]}`},
		{"hidden", NewView(named, "x", nil, who, 0), `{` + head + `true,` + rest + `false,"options":[{"id":1,"text":"yes"},{"id":2,"text":"no"}],"ballot":[],"mine":false}`},
		{"visible", NewView(sample(), "v", own, who, 0), `{` + head + `false,` + rest + `true,"options":[{"id":1,"text":"yes","count":2},{"id":2,"text":"no","count":0}],"ballot":[1],"mine":false}`},
		{"the owner's", NewView(sample(), "o", nil, nil, 0), `{` + head + `false,` + rest + `true,"options":[{"id":1,"text":"yes","count":2},{"id":2,"text":"no","count":0}],"ballot":[],"mine":true}`},
		{"named", NewView(named, "v", own, who, 0), `{` + head + `true,` + rest + `true,"options":[{"id":1,"text":"yes","count":2,"who":[{"id":"v","name":"Vic"},{"id":"w","name":"Wu"}]},{"id":2,"text":"no","count":0,"who":[]}],"ballot":[1],"mine":false}`},
		{"named, one name", NewView(named, "v", own, who, 1), `{` + head + `true,` + rest + `true,"options":[{"id":1,"text":"yes","count":2,"who":[{"id":"v","name":"Vic"}]},{"id":2,"text":"no","count":0,"who":[]}],"ballot":[1],"mine":false}`},
	} {
		got, err := json.Marshal(test.got)
		if err != nil || string(got) != test.want {
			t.Errorf("%s is\n%s (%v), want\n%s", test.name, got, err, test.want)
		}
		if view, is := test.got.(View); is && string(view.AppendJSON(nil)) != test.want {
			t.Errorf("%s is written as\n%s, want\n%s", test.name, view.AppendJSON(nil), test.want)
		}
	}
	forever := sample()
	forever.Closes = time.Time{}
	if !strings.Contains(string(Event(forever)), `"closes":null`) {
		t.Errorf("without deadline: %s", Event(forever))
	}
}

// Ballots may be read after more options were added.
func TestViewOfLaterBallots(t *testing.T) {
	v := sample()
	v.Named = true
	view := NewView(v, "o", nil, []Ballot{{Voter: channel.Sender{ID: "v"}, Options: []int{2, 3}}}, 0)
	if len(view.Options[1].Who) != 1 {
		t.Errorf("%+v", view.Options)
	}
}

func TestCSV(t *testing.T) {
	v := sample()
	v.Results, v.Named = Always, true
	v.Options = []Option{{1, `=HYPERLINK("x";"y")`, 2}, {2, "a, \"b\"; c", 0}, {3, "茶", 1}, {4, "-1", 0}, {5, "@x", 0}, {6, "+1", 0}, {7, "＝1", 0}}
	who := []Ballot{
		{Voter: channel.Sender{ID: "v", Name: "=cmd"}, Options: []int{1}},
		{Voter: channel.Sender{ID: "w", Name: "Wu"}, Options: []int{1, 3}},
		{Voter: channel.Sender{ID: "x", Name: "@x"}, Options: []int{3}},
	}
	for _, test := range []struct {
		name string
		view View
		want string
	}{
		{"named", NewView(v, "", nil, who, 0), "\ufeffid,option,count,who\r\n" +
			`1,"'=HYPERLINK(""x"";""y"")",2,"'=cmd; Wu"` + "\r\n" + `2,"a, ""b""; c",0,""` + "\r\n" + `3,"茶",1,"Wu; '@x"` + "\r\n" +
			`4,"'-1",0,""` + "\r\n" + `5,"'@x",0,""` + "\r\n" + `6,"'+1",0,""` + "\r\n" + `7,"'＝1",0,""` + "\r\n"},
		{"hidden", NewView(sample(), "x", nil, nil, 0), "\ufeffid,option,count\r\n1,\"yes\",\r\n2,\"no\",\r\n"},
		{"anonymous", NewView(sample(), "o", nil, who, 0), "\ufeffid,option,count\r\n1,\"yes\",2\r\n2,\"no\",0\r\n"},
	} {
		var b strings.Builder
		if err := test.view.WriteCSV(&b); err != nil || b.String() != test.want {
			t.Errorf("%s is\n%q (%v), want\n%q", test.name, b.String(), err, test.want)
		}
	}
}

func TestEventParts(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"version":7`, `,"count":3`, `\"voters":1`, `{"id":1,"count":0}`, "选"}))
	rapid.Check(t, func(t *rapid.T) {
		v := Vote{Code: texts.Draw(t, "code"), Question: texts.Draw(t, "question"), Room: texts.Draw(t, "room"), Version: 12, Voters: 345, Results: Always}
		v.Owner = channel.Sender{ID: texts.Draw(t, "id"), Name: texts.Draw(t, "name")}
		for i := range rapid.IntRange(0, 5).Draw(t, "options") {
			v.Options = append(v.Options, Option{ID: i + 1, Text: texts.Draw(t, "text"), Count: 60 + i})
		}
		parts := EventParts(v)
		v.Version, v.Voters = 98765, 0
		numbers := []int{98765, 0}
		for i := range v.Options {
			v.Options[i].Count = 1000 * i
			numbers = append(numbers, 1000*i)
		}
		made := parts[0]
		for i, n := range numbers {
			made += strconv.Itoa(n) + parts[i+1]
		}
		if made != string(Event(v)) || len(parts) != len(numbers)+1 {
			t.Fatalf("made\n%s, the event is\n%s", made, Event(v))
		}
	})
}
