// Package channel is Parley's idea: every conversation is a log, and every transport is a way of reading it from a position.
package channel
