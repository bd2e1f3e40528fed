package channel

import (
	"encoding/json"
	"testing"
	"time"
)

func TestALensThatChangesNothingKeepsTheSharedEncoding(t *testing.T) {
	m := Message{Channel: "room:a", Seq: 1, ID: "k", Type: "text", From: Sender{"u", "Ann"}, At: time.UnixMilli(1000), Data: json.RawMessage(`{"n":1}`), json: []byte("encoded once")}
	for name, c := range map[string]struct {
		lens Lens
		kept bool
	}{
		"as it was":    {func(m Message, _ bool) (Message, bool) { return m, true }, true},
		"other data":   {func(m Message, _ bool) (Message, bool) { m.Data = json.RawMessage(`{"n":2}`); return m, true }, false},
		"no data":      {func(m Message, _ bool) (Message, bool) { m.Data = nil; return m, true }, false},
		"other sender": {func(m Message, _ bool) (Message, bool) { m.From.Name = "Bob"; return m, true }, false},
		"other type":   {func(m Message, _ bool) (Message, bool) { m.Type = "x"; return m, true }, false},
		"other id":     {func(m Message, _ bool) (Message, bool) { m.ID = "x"; return m, true }, false},
		"other time":   {func(m Message, _ bool) (Message, bool) { m.At = m.At.Add(1); return m, true }, false},
	} {
		seen, _ := c.lens.over([]Message{m}, true)
		if kept := seen[0].json != nil; kept != c.kept {
			t.Errorf("%s: the encoding was kept: %v, want %v", name, kept, c.kept)
		}
	}
}
