// Package parley builds and starts the server of the tree that this module lies in, as it is shipped, and speaks to it as docs/protocol.md says:
// what the benchmarks of one server and those of several nodes have in common.
package parley
