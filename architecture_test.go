package parley_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows is the map: which of our packages each package may import. Arrows point down only; a package that is not
// here has no place in the house yet.
var arrows = map[string][]string{
	"problem":                  {},
	"internal/loop":            {},
	"internal/parleytest":      {""},
	"internal/plain":           {},
	"internal/plain/plaintest": {},
	"websocket":                {"internal/loop"},
	"websocket/enablehttp2":    {},
	"limit":                    {"problem"},
	"gate":                     {"limit", "problem"},
	"body":                     {"problem"},
	"channel":                  {"internal/plain", "problem"},
	"internal/cache":           {},
	"internal/simulation":      {},
	"identity":                 {"channel", "internal/cache", "problem"},
	"chat":                     {"channel", "identity", "internal/cache", "problem"},
	"vote":                     {"channel", "identity", "internal/cache", "internal/plain", "problem"},
	"transport":                {"channel", "websocket", "internal/loop", "internal/plain", "body", "problem"},
	"api":                      {"chat", "vote", "identity", "channel", "body", "internal/plain", "problem"},
	"engine/transfer":          {"channel"},
	"engine/sqlite":            {"engine/sqlite/raw", "engine/transfer", "channel", "identity", "chat", "vote", "problem"},
	"engine/sqlite/raw":        {},
	"engine/redis":             {"engine/transfer", "channel", "identity", "chat", "vote", "internal/cache", "problem"},
	"engine/redis/redistest":   {},
	"engine/enginetest":        {"channel", "identity", "chat", "vote", "problem"},
	"web":                      {},
	"":                         {"api", "transport", "engine/transfer", "engine/sqlite", "engine/redis", "web", "gate", "chat", "vote", "identity", "channel", "problem", "limit"},
	"verify":                   {"websocket"},
	"load":                     {"websocket"},
	"client":                   {"websocket"},
	"cmd/parley":               {"", "client", "gate", "limit", "verify", "load", "websocket/enablehttp2"},

	// The classic programs stand on what everybody can import.
	"examples":                {},
	"examples/echo":           {"websocket"},
	"examples/groupchat":      {"websocket"},
	"examples/directchat":     {"websocket"},
	"examples/vote-poll":      {},
	"examples/vote-longpoll":  {},
	"examples/vote-websocket": {"websocket"},
}

func TestArrowsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := func(path string) (string, bool) {
		if path == "parley" {
			return "", true
		}
		return strings.CutPrefix(path, "parley/")
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name, _ := ours(pkg.ImportPath)
		may, known := arrows[name]
		if !known {
			t.Errorf("%q is not on the map", pkg.ImportPath)
		}
		for _, imported := range pkg.Imports {
			if to, is := ours(imported); is && !slices.Contains(may, to) {
				t.Errorf("%q imports %q: that arrow does not point down", pkg.ImportPath, imported)
			}
		}
	}
}
