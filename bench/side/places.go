package side

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Places are the folders: of this module, and for what is built and installed, which git ignores.
type Places struct{ Module, Cache string }

// FindPlaces finds the module bench, from its folder or one below, and makes the cache with that name.
func FindPlaces(cache string) (Places, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return Places{}, fmt.Errorf("go env GOMOD: %w", err)
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(filepath.Dir(file)) != "bench" {
		return Places{}, errors.New("run this in the folder bench, or below")
	}
	p := Places{Module: filepath.Dir(file)}
	p.Cache = filepath.Join(filepath.Dir(p.Module), ".cache", cache)
	return p, os.MkdirAll(p.Cache, 0o755)
}
