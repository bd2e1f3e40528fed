package channel_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"parley/channel"
	"parley/problem"
)

func TestDraftsAreChecked(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, c := range map[string]struct {
		change func(*channel.Draft)
		want   error
		data   string
	}{
		"plain":            {func(d *channel.Draft) {}, nil, `{"text":"hello"}`},
		"compacted":        {func(d *channel.Draft) { d.Data = raw("\n{ \"a\" : [ 1, \"b \\\" [c\" ] } ") }, nil, `{"a":[1,"b \" [c"]}`},
		"longest":          {func(d *channel.Draft) { d.Data = raw(`"` + strings.Repeat("x", 98) + `"  `) }, nil, `"` + strings.Repeat("x", 98) + `"`},
		"too long":         {func(d *channel.Draft) { d.Data = raw(`"` + strings.Repeat("x", 99) + `"`) }, problem.TooLong, ""},
		"no data":          {func(d *channel.Draft) { d.Data = nil }, channel.ErrBadData, ""},
		"no JSON":          {func(d *channel.Draft) { d.Data = raw(`{"a":}`) }, channel.ErrBadData, ""},
		"two values":       {func(d *channel.Draft) { d.Data = raw(`{} {}`) }, channel.ErrBadData, ""},
		"no UTF-8":         {func(d *channel.Draft) { d.Data = raw("\"\xff\"") }, channel.ErrBadData, ""},
		"line feed":        {func(d *channel.Draft) { d.Data = raw("\"a\nb\"") }, channel.ErrBadData, ""},
		"nested":           {func(d *channel.Draft) { d.Data = raw(nested(49)) }, nil, nested(49)},
		"nested too deep":  {func(d *channel.Draft) { d.Data = raw(nested(65)) }, channel.ErrBadData, ""},
		"not nested":       {func(d *channel.Draft) { d.Data = raw(`"` + strings.Repeat("[", 80) + `"`) }, nil, `"` + strings.Repeat("[", 80) + `"`},
		"amendment":        {func(d *channel.Draft) { d.Amend = &channel.Amendment{Seq: 1, Data: raw(`{"a":`)} }, channel.ErrBadData, ""},
		"type":             {func(d *channel.Draft) { d.Type = "a.b_c-9" + strings.Repeat("x", 25) }, nil, `{"text":"hello"}`},
		"type too long":    {func(d *channel.Draft) { d.Type = strings.Repeat("x", 33) }, channel.ErrBadType, ""},
		"no type":          {func(d *channel.Draft) { d.Type = "" }, channel.ErrBadType, ""},
		"type begins so":   {func(d *channel.Draft) { d.Type = "9a" }, channel.ErrBadType, ""},
		"type of capitals": {func(d *channel.Draft) { d.Type = "Text" }, channel.ErrBadType, ""},
		"key":              {func(d *channel.Draft) { d.Key = strings.Repeat("~", 64) }, nil, `{"text":"hello"}`},
		"key too long":     {func(d *channel.Draft) { d.Key = strings.Repeat("k", 65) }, channel.ErrBadKey, ""},
		"key with space":   {func(d *channel.Draft) { d.Key = "a b" }, channel.ErrBadKey, ""},
		"channel":          {func(d *channel.Draft) { d.Channel = "lobby" }, channel.ErrBadChannel, ""},
	} {
		t.Run(name, func(t *testing.T) {
			hub, log := newHub(t, channel.Options{DataLimit: 100})
			publish(t, hub, text(lobby, "amended"))
			d := text(lobby, "hello")
			c.change(&d)
			given := string(d.Data)
			_, err := hub.Append(t.Context(), text(lobby, "first"), d)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if string(d.Data) != given {
				t.Fatal("the caller's draft was changed")
			}
			stored := log.record(lobby).messages
			if err != nil && len(stored) != 1 {
				t.Fatal("something was appended all the same")
			}
			if got := stored[len(stored)-1].Data; err == nil && string(got) != c.data {
				t.Fatalf("stored %s, want %s", got, c.data)
			}
		})
	}
}

func TestSignalsAreChecked(t *testing.T) {
	hub, _ := newHub(t, channel.Options{SignalLimit: 10})
	for name, c := range map[string]struct {
		signal channel.Signal
		want   error
	}{
		"plain":   {channel.Signal{Channel: lobby, Type: "typing", Data: raw(`{ "a": 1  }`)}, nil},
		"no data": {channel.Signal{Channel: lobby, Type: "typing"}, nil},
		"long":    {channel.Signal{Channel: lobby, Type: "typing", Data: raw(`"123456789"`)}, problem.TooLong},
		"data":    {channel.Signal{Channel: lobby, Type: "typing", Data: raw(`}`)}, channel.ErrBadData},
		"type":    {channel.Signal{Channel: lobby, Data: raw(`1`)}, channel.ErrBadType},
		"channel": {channel.Signal{Type: "typing"}, channel.ErrBadChannel},
	} {
		t.Run(name, func(t *testing.T) {
			if err := hub.Signal(t.Context(), c.signal); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("%v, want %v", err, c.want)
			}
		})
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }
