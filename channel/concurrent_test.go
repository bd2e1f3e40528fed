package channel_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"parley/channel"
)

// Real goroutines: writers publish to three channels, while readers join late, are cancelled, leave and come back at their
// position with another reader. Each must have every message of every channel once, in order.
func TestEveryoneGetsEverything(t *testing.T) {
	const writers, each, readers = 3, 300, 8
	names := []channel.Name{"room:a", "room:b", "room:c"}
	hub, _ := newHub(t, channel.Options{CacheMessages: 20})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := range each {
				if _, err := hub.Append(ctx, text(names[i%3], fmt.Sprint(i)), text(names[(i+1)%3], fmt.Sprint(i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range readers {
		all.Go(func() {
			client := restless{hub: hub, names: names, rand: rand.New(rand.NewPCG(1, uint64(i))), total: writers * each * 2, at: map[channel.Name]channel.Position{}}
			if err := client.readAll(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if hub.Watched() != 0 || hub.Readers() != 0 {
		t.Fatalf("%d channels, %d readers are kept", hub.Watched(), hub.Readers())
	}
}

// restless is a client that never stays with one reader for long.
type restless struct {
	hub   *channel.Hub
	names []channel.Name
	rand  *rand.Rand
	total int
	at    map[channel.Name]channel.Position
}

func (c *restless) readAll(ctx context.Context) error {
	for c.total > 0 {
		if err := c.session(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *restless) session(ctx context.Context) error {
	r := c.hub.NewReader(channel.ReaderOptions{Person: ann, Mode: channel.Stream, Limit: 1 + c.rand.IntN(10)})
	defer r.Close()
	for _, name := range c.names {
		if _, err := r.Add(ctx, name, c.at[name], nil); err != nil {
			return err
		}
	}
	for range 20 {
		if c.total == 0 {
			return nil
		}
		patience, cancel := context.WithTimeout(ctx, time.Duration(c.rand.IntN(2000))*time.Microsecond)
		d, err := r.Next(patience)
		cancel()
		if err != nil && (!errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil) {
			return fmt.Errorf("%d missing: %w", c.total, err)
		}
		for _, b := range d.Batches {
			if err := c.take(b); err != nil {
				return err
			}
		}
		for _, name := range c.names {
			if p, ok := r.Position(name); ok && p != c.at[name] {
				return fmt.Errorf("%s: the reader is at %v, what it returned ended at %v", name, p, c.at[name])
			}
		}
		name := c.names[c.rand.IntN(len(c.names))]
		switch c.rand.IntN(4) {
		case 0:
			r.Remove(name)
		case 1:
			if _, err := r.Add(ctx, name, c.at[name], nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *restless) take(b channel.Batch) error {
	if b.Gap != nil {
		return fmt.Errorf("%s: gap %+v", b.Channel, *b.Gap)
	}
	at := c.at[b.Channel]
	for _, m := range b.Messages {
		if m.Before() != at {
			return fmt.Errorf("%s: after %v comes %v", b.Channel, at, m.Position())
		}
		at = m.Position()
		c.total--
	}
	c.at[b.Channel] = at
	return nil
}

// A person's readers come and go at once on many goroutines; in the end nobody is there, and the hub is empty.
func TestPresenceUnderConcurrency(t *testing.T) {
	hub, _ := newHub(t, channel.Options{StreamGrace: 10 * time.Millisecond, PollGrace: 10 * time.Millisecond})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				r := hub.NewReader(channel.ReaderOptions{Person: channel.Sender{ID: fmt.Sprint(j % 3), Name: "n"}, Mode: channel.Mode(i % 3)})
				if _, err := r.Add(t.Context(), lobby, channel.End, nil); err != nil {
					t.Error(err)
				}
				if _, err := r.Ready(t.Context()); err != nil {
					t.Error(err)
				}
				r.Close()
			}
		})
	}
	all.Wait()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if channels, people, leaving, timer := hub.Presence().Kept(); channels == 0 && people == 0 && leaving == 0 && !timer {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(channels, people, leaving, timer)
		}
	}
}
