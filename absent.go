package parley

import (
	"net/http"
	"slices"
	"strings"

	"parley/problem"
)

var errMethod = problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take this method")

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// absent answers what no route of the API takes: 405 where another method would do, else 404, both as a problem.
func absent(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	others := slices.DeleteFunc(slices.Clone(methods), func(method string) bool {
		other := r.Clone(r.Context())
		other.Method = method
		_, pattern := mux.Handler(other)
		return pattern == "" || !strings.HasPrefix(pattern, method+" ")
	})
	if len(others) > 0 {
		w.Header().Set("Allow", strings.Join(others, ", "))
		errMethod.Detail("%s takes %s here", r.URL.Path, strings.Join(others, ", ")).Write(w)
		return
	}
	problem.NotFound.Detail("there is nothing at %.100s; docs/protocol.md lists what there is", r.URL.Path).Write(w)
}
