package client

import (
	"strconv"
	"strings"
)

// A position is `seq-mark`: the last message that a reader has, and a random value that only that message has. "0" is the
// beginning; a bare number is a position whose mark nobody knows; "end" is now.
const end = "end"

func seqOf(position string) uint64 {
	digits, _, _ := strings.Cut(position, "-")
	n, _ := strconv.ParseUint(digits, 10, 64)
	return n
}

// agree says whether two positions of the same seq can be the same message: where both marks are known they must be equal.
func agree(a, b string) bool {
	return a == b || !strings.Contains(a, "-") || !strings.Contains(b, "-")
}

type verdict int

const (
	apply verdict = iota // it continues exactly where the receiver is
	part                 // the receiver is inside: take the messages past its own seq
	drop                 // the receiver has all of it
	hole                 // something is missing before it, or its past is not the receiver's: read again from the receiver's own position, where the server checks the mark and tells of a gap
)

// judge is the batch rule: what a receiver at a position does with a batch. Because of it nothing is missed and nothing
// seen twice, whichever connection a batch came through, and in whichever order.
func judge(position, from, to string) verdict {
	at, first, last := seqOf(position), seqOf(from), seqOf(to)
	switch {
	case at == first && agree(position, from):
		return apply
	case at == first:
		return hole
	case at == last && agree(position, to):
		return drop
	case at == last:
		return hole
	case at > last:
		return drop
	case at > first:
		return part
	}
	return hole
}
