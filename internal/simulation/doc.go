// Package simulation is a model test of delivery as a whole: the real hub, transports, SQLite engine and Go client, in one
// process, on a virtual network and under a virtual clock (testing/synctest), so that minutes of retries, time limits and
// heartbeats take milliseconds. It has no code but tests.
//
// One seed is one run: it draws the people, what they do and when, how bad the network is, and the faults.
//
//   - Publishers repeat each message under its key until it is answered, give up waiting, and say things twice.
//   - Readers are Go clients on all four transports. They switch, are cancelled at any point, and come back at their position; some
//     take what they get slowly.
//   - Connections break, are closed in one direction, or fall silent, at any byte; or all of them at once.
//   - The node dies before a commit, between a commit and its announcement, or at any other moment, and comes back over the same file,
//     or over an older copy of it.
//   - The engine is slow, or refuses, for a while. It removes old messages. A channel is deleted.
//   - Half of the seeds have an engine of many nodes, as Redis is one: what it announces is late, in another order from channel to
//     channel, repeated, or lost; and it may lose its end under the running node. Then it calls Sink.Deleted a little later,
//     which is what the engine owes the hub (channel.Sink). The embedded engine cannot lose an announcement without dying.
//
// In the end the faults stop, nobody writes any more, and everybody has some virtual minutes. Then the oracle (truth_test.go),
// which has heard of every commit at its source, demands:
//
//   - each reader has got, of each channel, what the log had: in its order, without a hole, nothing twice, unaltered; a gap where and
//     only where the log lost something, and a true one;
//   - each reader is at the tail, though nothing was published after the last fault;
//   - what was acknowledged was committed, at that position; and is there still, unless an older copy was restored after it;
//   - a repeated publish had one effect and the first answer; one publisher's messages are in the order in which they were said.
//
// What it cannot see: a bubble has no sockets, so connections that wait on an event loop (internal/loop) are served in the form with a
// goroutine here. The loop's form is put to the same proof, with real processes and without virtual time, by `parley verify`
// (cmd/parley.TestVerifyWhileKilled).
//
// A seed fixes the plan. What happens at different virtual times happens in that order; what happens at one instant is
// scheduled by Go as ever, and marks, jitter and masking keys are random. So a seed that fails usually fails again, and not always;
// PARLEY_SEED=N with -count=100 tells how often. `make test` runs a few seeds, `make test-model-long` thousands.
package simulation
