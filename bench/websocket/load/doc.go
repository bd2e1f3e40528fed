// Package load makes WebSocket clients' work for a server under measurement, as cheaply as it can: raw sockets behind one
// epoll, frames made and masked beforehand, answers parsed in place. It runs on one core, and a server on another must be
// the one that is busy: what is measured is that server's own CPU time, not ours.
//
// Nothing is taken on trust: every uncompressed answer is compared with what was sent, every compressed one is
// counted by its frames, and those of the first connections are inflated and compared.
//
// Linux only.
package load
