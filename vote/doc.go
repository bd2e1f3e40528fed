// Package vote is votes, ballots and tallies.
package vote
