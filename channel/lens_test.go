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
		"as it was":    {func(m Message) Message { return m }, true},
		"other data":   {func(m Message) Message { m.Data = json.RawMessage(`{"n":2}`); return m }, false},
		"no data":      {func(m Message) Message { m.Data = nil; return m }, false},
		"other sender": {func(m Message) Message { m.From.Name = "Bob"; return m }, false},
		"other type":   {func(m Message) Message { m.Type = "x"; return m }, false},
		"other id":     {func(m Message) Message { m.ID = "x"; return m }, false},
		"other time":   {func(m Message) Message { m.At = m.At.Add(1); return m }, false},
	} {
		if kept := c.lens.over([]Message{m})[0].json != nil; kept != c.kept {
			t.Errorf("%s: the encoding was kept: %v, want %v", name, kept, c.kept)
		}
	}
}
