// Package load loads a Parley server and measures what comes of it: publishes acknowledged, messages delivered to many readers,
// long polls released, ballots counted, silent connections held.
//
// In a closed loop (Options.InFlight) each publisher sends the next message when one is answered: that finds the throughput. In an
// open loop (Options.Rate) messages have a time at which they are due, whether the server keeps up or not, and latency counts from
// then: a server that stalls for a second is not asked less meanwhile, and the second is seen.
//
// It is made to take little beside the server it loads. A reader is one goroutine and a connection; its messages are counted by the mark
// they carry, not parsed; a waiting long poll holds no buffer.
package load
