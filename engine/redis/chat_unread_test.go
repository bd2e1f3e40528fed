package redis

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"parley/channel"
	"parley/engine/redis/redistest"
)

// TestUnreadIsWhatOneWouldCount compares what Redis counts with what one would count by hand, in channels of all kinds of messages.
func TestUnreadIsWhatOneWouldCount(t *testing.T) {
	n := newNode(t, fresh(redistest.Start(t)))
	ctx := t.Context()
	for round := range 12 {
		draw := rand.New(rand.NewPCG(1, uint64(round)))
		// Long ids have a longer length before them.
		people := n.crowd(fmt.Sprint("p", round, strings.Repeat("x", []int{0, 120, 128, 200}[round%4])), 3)
		me := people[0]
		id := fmt.Sprint("r", round)
		n.ok(n.storeRoom(id, me))
		others := []int{0, 5, 95}[round%3] // of a hundred messages, those that are no news
		type said struct{ news bool }
		var all []said
		for i := range 30 + draw.IntN(1500) {
			d := channel.Draft{Channel: channel.Room(id), Type: "text", From: people[1+draw.IntN(2)], Data: json.RawMessage(`{"text":"hello"}`)}
			if draw.IntN(2) == 0 {
				d.Key = fmt.Sprint(i, strings.Repeat("k", draw.IntN(200)))
			}
			news := true
			if draw.IntN(100) < others {
				if news = false; draw.IntN(2) == 0 {
					d.From = me
				} else {
					d.Type = []string{"topic", "texts", "tex", "vote"}[draw.IntN(4)]
				}
			}
			all = append(all, said{news})
			if target := draw.IntN(len(all)); i > 0 && draw.IntN(20) == 0 {
				d.Type, d.From = "edit", people[1]
				d.Amend = &channel.Amendment{Seq: uint64(target + 1), Data: json.RawMessage(`{"text":"changed"}`), Erase: draw.IntN(2) == 0}
				all[i].news = false
				if target == i {
					d.Amend.Seq = uint64(target)
					target--
				}
				if _, err := n.e.Append(ctx, d); err != nil { // it was erased before
					d.Amend = nil
					_, err = n.e.Append(ctx, d)
					n.ok(err)
				} else if d.Amend.Erase {
					all[target].news = false
				}
				continue
			}
			_, err := n.e.Append(ctx, d)
			n.ok(err)
		}
		for _, read := range []int{0, draw.IntN(len(all)), len(all) - 1, len(all)} {
			_, _, err := n.e.SetRead(ctx, me.ID, channel.Room(id), uint64(read))
			n.ok(err)
			want := 0
			for i := max(read, len(all)-1000); i < len(all); i++ {
				if all[i].news {
					want++
				}
			}
			list, err := n.e.Conversations(ctx, me.ID, 10)
			n.ok(err)
			if len(list) != 1 || list[0].Unread != min(want, 100) || list[0].Position.Seq != uint64(len(all)) {
				t.Fatalf("round %d: of %d messages after %d: %+v; want %d unread", round, len(all), read, list, want)
			}
		}
	}
}
