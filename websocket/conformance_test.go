package websocket_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// CONFORMANCE.md names tests that exist, and all that are named after a section.
func TestConformance_EveryRuleHasItsTest(t *testing.T) {
	exists := map[string]bool{}
	names, err := fs.Glob(os.DirFS("."), "*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				exists[f.Name.Name] = true
			}
		}
	}
	text, err := os.ReadFile("CONFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("`(Test(?:Server|Client|Both)_[^`…]+)`").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = true
		if !exists[m[1]] {
			t.Errorf("CONFORMANCE.md names %s, which does not exist", m[1])
		}
	}
	section := regexp.MustCompile(`^Test(Server|Client|Both)_\d`)
	for name := range exists {
		if section.MatchString(name) && !listed[name] {
			t.Errorf("%s is not in CONFORMANCE.md", name)
		}
	}
}
