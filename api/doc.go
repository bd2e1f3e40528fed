// Package api is the HTTP surface beside the channels: sessions, people, rooms, direct conversations, votes and their
// exports; one file per resource. What a request means is decided by the packages identity, chat and vote; here it is
// read, asked, and written. docs/protocol.md is the contract.
package api
