package chat_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"parley/channel"
	"parley/chat"
	"parley/problem"
)

func TestText(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	text := func(text string) json.RawMessage { return json.RawMessage(asJSON(map[string]string{"text": text})) }
	for _, test := range []struct {
		what string
		data json.RawMessage
		want error
	}{
		{"one character", text("a"), nil},
		{"Chinese", text("你好"), nil},
		{"line feeds and tabs", text("a\n\tb"), nil},
		{"HTML", text("<script>alert(1)</script> & more"), nil},
		{"spaces at the ends", text("  a  "), nil},
		{"emoji with joiners", text("👩‍💻"), nil},
		{"right-to-left text", text("مرحبا \u202bא\u202c"), nil},
		{"4,000 characters", text(strings.Repeat("a", 4000)), nil},
		{"4,000 emoji", text(strings.Repeat("🎉", 4000)), nil},
		{"4,000 that HTML escapes", text(strings.Repeat("<", 4000)), nil},
		{"4,001 characters", text(strings.Repeat("a", 4001)), problem.TooLong},
		{"empty", text(""), problem.Empty},
		{"blank", text(" \n\u3000"), problem.Empty},
		{"nothing", json.RawMessage(`{}`), problem.Empty},
		{"null", json.RawMessage(`null`), problem.Empty},
		{"NUL", json.RawMessage(`{"text":"a\u0000"}`), problem.BadRequest},
		{"carriage return", json.RawMessage(`{"text":"a\r\nb"}`), problem.BadRequest},
		{"escape", json.RawMessage(`{"text":"\u001b[31m"}`), problem.BadRequest},
		{"C1 control", json.RawMessage(`{"text":"\u0085"}`), problem.BadRequest},
		{"broken UTF-8", json.RawMessage("{\"text\":\"a\xff\"}"), problem.BadRequest},
		{"no JSON", json.RawMessage(`{"text":`), problem.BadRequest},
		{"no data", nil, problem.BadRequest},
		{"two values", json.RawMessage(`{"text":"a"}{"text":"b"}`), problem.BadRequest},
		{"a number", json.RawMessage(`{"text":1}`), problem.BadRequest},
		{"a list", json.RawMessage(`["a"]`), problem.BadRequest},
		{"an unknown field", json.RawMessage(`{"text":"a","html":"b"}`), problem.BadField},
		{"an edit that is none", json.RawMessage(`{"text":"a","edited":"2026-01-31T09:30:00.000Z"}`), problem.BadField},
	} {
		before := len(s.log("room:lobby"))
		_, err := s.publish(ann, "room:lobby", "text", test.data)
		if !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v; want %v", test.what, err, test.want)
			continue
		}
		log := s.log("room:lobby")
		if test.want != nil {
			if len(log) != before {
				t.Errorf("%s: refused, and said: %s", test.what, log[before])
			}
			continue
		}
		var sent, kept struct{ Text string }
		_ = json.Unmarshal(test.data, &sent)
		_ = json.Unmarshal([]byte(strings.TrimPrefix(log[before], "text: ")), &kept)
		if sent != kept {
			t.Errorf("%s: %q became %q", test.what, sent.Text, kept.Text)
		}
	}
}

func TestTypes(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	for typ, want := range map[string]error{
		"dice": nil, "x-my.game_2": nil, "a": nil, strings.Repeat("a", 32): nil,
		"topic": chat.ErrBadType, "vote": chat.ErrBadType, "tally": chat.ErrBadType, "conversation": chat.ErrBadType, "left": chat.ErrBadType,
		"": chat.ErrBadType, "Text": chat.ErrBadType, "1": chat.ErrBadType, "-a": chat.ErrBadType, "a b": chat.ErrBadType, "é": chat.ErrBadType,
		strings.Repeat("a", 33): chat.ErrBadType,
	} {
		_, err := s.publish(ann, "room:lobby", typ, json.RawMessage(`{"any":["thing"]}`))
		s.wants(err, want)
	}
	for typ, want := range map[string]error{
		"typing": nil, "cursor": nil,
		"here": chat.ErrBadType, "join": chat.ErrBadType, "leave": chat.ErrBadType, "read": chat.ErrBadType, "": chat.ErrBadType, "A": chat.ErrBadType,
	} {
		s.wants(s.Signal(t.Context(), ann, "room:lobby", typ, nil), want)
	}
}

func TestTheSenderIsWhoPublishes(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	_, err := s.Publish(t.Context(), ann, false, "room:lobby", channel.Draft{
		Channel: "room:other", From: bob, Type: "text", Data: json.RawMessage(`{"text":"hello"}`),
		Amend: &channel.Amendment{Seq: 1, Data: json.RawMessage(`{}`)},
	})
	s.ok(err)
	m, err := s.hub.Message(t.Context(), "room:lobby", 1)
	s.ok(err)
	if m.From != ann || m.Channel != "room:lobby" {
		t.Fatalf("%+v", m)
	}
}

