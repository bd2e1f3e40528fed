package channel_test

import (
	"testing"

	"parley/channel"
)

// A delivery from memory costs one allocation: the slice of batches. The messages are the hub's own, and their encoding
// is copied into the reader's buffer.
func TestDeliveryAllocates(t *testing.T) {
	hub, _ := newHub(t, channel.Options{})
	r := hub.NewReader(channel.ReaderOptions{Mode: channel.Stream})
	defer r.Close()
	add(t, r, lobby, channel.Position{})
	first := publish(t, hub, text(lobby, "1"), text(lobby, "2"), text(lobby, "3"))[0].Position
	next(t, r)
	buffer := make([]byte, 0, 4096)
	deliver := func() {
		d, err := r.Next(t.Context())
		if err != nil || len(d.Batches) != 1 || len(d.Batches[0].Messages) != 2 {
			t.Fatal(d, err)
		}
		buffer = d.Batches[0].AppendJSON(buffer[:0])
	}
	rewind := func() { r.Rewind(lobby, first) }
	alone := testing.AllocsPerRun(1000, rewind)
	if n := testing.AllocsPerRun(1000, func() { rewind(); deliver() }) - alone; n > 1 {
		t.Fatalf("a delivery allocates %v times", n)
	}
}

// A commit costs the same, whether one reads the channel or two thousand who have not looked since the last.
func TestCommitDoesNotAllocatePerReader(t *testing.T) {
	cost := func(readers int) float64 {
		hub, _ := newHub(t, channel.Options{CacheMessages: 4})
		for range readers {
			r := hub.NewReader(channel.ReaderOptions{})
			t.Cleanup(r.Close)
			add(t, r, lobby, channel.End)
		}
		m := message(0, `{"text":"hello"}`)
		return testing.AllocsPerRun(100, func() {
			m.Seq++
			m.Mark, m.Prev = channel.Mark(m.Seq), channel.Mark(m.Seq-1)
			hub.Committed([]channel.Message{m})
		})
	}
	if one, many := cost(1), cost(2_000); many > one {
		t.Fatalf("a commit allocates %v times for one reader, %v times for 2,000", one, many)
	}
}
