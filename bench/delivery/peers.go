package main

import (
	"os/exec"
	"path/filepath"

	"parley/bench/parley"
	"parley/bench/process"
	"parley/bench/side"
)

// peer is a server program, how to build or find it, and how to start it.
type peer struct {
	side.Peer
	build func(b *bench) (program string, err error)
	start func(b *bench, program string) (*server, error)
}

func peerKey(p peer) string { return p.Key }

var peers = []peer{
	{side.Peer{Key: "parley", Title: "parley", Ours: true}, buildParley, startParley},
	{side.Peer{Key: "nchan", Title: "Nchan", Other: true}, findNchan, startNchan},
	{side.Peer{Key: "centrifuge", Title: "Centrifuge"}, buildOf("centrifuge"), startCentrifuge},
	{side.Peer{Key: "empty", Title: "empty handler"}, buildOf("empty"), startEmpty},
}

// buildOf builds a program of this module's folder servers.
func buildOf(name string) func(*bench) (string, error) {
	return func(b *bench) (string, error) {
		program := filepath.Join(b.at.Cache, name)
		build := exec.Command("go", "build", "-o", program, "./delivery/servers/"+name)
		build.Dir = b.at.Module
		return program, process.Quietly(build)
	}
}

func buildParley(b *bench) (string, error) { return parley.Build(b.at, b.binary) }
