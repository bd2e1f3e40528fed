package vote

import (
	"math/bits"
	"slices"
)

// What engines need to keep votes and ballots; all do it alike.

// OptionBits are a ballot's options in one number: bit n-1 stands for option n (MaxOptions fits).
func OptionBits(options []int) (set uint64) {
	for _, id := range options {
		set |= 1 << (id - 1)
	}
	return set
}

// OptionsOf are the options of such a number, ascending.
func OptionsOf(set uint64) []int {
	options := make([]int, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		options = append(options, bits.TrailingZeros64(set)+1)
	}
	return options
}

// Clone gives the vote options of its own, where several callers get it.
func (v Vote) Clone() Vote {
	v.Options = slices.Clone(v.Options)
	return v
}

// Changed is v with what may be changed of it taken from next: before the first ballot anything, afterwards only who may cast one and see
// the counts.
func (v Vote) Changed(next Vote) Vote {
	v.Open, v.Results, v.Closes = next.Open, next.Results, next.Closes
	if v.Voters == 0 {
		v.Question, v.Min, v.Max, v.Change, v.Named = next.Question, next.Min, next.Max, next.Change, next.Named
		v.Options = make([]Option, len(next.Options))
		for i, o := range next.Options {
			v.Options[i] = Option{ID: i + 1, Text: o.Text}
		}
	}
	return v
}
