package redis

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"

	"parley/channel"
	"parley/chat"
	"parley/identity"
	"parley/problem"
)

// Facts are people, rooms, and who is in what: everything that identity.Store and chat.Store keep. They are in one partition, with the
// inboxes, so that one script changes any of them together with what it says about it:
//
//	users         hash   by id: when they came, folded name, name, one a line
//	folds         zset   folded name, NUL, id; in that order
//	seen          zset   ids, by when they were last seen
//	admins        set    ids
//	link          string hash of the administrator's one-time link
//	secrets       hash   by name
//	room:ID       hash   name, topic, private, owner, invite, created, sort (lower-case name, NUL, id); of a deleted room: gone
//	public        zset   what sort says, of the public rooms
//	members:ROOM  set    ids
//	rooms:USER    hash   by room: up to where they have read, since when they are in it
//	directs:USER  hash   by the other's id: the same, and the other's name when it was last noted
//	owned:USER    set    rooms
//	leaving:ROOM  set    members of a deleted room who are still to be told
//	ending        hash   what is being ended in steps, "user ID" or "room ID", and what that needs: see finish
//
// What Redis does in one step is bounded, so that nobody else waits long: whoever is in thousands of rooms is forgotten in several.
const (
	stepFacts   = 1000 // memberships that one script ends
	stepUsers   = 100  // users that one script forgets
	stepMembers = 200  // members that one script tells of their room's end
	stepRooms   = 100  // rooms that one script describes
)

// Facts hears which facts changed, on any node, so that what is kept of them in memory can be dropped. Its methods must not block, but
// for Missed.
type Facts interface {
	UserChanged(id string)
	UserGone(id string)
	RoomGone(id string)
	MemberChanged(room, user string, lost bool) // lost: with the right to read the room
	Missed()                                    // any of these may have happened; even that Redis lost all facts
}

// news is what nodes tell each other of facts.
type news struct {
	follower atomic.Pointer[Facts]
	doubts   chan struct{} // some may have been missed
	secrets  sync.Map      // that this node uses, by name
}

// FollowFacts makes f hear of facts from now on.
func (e *Engine) FollowFacts(f Facts) { e.facts.follower.Store(&f) }

// heardFact takes in a hint of a fact.
func (e *Engine) heardFact(words []string, _ string) {
	f := e.facts.follower.Load()
	switch {
	case f == nil:
	case len(words) == 2 && words[0] == "user":
		(*f).UserChanged(words[1])
	case len(words) == 2 && words[0] == "gone":
		(*f).UserGone(words[1])
	case len(words) == 2 && words[0] == "room":
		(*f).RoomGone(words[1])
	case len(words) == 3 && (words[0] == "member" || words[0] == "left"):
		(*f).MemberChanged(words[1], words[2], words[0] == "left")
	default: // of a newer node
		e.missedFacts(facts)
	}
}

// missedFacts is called where hints of a partition may have been missed. It does not block.
func (e *Engine) missedFacts(partition int) {
	if partition != facts {
		return
	}
	select {
	case e.facts.doubts <- struct{}{}:
	default:
	}
}

// doubtFacts says that hints were missed as soon as Redis answers. Until then what is in memory is the best there is, and
// those who stream go on: there is nothing new to show them anyway.
func (e *Engine) doubtFacts() {
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-e.facts.doubts:
		}
		for e.ctx.Err() == nil {
			if e.client.Do(e.ctx, e.client.B().Exists().Key(e.keys.fact("users")).Build()).Error() == nil {
				e.keepSecrets(e.ctx)
				if f := e.facts.follower.Load(); f != nil {
					(*f).Missed()
				}
				break
			}
			sleep(e.ctx, redialMin)
		}
	}
}

func (k keys) fact(what string) string { return k.in(facts, what) }

// newFactsScript makes a script on facts.
func newFactsScript(kind, name string, fragments ...string) *script {
	return newScript(kind, name, append([]string{"channel", "facts"}, fragments...)...)
}

// newFactsCall begins a call of a script on facts, which makes the names of the keys it needs itself. Beside the call's own key, which is new, it
// declares one that is there: so Redis runs no such script in a slot that it is moving to another server of a cluster, where the script would
// meet half of the facts (TRYAGAIN: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#multiple-keys-operations).
func (e *Engine) newFactsCall(s *script) *call {
	c := e.newCall(s, facts)
	c.key(e.keys.fact("users"))
	c.arg(e.keys.fact(""))
	return c
}

// refusals are what scripts on facts refuse.
var refusals = map[string]*problem.Problem{
	"name_taken":  identity.ErrNameTaken,
	"no_user":     identity.ErrNoUser,
	"bad_link":    identity.ErrBadAdminToken,
	"no_room":     chat.ErrNoRoom,
	"room_exists": chat.ErrRoomExists,
	"deleted":     channel.ErrDeleted,
}

// runFacts runs a script on facts and returns its result, with what it refused as the store's errors.
func (c *call) runFacts(ctx context.Context) (rueidis.RedisMessage, error) {
	result, err := c.run(ctx)
	var refused *refusal
	if errors.As(err, &refused) {
		if p := refusals[refused.code]; p != nil {
			return result, p
		}
	}
	return result, err
}

// changeFacts runs a script on facts that also appends drafts, and reports whether anything changed: false where everything was so already.
// Drafts of other partitions are looked at first and delivered afterwards.
func (c *call) changeFacts(ctx context.Context, drafts []channel.Draft) (changed bool, err error) {
	if err := c.e.checkElsewhere(ctx, facts, drafts); err != nil {
		return false, err
	}
	all := c.allDrafts(drafts...)
	result, err := c.runFacts(ctx)
	if err != nil {
		return false, err
	}
	each, err := result.ToArray()
	if err != nil {
		return false, problem.Internal.Because(err)
	}
	if err := refusedDraft(all, each); err != nil {
		return false, err
	}
	if len(each) == 1 {
		n, _ := each[0].AsInt64()
		changed = n == 1
	}
	if changed {
		c.deliverFacts(ctx)
	}
	return changed, nil
}

// deliverFacts carries out what a call of facts left for other partitions. The facts are committed: so if it does not get through, a sweeper
// does it.
func (c *call) deliverFacts(ctx context.Context) {
	if len(c.outgoing) == 0 {
		return
	}
	if _, err := c.e.deliver(ctx, facts, c.outgoing); err != nil {
		c.e.o.Logger.Warn("what a change of rooms says in other channels is late, or was refused", "error", err)
	}
}
