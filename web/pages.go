package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// What a page loads, as its HTML and the modules say it.
var (
	sheetLink  = regexp.MustCompile(`(?m)^\s*<link rel="stylesheet" href="/([^"]+)">\n`)
	scriptLink = regexp.MustCompile(`(?m)^(\s*)<script type="module" src="/([^"]+)"></script>\n`)
	importFrom = regexp.MustCompile(`from\s+'(\.[^']+)'`) // begins with text that is looked for fast
)

// versionedPath is where a page finds what it loads: under a version that changes with any of the files, so that a browser
// may keep them for good, and under one that is no longer ours too, for the page that was loaded before an update. Modules
// import each other by relative paths and so stay within their version.
const versionedPath = "/-/"

// assemble makes the pages of what is written: each gets its style sheets as one, links to what its script imports, so that
// the browser asks for all of it at once instead of import by import, and the version in every address. It returns the
// version, and the assets under it: modules without the comments, a quarter of their weight. Lines keep their numbers.
func assemble(assets map[string]*asset) (version string, versioned map[string]*asset) {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		fmt.Fprintln(sum, name, assets[name].tag)
	}
	version = base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9])
	at := versionedPath + version + "/"

	graph := map[string][]string{}
	for name, file := range assets {
		if path.Ext(name) == ".js" {
			for _, match := range importFrom.FindAllSubmatch(file.plain, -1) {
				graph[name] = append(graph[name], path.Join(path.Dir(name), string(match[1])))
			}
		}
	}
	versioned = map[string]*asset{}
	for name, file := range assets {
		switch path.Ext(name) {
		case ".js":
			versioned[name] = newAsset(name, withoutComments(file.plain), forever)
		case ".html":
			sheet := strings.TrimSuffix(name, ".html") + ".css"
			versioned[sheet] = newAsset(sheet, joined(assets, file.plain), forever)
			assets[name] = newAsset(name, page(graph, file.plain, at, sheet), revalidate)
		default:
			versioned[name] = newAsset(name, file.plain, forever)
		}
	}
	return version, versioned
}

// joined is what the page's style sheets say, in their order.
func joined(assets map[string]*asset, html []byte) []byte {
	var out bytes.Buffer
	for _, link := range sheetLink.FindAllSubmatch(html, -1) {
		out.Write(assets[string(link[1])].plain)
	}
	return out.Bytes()
}

// page is the HTML with one sheet, its modules, and versioned addresses.
func page(graph map[string][]string, html []byte, at, sheet string) []byte {
	linked := false
	html = sheetLink.ReplaceAllFunc(html, func([]byte) []byte {
		if linked {
			return nil
		}
		linked = true
		return []byte(`    <link rel="stylesheet" href="` + at + sheet + `">` + "\n")
	})
	script := scriptLink.FindSubmatch(html)
	indent, entry := string(script[1]), string(script[2])
	var links strings.Builder
	for _, module := range imports(graph, entry) {
		fmt.Fprintf(&links, "%s<link rel=\"modulepreload\" href=\"%s%s\">\n", indent, at, module)
	}
	fmt.Fprintf(&links, "%s<script type=\"module\" src=\"%s%s\"></script>\n", indent, at, entry)
	return bytes.Replace(html, script[0], []byte(links.String()), 1)
}

// imports lists what a module imports, directly and through others, sorted.
func imports(graph map[string][]string, module string) []string {
	found := map[string]bool{}
	var follow func(module string)
	follow = func(module string) {
		for _, name := range graph[module] {
			if !found[name] {
				found[name] = true
				follow(name)
			}
		}
	}
	follow(module)
	return slices.Sorted(maps.Keys(found))
}

// withoutComments takes the comments out of a module that have their lines to themselves: blocks, and the rest of a line.
func withoutComments(module []byte) []byte {
	out := make([]byte, 0, len(module))
	for len(module) > 0 {
		line, _, _ := bytes.Cut(module, []byte("\n"))
		text := bytes.TrimLeft(line, " \t")
		comment := 0
		switch {
		case bytes.HasPrefix(text, []byte("//")):
			comment = len(line)
		case bytes.HasPrefix(text, []byte("/**")):
			comment = blockAlone(module, len(line)-len(text))
		}
		if comment > 0 {
			out = append(out, bytes.Repeat([]byte("\n"), bytes.Count(module[:comment], []byte("\n")))...)
			line = module[:comment]
		} else {
			out = append(out, line...)
		}
		if module = module[len(line):]; len(module) > 0 {
			out, module = append(out, '\n'), module[1:]
		}
	}
	return out
}

// blockAlone returns where the block ends that begins at, if nothing follows in its last line, or else 0.
func blockAlone(module []byte, at int) int {
	begin := at + len("/**")
	n := bytes.Index(module[begin:], []byte("*/"))
	if n < 0 {
		return 0
	}
	end := begin + n + len("*/")
	if end < len(module) && module[end] != '\n' {
		return 0
	}
	return end
}
