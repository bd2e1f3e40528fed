// Command nodes measures Parley as two nodes on one Redis: real processes that share two cores with Redis and with the load. What Redis does
// without Parley, by redis-benchmark, is measured beside.
//
//	taskset -c 0,1 go run ./nodes -rows publish-http,ballots -rounds 5 -seconds 2 -json result.json
//
// It runs on Linux, wants a machine that does nothing else, and Debian's package redis-server.
package main
