package body_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"parley/body"
	"parley/problem"
)

func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{}`, `{"name":"a"}`, `{"name":"\ud800"}`, `{"name":1}`, `{"x":1}`, `{"name":"a"}x`, ` {"data":[[["]"]]]} `, `null`, "{\"\xff\":1}", `{"name":"\"[["}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in struct {
			Name string          `json:"name"`
			Data json.RawMessage `json:"data"`
		}
		err := body.Decode(data, &in)
		if err == nil {
			if !json.Valid(data) {
				t.Fatalf("%q is taken for JSON", data)
			}
			return
		}
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Status() != http.StatusBadRequest {
			t.Fatalf("%q gives %v", data, err)
		}
	})
}
