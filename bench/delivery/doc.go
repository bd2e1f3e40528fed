// Command delivery measures how a whole server delivers messages: Parley as it is shipped, with its durable log, beside
// Nchan (in nginx) and the library of Centrifugo. Each server is a process of its own on one core, the load is on another; peers take
// turns, round by round.
//
//	go run ./delivery -rows fanout-ws,silent-sse -peers parley,nchan -rounds 5 -seconds 1.2 -json result.json
//
// It runs on Linux, with two cores or more, and wants a machine that does nothing else.
package main
