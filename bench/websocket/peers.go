package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"parley/bench/process"
	"parley/bench/side"
)

// peer is a server program.
type peer struct {
	side.Peer
	dir string // in servers
}

var peers = []peer{
	{side.Peer{Key: "parley", Title: "parley", Ours: true}, "parley"},
	{side.Peer{Key: "parley-events", Title: "parley events", Ours: true}, "parley-events"},
	{side.Peer{Key: "gorilla", Title: "gorilla"}, "gorilla"},
	{side.Peer{Key: "coder", Title: "coder"}, "coder"},
	{side.Peer{Key: "gobwas", Title: "gobwas"}, "gobwas"},
	{side.Peer{Key: "gws", Title: "gws"}, "gws"},
	{side.Peer{Key: "uwebsockets", Title: "uWebSockets", Other: true}, "uwebsockets"},
}

func peerKey(p peer) string { return p.Key }

// build makes the peer's program and returns its command line.
func (p peer) build(at side.Places) ([]string, error) {
	source := filepath.Join(at.Module, "websocket", "servers", p.dir)
	if _, err := os.Stat(source); err != nil {
		return nil, errors.New("it has no server program yet")
	}
	if p.Other {
		return installBun(source, filepath.Join(at.Cache, "bun"))
	}
	program := filepath.Join(at.Cache, p.Key)
	build := exec.Command("go", "build", "-o", program, "./websocket/servers/"+p.dir)
	build.Dir = at.Module
	return []string{program}, process.Quietly(build)
}

// installBun installs the version that package.json names, once: the npm package brings the program itself.
func installBun(source, cache string) ([]string, error) {
	wanted, err := os.ReadFile(filepath.Join(source, "package.json"))
	if err != nil {
		return nil, err
	}
	program := filepath.Join(cache, "node_modules", ".bin", "bun")
	installed, _ := os.ReadFile(filepath.Join(cache, "package.json"))
	if _, err := os.Stat(program); err != nil || !bytes.Equal(wanted, installed) {
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(cache, "package.json"), wanted, 0o644); err != nil {
			return nil, err
		}
		install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
		install.Dir = cache
		if err := process.Quietly(install); err != nil {
			return nil, err
		}
	}
	if err := process.Quietly(exec.Command(program, "--version")); err != nil {
		return nil, err
	}
	return []string{program, filepath.Join(source, "server.js")}, nil
}
