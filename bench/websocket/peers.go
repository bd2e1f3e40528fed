package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peer is a server program.
type peer struct {
	key   string
	title string
	ours  bool
	other bool // not in Go
	dir   string
}

var peers = []peer{
	{key: "parley", title: "parley", ours: true, dir: "parley"},
	{key: "parley-events", title: "parley events", ours: true, dir: "parley-events"},
	{key: "gorilla", title: "gorilla", dir: "gorilla"},
	{key: "coder", title: "coder", dir: "coder"},
	{key: "gobwas", title: "gobwas", dir: "gobwas"},
	{key: "gws", title: "gws", dir: "gws"},
	{key: "uwebsockets", title: "uWebSockets", other: true, dir: "uwebsockets"},
}

// places are the folders: of this module, and for what is built and installed, which git ignores.
type places struct{ module, cache string }

func findPlaces() (places, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return places{}, fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(filepath.Dir(file)) != "bench" {
		return places{}, errors.New("run this in the folder bench, or below")
	}
	p := places{module: filepath.Dir(file)}
	p.cache = filepath.Join(filepath.Dir(p.module), ".cache", "bench-websocket")
	return p, os.MkdirAll(p.cache, 0o755)
}

// build makes the peer's program and returns its command line.
func (p peer) build(at places) ([]string, error) {
	source := filepath.Join(at.module, "websocket", "servers", p.dir)
	if _, err := os.Stat(source); err != nil {
		return nil, errors.New("it has no server program yet")
	}
	if p.other {
		return installBun(source, filepath.Join(at.cache, "bun"))
	}
	program := filepath.Join(at.cache, p.key)
	build := exec.Command("go", "build", "-o", program, "./websocket/servers/"+p.dir)
	build.Dir = at.module
	return []string{program}, quietly(build)
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
		if err := quietly(install); err != nil {
			return nil, err
		}
	}
	if err := quietly(exec.Command(program, "--version")); err != nil {
		return nil, err
	}
	return []string{program, filepath.Join(source, "server.js")}, nil
}

// quietly runs a command; what it said is in the error.
func quietly(c *exec.Cmd) error {
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
