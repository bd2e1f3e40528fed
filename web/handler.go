package web

import (
	"net/http"
	"strings"
)

// pages says which file each address shows. The pages read the rest of the address themselves.
var pages = map[string]string{
	"/{$}":                  "index.html",
	"/r/{room}":             "index.html",
	"/d/{user}":             "index.html",
	"/v/{code}":             "vote.html",
	"/v/{code}/present":     "present.html",
	"/transports":           "transports.html",
	"/admin":                "admin.html",
	"/favicon.svg":          "icons/favicon.svg",
	"/favicon.ico":          "icons/favicon.svg",
	"/manifest.webmanifest": "manifest.webmanifest",
}

// folders are served as they are.
var folders = []string{"css/", "js/", "i18n/", "icons/", "sdk/"}

// policy lets the pages load and reach only their own server: no inline script or style, no text that becomes markup, no
// frame around them.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// Handler serves the pages and the JavaScript client, and a page that says so for every other address. It may be used
// concurrently.
func Handler() http.Handler {
	assets, err := load(files)
	if err != nil {
		panic(err) // the files are inside the program: reading them cannot fail
	}
	version, versioned := assemble(assets)
	mux := http.NewServeMux()
	for pattern, name := range pages {
		page := assets[name]
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) { page.serve(w, r, http.StatusOK) })
	}
	missing := assets["404.html"]
	mux.HandleFunc("GET "+versionedPath+"{version}/{name...}", func(w http.ResponseWriter, r *http.Request) {
		file, ok := versioned[r.PathValue("name")]
		if !ok {
			missing.serve(w, r, http.StatusNotFound)
			return
		}
		if r.PathValue("version") != version {
			ours := *file
			ours.cache = revalidate
			file = &ours
		}
		file.serve(w, r, http.StatusOK)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "pages can only be read", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if file, ok := assets[name]; ok && served(name) {
			file.serve(w, r, http.StatusOK)
			return
		}
		missing.serve(w, r, http.StatusNotFound)
	})
	return secured(mux)
}

func served(name string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	return false
}

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
