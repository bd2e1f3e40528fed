// Package verify proves, from outside and over any network, that a Parley server keeps its word.
//
// [Run] makes a private room or two and a vote on the server, and lets people loose on them: publishers with a counter and a hash
// chain of their own, over HTTP and pipelined over WebSocket, who hang up before the answer and say things twice; readers on all four
// transports, alone and for many channels at once, who switch, drop and resume at random, come late, go back, or read history
// backwards; voters who change their minds. All of them come back whenever the connection breaks, so the server may be killed and
// started again meanwhile, and any proxy may stand between.
//
// An oracle hears of everything that is sent, acknowledged and delivered, and demands (docs/guarantees.md):
//
//   - lost: every reader gets every message after its position, or a gap that covers it, and the gap is true;
//   - twice: no reader gets a message twice, and no message is in the log twice;
//   - order: all readers get the same message at the same seq; seq is dense; a publisher's messages are in the order they were sent,
//     and each carries the hash of the one before;
//   - altered: what is delivered is what was sent, by whom it was sent;
//   - acknowledged: what was acknowledged is there, once, at the seq and with the id that were acknowledged, and what was refused is not;
//   - replay: a repeated publish is answered as the first was;
//   - rollback: nowhere does the log go back; or, with [Options.MayLose], what it lost is told to every reader who had it, and nothing else is;
//   - tally: the counts are those of the last acknowledged ballots; the version only grows, on every screen.
//
// With [Options.MayLose] a log may lose its end and grow another, as after a failover. Then there is a tree of messages, of which one path is
// the log in the end; the rules above hold on every path, and what was acknowledged and is not on the last one must have been lost by
// a rollback that readers were told of (setback.go).
//
// What is random comes from [Options.Seed]; how the network and the server interleave does not, so a seed repeats the plan and not
// the run.
//
// The package knows the server only by docs/protocol.md and shares no code with it but the WebSocket library.
package verify
