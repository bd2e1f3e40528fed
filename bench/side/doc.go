// Package side measures programs side by side: rows of work, peers that take turns, rounds, and what several rounds say. Each
// measurement runs against a fresh process; each round begins with another peer, so that what disturbs the machine disturbs
// all; a ratio to a peer is taken within a round. The result is a table for people, a table of targets reached or
// missed, and all values as JSON.
package side
