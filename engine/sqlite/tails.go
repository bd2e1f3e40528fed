package sqlite

import "parley/channel"

// tail is what the writer knows of a channel: enough to append without reading.
type tail struct {
	id      int64 // of the row in channels; 0: there is none yet
	end     channel.Position
	floor   channel.Position // of the newest message that retention removed
	deleted bool
	keep    uint64 // the policy's KeepCount
}

// maxTails bounds the channels that are remembered: about 200 bytes each.
const maxTails = 16384

// tails remembers the tails of the channels written to lately: at least half of limit. It is two maps, of which the older
// is dropped when the younger is full; nothing is forgotten while a transaction runs.
type tails struct {
	young, old map[channel.Name]*tail
	limit      int
}

func (c *tails) init() {
	c.limit = maxTails
	c.reset()
}

func (c *tails) get(name channel.Name) *tail {
	if t, ok := c.young[name]; ok {
		return t
	}
	t, ok := c.old[name]
	if ok {
		c.young[name] = t
	}
	return t
}

func (c *tails) put(name channel.Name, t *tail) { c.young[name] = t }

// age makes room. It is called between transactions.
func (c *tails) age() {
	if len(c.young) >= c.limit/2 {
		c.old, c.young = c.young, make(map[channel.Name]*tail)
	}
}

// reset forgets everything, after a rollback.
func (c *tails) reset() { c.young, c.old = make(map[channel.Name]*tail), nil }
