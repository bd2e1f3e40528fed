package channel_test

import (
	"encoding/json"
	"testing"
	"time"

	"parley/channel"
)

var at = time.Date(2026, 1, 31, 9, 30, 0, 7_999_999, time.FixedZone("", 3600)) // cut to milliseconds, in UTC

func message(seq uint64, data string) channel.Message {
	return channel.Message{
		Channel: lobby, Seq: seq, Mark: 99, Prev: 98, ID: "k1", Type: "text", From: ann, At: at, Data: json.RawMessage(data),
	}
}

func TestJSON(t *testing.T) {
	const first = `{"seq":42,"id":"k1","type":"text","from":{"id":"u1","name":"Ann"},"at":"2026-01-31T08:30:00.007Z","data":{"text":"hi"}}`
	from, to := channel.Position{Seq: 40, Mark: 1000}, channel.Position{Seq: 42, Mark: 99}
	hello := message(42, `{"text":"hi"}`)
	evil := message(1, `{"text":"</script>"}`)
	evil.From.Name = "</script>&\"\\\n\u2028\xff\x7f岡"
	for name, c := range map[string]struct {
		value interface{ AppendJSON([]byte) []byte }
		want  string
	}{
		"message":  {&hello, first},
		"name":     {&evil, `{"seq":1,"id":"k1","type":"text","from":{"id":"u1","name":"\u003c/script\u003e\u0026\"\\\n\u2028\ufffd` + "\x7f" + `岡"},"at":"2026-01-31T08:30:00.007Z","data":{"text":"</script>"}}`},
		"no data":  {&channel.Message{Seq: 1}, `{"seq":1,"id":"","type":"","from":{"id":"","name":""},"at":"0001-01-01T00:00:00.000Z","data":null}`},
		"batch":    {&channel.Batch{Channel: lobby, From: from, To: to, Messages: []channel.Message{hello}}, `{"channel":"room:lobby","from":"40-rs","to":"42-2r","messages":[` + first + `]}`},
		"more":     {&channel.Batch{Channel: lobby, To: to, Messages: []channel.Message{hello, hello}, More: true}, `{"channel":"room:lobby","from":"0","to":"42-2r","messages":[` + first + `,` + first + `],"more":true}`},
		"empty":    {&channel.Batch{Channel: lobby, From: to, To: to}, `{"channel":"room:lobby","from":"42-2r","to":"42-2r","messages":[]}`},
		"gap":      {&channel.Batch{Channel: lobby, Gap: &channel.Gap{From: channel.Position{Seq: 7, Mark: 1}, Reason: channel.Retention, Resume: from, Tail: to}}, `{"channel":"room:lobby","gap":{"from":"7-1","reason":"retention","resume":"40-rs","tail":"42-2r"}}`},
		"deleted":  {&channel.Batch{Channel: lobby, Gap: &channel.Gap{From: from, Reason: channel.Deleted}}, `{"channel":"room:lobby","gap":{"from":"40-rs","reason":"deleted","tail":"0"}}`},
		"signal":   {&channel.Signal{Channel: lobby, Type: "typing", From: ann, Data: json.RawMessage(`{}`)}, `{"channel":"room:lobby","signal":{"type":"typing","from":{"id":"u1","name":"Ann"},"data":{}}}`},
		"no datum": {&channel.Signal{Channel: lobby, Type: "typing"}, `{"channel":"room:lobby","signal":{"type":"typing","from":{"id":"","name":""},"data":null}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(c.value.AppendJSON([]byte("before ")))
			if got != "before "+c.want {
				t.Fatalf("\n got %s\nwant before %s", got, c.want)
			}
			if marshalled, err := json.Marshal(c.value); err != nil || !json.Valid(marshalled) {
				t.Fatalf("%s, %v", marshalled, err)
			}
		})
	}
}

// The encoding that readers share is that of a message that was read from the log.
func TestSharedEncodingIsTheSame(t *testing.T) {
	hub, log := newHub(t, channel.Options{})
	r := hub.NewReader(channel.ReaderOptions{})
	defer r.Close()
	add(t, r, lobby, channel.End)
	wantSeqs(t, ready(t, r), "")
	publish(t, hub, text(lobby, "hello"), channel.Draft{Channel: lobby, Type: "x", From: ann, Key: "k", Data: json.RawMessage(` [1, 2 ] `)})
	reads := log.readCount()
	live := show(ready(t, r))
	if log.readCount() != reads {
		t.Fatal("it was not served from memory")
	}
	b, err := log.Read(t.Context(), lobby, channel.Position{}, 10, 1<<20)
	if stored := show([]channel.Batch{b}); err != nil || stored != live {
		t.Fatalf("\nlive   %s\nstored %s", live, stored)
	}
}

func FuzzString(f *testing.F) {
	for _, s := range []string{"", "Ann", "<&>", "\u2028\u2029", "\xff", "\x00\b\f\x7f", `"\`, "岡"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, _ := json.Marshal(s)
		if got := channel.AppendString(nil, s); string(got) != string(want) {
			t.Fatalf("%q: %s, encoding/json writes %s", s, got, want)
		}
	})
}
