package client

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// onceAndInOrder is the property: whatever breaks and whichever transport, a reader gets what the channel has, and each
// publish has one effect, in the order of its publisher.
func onceAndInOrder(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) { breakEverything(t, seed+1) })
	}
}

func breakEverything(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	h := open(t)
	p := startProxy(t, h.url)
	bob := person(t, h.url, "Bob")
	channel := room(t, bob, "Den")
	ann := person(t, p.url, "Ann", with(frantic()), func(o *Options) { o.Buffer = 20 })
	got := read(t, ann.Subscribe(t.Context(), channel, FromStart()))
	var late *log
	p.set(func(f *faults) { f.drop, f.lose, f.busy, f.delay = 0.04, 0.1, 0.1, 10*time.Millisecond })

	// Two publishers, each one after the other.
	var publishers sync.WaitGroup
	own, others := make(chan string, 1000), make(chan string, 1000)
	publish := func(c *Client, texts chan string) {
		publishers.Go(func() {
			for text := range texts {
				if _, err := c.SendText(t.Context(), channel, text); err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
		})
	}
	publish(ann, own)
	publish(bob, others)
	sent := map[string]int{}
	for i := range 150 {
		if random.Float64() < 0.5 {
			others <- fmt.Sprint("other ", sent["other"])
			sent["other"]++
		}
		if random.Float64() < 0.3 {
			own <- fmt.Sprint("own ", sent["own"])
			sent["own"]++
		}
		if random.Float64() < 0.1 {
			if err := ann.UseTransport(append([]Transport{Auto}, Transports[:]...)[random.IntN(5)]); err != nil {
				t.Fatal(err)
			}
		}
		if random.Float64() < 0.03 {
			p.breakAll()
		}
		if random.Float64() < 0.05 {
			p.set(func(f *faults) { f.stripUpgrade = !f.stripUpgrade })
		}
		if random.Float64() < 0.05 {
			p.set(func(f *faults) { f.bufferSSE = !f.bufferSSE })
		}
		if random.Float64() < 0.03 {
			p.set(func(f *faults) { f.mute = !f.mute })
		}
		if random.Float64() < 0.03 {
			p.set(func(f *faults) { f.halfClose = !f.halfClose })
		}
		switch i {
		case 50, 100:
			h.kill()
			h.start()
		case 75:
			late = read(t, ann.Subscribe(t.Context(), channel, After("3")))
		}
		time.Sleep(time.Duration(random.IntN(15)) * time.Millisecond)
	}
	p.calm()
	close(own)
	close(others)
	publishers.Wait()
	all := whole(t, bob, channel)
	until(t, "all messages", func() bool { return len(got.messages()) >= len(all) && len(late.messages()) >= len(all)-3 })
	sameMessages(t, got.messages(), all)
	sameMessages(t, late.messages(), all[3:])
	if gaps := append(got.reasons(), late.reasons()...); len(gaps) > 0 {
		t.Fatalf("gaps: %v", gaps)
	}
	for who, n := range sent {
		i := 0
		for _, m := range all {
			if strings.HasPrefix(m.Text(), who+" ") {
				if m.Text() != fmt.Sprint(who, " ", i) {
					t.Fatalf("%q where %s %d was due", m.Text(), who, i)
				}
				i++
			}
		}
		if i != n {
			t.Fatalf("%d of %d by %s", i, n, who)
		}
	}
}
