package client

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// behaviour is one thing that every client of Parley does; docs and both clients' suites call it by the same name. With a
// {transport} in its name it is tried on each of the four.
type behaviour struct {
	name string
	is   func(t *testing.T)
	each func(t *testing.T, kind Transport)
}

// behaviours are what testdata/behaviours.json lists. The JavaScript client's tests of the same names are in web/sdk/test.
var behaviours = []behaviour{
	{name: "{transport}: the past, then live, once and in order", each: pastThenLive},
	{name: "{transport}: from the end, nothing of the past", each: fromTheEnd},
	{name: "{transport}: publish and receive one's own", each: publishAndReceive},
	{name: "{transport}: a channel that may not be read ends alone", each: forbiddenEndsAlone},
	{name: "{transport}: retention, rollback and deletion are said aloud", each: gapsAreSaid},
	{name: "{transport}: 230 channels", each: manyChannels},
	{name: "{transport}: comes back after the server was away", each: comesBack},
	{name: "{transport}: kill -9 and restart, nothing missed or doubled", each: killAndRestart},
	{name: "{transport}: a deleted room is said aloud", each: deletedRoom},
	{name: "{transport}: a vote, live", each: voteLive},
	{name: "several subscriptions to one channel have each its own position", is: ownPositions},
	{name: "several subscriptions made at once, before the server has answered the first", is: madeAtOnce},
	{name: "auto: behind a proxy without WebSocket it is SSE", is: autoSSE},
	{name: "auto: behind one that buffers SSE too it is long poll", is: autoLongPoll},
	{name: "auto: WebSockets that open and say nothing are not taken", is: autoMute},
	{name: "auto: climbs back without a break", is: autoClimbs},
	{name: "forced: what does not work is not quietly replaced", is: forcedShows},
	{name: "a dead connection is noticed by its silence", is: silenceIsNoticed},
	{name: "bye is honoured", is: byeIsHonoured},
	{name: "signals and ended reach who is there", is: signalsAndEnded},
	{name: "a publish is refused once and for all, or given up and repeated with its id", is: publishGivenUp},
	{name: "errors: what the server says, or network", is: errorsSaid},
	{name: "signing in connects again as somebody", is: signingIn},
	{name: "nobody yet: the first publish makes a guest, and the connection is that guest’s from then on", is: guestOnTheSpot},
	{name: "requests: rooms, direct, conversations, votes, errors", is: requestsAll},
	{name: "typing and who is here", is: typingAndHere},
	{name: "every message once and in order, through a breaking proxy and a kill -9", is: onceAndInOrder},

	{name: "tries the best first and is open at its hello, not before", is: bestFirst},
	{name: "no hello in time, or a failure: the next one down", is: nextOneDown},
	{name: "a hello that comes too late is not heard", is: lateHello},
	{name: "nothing works: waits, longer each time, and starts again at the top", is: nothingWorks},
	{name: "patience grows with the rounds that failed: a slow network is not a barred one", is: patienceGrows},
	{name: "tries better ones while the present one works, at growing distances", is: growingDistances},
	{name: "climbs when the better one says hello; the present one is closed only then", is: climbsAtHello},
	{name: "what worked before is tried again soon: more likely the server was away", is: workedBefore},
	{name: "three short lives in a row: the next one down", is: shortLives},
	{name: "a long life is forgiven its end", is: longLife},
	{name: "the server says when to come back", is: comeBackWhen},
	{name: "use: the present one stays until the new one says hello", is: useStays},
	{name: "use: a forced one that fails shows", is: useFails},
	{name: "renew: connects again with the same transport", is: renewSame},
	{name: "renew while still connecting: begins again, as the handshake was somebody else’s", is: renewConnecting},
	{name: "renew in vain: nobody reads on with the old session", is: renewInVain},
	{name: "too many connections: the others are tried, as a poll is none", is: tooManyConnections},
	{name: "nobody subscribes: no connection, no timers", is: nobodySubscribes},
	{name: "closed is closed", is: closedIsClosed},
	{name: "random fates: never more than two links, never stuck, and all well at the end", is: randomFates},

	{name: "judge", is: judgement},
	{name: "any pieces in any order: each message once, in order", is: anyPieces},
	{name: "a hole asks for a rewind, and soon stops asking when that does not help", is: holesStop},
	{name: "a channel that is wanted again is read again from where it is wanted", is: wantedAgain},
	{name: "a hole that fills itself needs no second rewind", is: holeFills},
	{name: "another mark at the same seq asks the server, which knows of the rollback", is: otherMark},
	{name: "a gap that speaks to a reader further on is not ours", is: gapFurtherOn},
	{name: "a deletion is told from where the reader is, though another request heard of it", is: deletedFurtherOn},
	{name: "only the newest of a vote: a batch may leave out messages", is: onlyNewest},

	{name: "ceilings double up to the greatest, and the delay is a random part of them", is: ceilingsDouble},
	{name: "what the server asks for is never undercut", is: neverUndercut},
	{name: "what the standard says, line by line", is: eventLines},
	{name: "however the bytes are cut, the events are the same", is: eventCuts},
}

func TestBehaviours(t *testing.T) {
	for _, b := range behaviours {
		if b.is != nil {
			t.Run(b.name, func(t *testing.T) { t.Parallel(); b.is(t) })
			continue
		}
		for _, kind := range Transports {
			t.Run(strings.ReplaceAll(b.name, "{transport}", string(kind)), func(t *testing.T) { t.Parallel(); b.each(t, kind) })
		}
	}
}

func TestTheSuiteCoversTheListOfBehaviours(t *testing.T) {
	data, err := os.ReadFile("testdata/behaviours.json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Behaviours []string }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	var tested []string
	for _, b := range behaviours {
		tested = append(tested, b.name)
	}
	for _, name := range list.Behaviours {
		if !slices.Contains(tested, name) {
			t.Errorf("nothing tests %q", name)
		}
	}
	for i, name := range tested {
		if !slices.Contains(list.Behaviours, name) {
			t.Errorf("%q is not in testdata/behaviours.json", name)
		}
		if slices.Contains(tested[:i], name) {
			t.Errorf("%q stands here twice", name)
		}
	}
}
