package redis

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/channel"
)

// path is the way by which a node hears what is committed: the hints that every script publishes in its partition. The log is the
// truth, and a hint only saves asking it: a lost one is found by asking the heads (line.resync), and the hub puts what does not continue
// what it knows aside and asks the log.
//
// Every message reaches the sink by its hint and in no other way, so its order is that of the log. A call therefore waits for its own
// hint before it is answered: who wrote can read at once what they wrote.
type path struct {
	e     *Engine
	began time.Time
	lines []*line
	of    [Partitions]*line
	count atomic.Uint64

	mu      sync.Mutex
	waiting map[string]chan struct{} // by token: calls of this node

	// Further kinds of hints, set before start: what they get must not be kept, and they must not block.
	kinds map[string]func(words []string, payload string)
	// doubtful is called, if set, when hints of a partition may have been missed.
	doubtful func(partition int)
}

func newPath(e *Engine) *path {
	return &path{e: e, began: time.Now(), waiting: map[string]chan struct{}{}, kinds: map[string]func([]string, string){}}
}

// hintPatience is how long a call waits for its own hint, before readers are told to ask the log instead.
const hintPatience = time.Second

// token names a call of this node in the hints.
func (p *path) token() string { return p.e.node + "." + strconv.FormatUint(p.count.Add(1), 36) }

func (p *path) expect(token string) <-chan struct{} {
	heard := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[token] = heard
	return heard
}

func (p *path) forget(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, token)
}

// await returns when the hint was heard. Where hints do not come, the sink is told that it must ask for the channels.
func (p *path) await(ctx context.Context, partition int, heard <-chan struct{}, names []channel.Name) {
	sink := p.e.sink.Load()
	if sink == nil {
		return
	}
	if l := p.of[partition]; l != nil && l.up.Load() {
		timer := time.NewTimer(hintPatience)
		defer timer.Stop()
		select {
		case <-heard:
			return
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	for _, name := range names {
		if watches(*sink, name) {
			(*sink).Deleted(name)
		}
	}
}

func watches(sink channel.Sink, name channel.Name) bool {
	w, ok := sink.(channel.Watcher)
	return !ok || w.Watches(name)
}

// receive takes in what one script published: records of "kind words… length\npayload".
func (p *path) receive(partition int, text string) {
	sink := p.e.sink.Load()
	var committed []channel.Message
	flush := func() {
		if len(committed) > 0 {
			(*sink).Committed(committed)
			committed = nil
		}
	}
	skipped := false // the message before, which nobody reads here
	for text != "" {
		header, rest, ok := strings.Cut(text, "\n")
		words := strings.Split(header, " ")
		length, err := strconv.Atoi(words[len(words)-1])
		if !ok || err != nil || length < 0 || length > len(rest) {
			p.e.o.Logger.Error("a hint is malformed", "partition", partition)
			p.doubt(partition)
			return
		}
		payload := rest[:length]
		text = rest[length:]
		kind, words := words[0], words[1:len(words)-1]
		switch {
		case kind == "o" && len(words) == 1:
			flush()
			p.heard(words[0])
		case kind == "c": // a canary: that it came is enough
		case kind == "f" || kind == "p":
			// below
		case sink == nil:
			continue
		case kind == "m" && len(words) == 3:
			name := channel.Name(words[0])
			if skipped = !watches(*sink, name); skipped {
				continue
			}
			m, err := hinted(name, words[1], words[2], payload)
			if err != nil {
				p.e.o.Logger.Error("a hint is malformed", "channel", name, "error", err)
				flush()
				(*sink).Deleted(name)
				skipped = true
				continue
			}
			committed = append(committed, m)
		case kind == "a" && len(words) == 4:
			if !skipped && len(committed) > 0 {
				committed[len(committed)-1].Amend = amendment(words[1], words[2], words[3], payload)
			}
		case kind == "d" && len(words) == 1:
			flush()
			if name := channel.Name(words[0]); watches(*sink, name) {
				(*sink).Deleted(name)
			}
		case kind == "s" && len(words) == 1:
			flush()
			if name := channel.Name(words[0]); watches(*sink, name) {
				if s, err := decodeSignal(name, payload); err == nil {
					(*sink).Signalled(s)
				}
			}
		}
		if handle := p.kinds[kind]; handle != nil {
			handle(words, payload)
		}
	}
	if sink != nil {
		flush()
	}
}

// heard lets the call of a token go on, if it is this node's.
func (p *path) heard(token string) {
	if !strings.HasPrefix(token, p.e.node) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if heard := p.waiting[token]; heard != nil {
		close(heard)
		delete(p.waiting, token)
	}
}

// doubt says that hints of a partition may have been missed.
func (p *path) doubt(partition int) {
	if p.doubtful != nil {
		p.doubtful(partition)
	}
	if l := p.of[partition]; l != nil {
		l.recheck()
	}
}

func hinted(name channel.Name, seq, mark, value string) (channel.Message, error) {
	position, err := parseID(seq + "-" + mark)
	if err != nil {
		return channel.Message{}, err
	}
	return decode(name, position.Seq, position.Mark, value)
}

func amendment(seq, erase, also, data string) *channel.Amendment {
	a := &channel.Amendment{Data: []byte(data), Erase: erase == "1"}
	a.Seq, _ = strconv.ParseUint(seq, 10, 64)
	if also != "-" {
		for one := range strings.SplitSeq(also, ",") {
			n, _ := strconv.ParseUint(one, 10, 64)
			a.Also = append(a.Also, n)
		}
	}
	return a
}
