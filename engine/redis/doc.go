// Package redis is the engine for many nodes: every channel, vote, room and person in Redis 7.0 or newer, or Valkey; one server, one
// watched by Sentinels, or a cluster. Nodes are equal and keep nothing: any may be added, killed or replaced at any time.
//
// # Writing
//
// Every operation is one Lua script (lua/), which Redis runs as a whole. The data is divided into Partitions, each in one slot of a cluster,
// because a script can change no more than that together. What belongs to a change but to another partition is put into an outbox by the
// same script, and carried out by the node at once, or by another if that one died (outbox.go).
//
// Appends go through a lane for each partition (lane.go): one script is under way at a time and takes everything that came while the last
// one was, so that many appends share a call, and a lone one waits for nobody.
//
// A call whose answer was lost is sent again: its result is kept for a minute, and it runs once (lua/end.lua).
//
// # Hearing
//
// Every script publishes what it did as a hint, to all nodes (path.go). The log is the truth: what does not continue what a node knows makes
// it ask the log, and after anything that may have lost hints the node compares the heads of the channels that are read on it (line.go).
//
// # Counting
//
// A ballot is checked by the node and counted by a script, if vote and earlier ballot are still what was checked; else it is checked again.
// Ballots of one vote that come while others are being counted are counted together, and make one event (vote_cast.go). The script makes the
// event, because only it knows the counts.
//
// # Who is here
//
// Each node tells who comes and leaves on it, under the name of a lease that it renews (presence.go). Redis keeps on which nodes somebody is,
// and all nodes hear of the first coming and the last leaving. The people of a node whose lease ended are taken away by the others
// (presence_lease.go), after at most five quarters of Options.Lease.
//
// # Failing
//
// While Redis cannot be reached, restarts or changes its primary, operations are tried again for Options.Patience, and then answered with
// problem.Unavailable. Reading goes on where Redis answers. What Redis itself may lose (a failover loses what was not replicated, a
// power failure what was not fsynced) is found by the marks of positions, and readers get a gap with the reason "rollback".
package redis
