package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// history reads the past backwards, again and again, page by page from the end to the beginning, until ctx ends; then, once,
// all of it. Its pages must join, and say what the readers were told.
func (r *reader) history(ctx, reading context.Context) error {
	r.transport = "history"
	for {
		last := ctx.Err() != nil
		for _, c := range r.channels[:len(r.channels)-1] {
			if err := r.backwards(reading, c, last); err != nil {
				var why *refusal
				if errors.As(err, &why) && !why.passing() {
					return fmt.Errorf("reading history: %w", err)
				}
				if !last && !r.patience(reading, err) {
					return nil
				}
			}
		}
		if last || !pause(reading, 50*time.Millisecond) {
			return nil
		}
	}
}

// backwards reads a channel from its end; a part of it, unless all is asked for.
func (r *reader) backwards(ctx context.Context, channel string, all bool) error {
	r.mu.Lock()
	base := r.cursors[channel].seq
	r.mu.Unlock()
	before, next := "end", uint64(0) // next: the seq that the next page must end with; 0: any
	for pages := 0; all || pages < 8; pages++ {
		var b batch
		path := "/v1/channels/" + channel + "/messages?before=" + before + "&limit=" + strconv.Itoa(20+r.random.IntN(200))
		get := r.do
		if all {
			get = r.insist
		}
		if err := get(ctx, "GET", path, nil, &b); err != nil {
			return err
		}
		from, _ := seqOf(b.From)
		to, ok := seqOf(b.To)
		bad := func(rule, expected, came string) {
			r.oracle.violate(Violation{Rule: rule, Channel: channel, Seq: to, Who: r.who(), Expected: expected, Came: came})
		}
		if !ok || b.Gap != nil || len(b.Messages) > 0 && (b.Messages[0].Seq != from+1 || b.Messages[len(b.Messages)-1].Seq != to) {
			bad("protocol", "a page whose messages are those after from, up to to", fmt.Sprintf("one before %s: %s", before, b.describe()))
			return nil
		}
		if len(b.Messages) == 0 && from == to && to > next && next != 0 {
			// All before is gone by now. Whether that is true, the oracle knows in the end.
			r.oracle.told(r.who(), channel, &gap{From: strconv.FormatUint(base, 10), Reason: "retention", Resume: b.To}, nil)
			return nil
		}
		if next != 0 && to != next {
			if r.oracle.mayGoBack() && !all {
				return nil // a number says nothing of a past that was lost
			}
			bad("lost", fmt.Sprintf("a page that ends with seq %d, before %s", next, before), b.describe())
		}
		var last *entry
		for i := range b.Messages {
			m := &b.Messages[i]
			if i > 0 && m.Seq != b.Messages[i-1].Seq+1 {
				bad("lost", fmt.Sprintf("seq %d behind seq %d", b.Messages[i-1].Seq+1, b.Messages[i-1].Seq), fmt.Sprintf("seq %d", m.Seq))
			}
			if m.Seq > base {
				last = r.oracle.deliver(r.who(), channel, m, last)
			}
		}
		if !b.More || from <= base {
			return nil
		}
		if len(b.Messages) == 0 {
			bad("lost", "older messages, as \"more\" said", b.describe())
			return nil
		}
		before, next = strconv.FormatUint(b.Messages[0].Seq, 10), from // before is the message itself, from the one before it
	}
	return nil
}
