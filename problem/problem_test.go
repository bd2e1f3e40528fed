package problem_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/problem"
)

var errClosed = problem.New(http.StatusConflict, "vote_closed", "The vote is closed")

func TestARefinedProblemIsStillTheDeclaredOne(t *testing.T) {
	err := fmt.Errorf("casting: %w", errClosed.Detail("%s closed", "K7QM3").After(1500*time.Millisecond).Because(io.EOF))
	if !errors.Is(err, errClosed) || errors.Is(err, problem.NotFound) || !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	p := problem.Of(err)
	if p.Code() != "vote_closed" || p.Status() != 409 || p.RetryAfter() != 1500*time.Millisecond {
		t.Errorf("%+v", p)
	}
	if problem.Of(nil) != nil || problem.Of(io.EOF).Code() != "internal" {
		t.Error("Of(nil) is nil, and an unknown error is internal")
	}
}

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("ETag", `"x"`)
	errClosed.Detail("K7QM3 closed").After(1500 * time.Millisecond).Because(errors.New("secret")).Write(w)
	want := `{"type":"urn:parley:error:vote_closed","title":"The vote is closed","status":409,"detail":"K7QM3 closed","code":"vote_closed","retry_after":2}` + "\n"
	if w.Code != 409 || w.Body.String() != want || w.Header().Get("Retry-After") != "2" || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("ETag") != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), "secret") {
		t.Error("the cause is shown")
	}
}