func TestAKeyHasOneEffect(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	send := func(typ, data string) (channel.Receipt, error) {
		return s.Publish(t.Context(), ann, false, "room:lobby", channel.Draft{Key: "k-" + typ, Type: typ, Data: json.RawMessage(data)})
	}
	for _, step := range []struct{ typ, data string }{
		{"text", `{"text":"one"}`}, {"edit", `{"seq":1,"text":"two"}`}, {"delete", `{"seq":1}`},
	} {
		first, err := send(step.typ, step.data)
		s.ok(err)
		again, err := send(step.typ, step.data)
		s.ok(err)
		if first.Replayed || !again.Replayed || again.Position != first.Position {
			t.Errorf("%s: %+v, then %+v", step.typ, first, again)
		}
	}
	if again, err := send("edit", `{"seq":1,"text":"two"}`); err != nil || !again.Replayed { // after the deletion, too
		t.Error(again, err)
	}
	if n := len(s.log("room:lobby")); n != 3 {
		t.Errorf("%d messages", n)
	}
	_, err := send("text", `{"text":"other"}`)
	s.wants(err, channel.ErrKeyReused)
}

func TestEditAndDelete(t *testing.T) {
	s := newSite(t)
	ann, bob := s.person("Ann"), s.person("Bob")
	const lobby = channel.Name("room:lobby")
	s.say(ann, lobby, "secret 1")
	s.say(ann, lobby, "kept")
	edit := func(seq int, text string) error {
		_, err := s.publish(ann, lobby, "edit", map[string]any{"seq": seq, "text": text})
		return err
	}
	s.ok(edit(1, "secret <2>"))
	s.wantLog(lobby,
		`text: {"text":"secret <2>","edited":"2026-01-31T09:30:00.000Z"}`,
		`text: {"text":"kept"}`,
		`edit: {"seq":1,"text":"secret <2>"}`)
	s.ok(edit(1, "secret 3"))
	s.ok(edit(2, "kept still"))
	_, err := s.publish(ann, lobby, "delete", map[string]any{"seq": 1})
	s.ok(err)
	s.wantLog(lobby,
		`text: {"deleted":true}`,
		`text: {"text":"kept still","edited":"2026-01-31T09:30:00.000Z"}`,
		`edit: {"deleted":true}`,
		`edit: {"deleted":true}`,
		`edit: {"seq":2,"text":"kept still"}`,
		`delete: {"seq":1}`)

	_, err = s.publish(ann, lobby, "dice", map[string]int{"n": 6})
	s.ok(err)
	for _, test := range []struct {
		what, typ string
		data      any
		want      error
	}{
		{"a deleted message", "edit", map[string]any{"seq": 1, "text": "x"}, channel.ErrErased},
		{"a deleted message, again", "delete", map[string]any{"seq": 1}, channel.ErrErased},
		{"an absent one", "edit", map[string]any{"seq": 99, "text": "x"}, channel.ErrNoMessage},
		{"message 0", "delete", map[string]any{"seq": 0}, channel.ErrNoMessage},
		{"one beyond", "delete", json.RawMessage(`{"seq":18446744073709551615}`), channel.ErrNoMessage},
		{"an edit", "edit", map[string]any{"seq": 5, "text": "x"}, chat.ErrBadType},
		{"an edit's deletion", "delete", map[string]any{"seq": 5}, chat.ErrBadType},
		{"another type", "edit", map[string]any{"seq": 7, "text": "x"}, chat.ErrBadType},
		{"no text", "edit", map[string]any{"seq": 2}, problem.Empty},
		{"too long", "edit", map[string]any{"seq": 2, "text": strings.Repeat("a", 4001)}, problem.TooLong},
		{"control", "edit", map[string]any{"seq": 2, "text": "\x00"}, problem.BadRequest},
		{"negative", "delete", json.RawMessage(`{"seq":-1}`), problem.BadRequest},
		{"an unknown field", "delete", map[string]any{"seq": 2, "all": true}, problem.BadField},
	} {
		_, err := s.publish(ann, lobby, test.typ, test.data)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v; want %v", test.what, err, test.want)
		}
	}
	_, err = s.publish(ann, lobby, "delete", map[string]any{"seq": 7}) // what is one's own, of any type
	s.ok(err)
	if list := s.conversations(bob); len(list) != 0 {
		t.Fatal(list)
	}
}

// A reader who holds the messages in memory sees the deletion as whoever reads later does.
func TestAReaderHasNoDeletedText(t *testing.T) {
	s := newSite(t)
	ann := s.person("Ann")
	live := s.hub.NewReader(channel.ReaderOptions{})
	defer live.Close()
	_, err := live.Add(t.Context(), "room:lobby", channel.End, nil)
	s.ok(err)
	s.say(ann, "room:lobby", "secret")
	_, err = s.publish(ann, "room:lobby", "edit", map[string]any{"seq": 1, "text": "secret too"})
	s.ok(err)
	_, err = s.publish(ann, "room:lobby", "delete", map[string]any{"seq": 1})
	s.ok(err)
	late := s.hub.NewReader(channel.ReaderOptions{})
	defer late.Close()
	_, err = late.Add(t.Context(), "room:lobby", channel.Position{}, nil)
	s.ok(err)
	batches, err := late.Ready(t.Context())
	s.ok(err)
	if got := asJSON(batches); strings.Contains(got, "secret") || !strings.Contains(got, `"deleted":true`) {
		t.Fatal(got)
	}
}
