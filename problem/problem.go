// Package problem is the error that Parley answers with: a stable code, a status and a sentence that says what
// happened and what to do, in the shape of RFC 9457 (problem details).
//
// A package declares its problems as variables and returns them, refined with Detail where a limit or a name helps:
//
//	var ErrVoteClosed = problem.New(http.StatusConflict, "vote_closed", "The vote is closed")
//	return ErrVoteClosed.Detail("%s closed at %s", code, at)
//
// errors.Is compares codes, so a refined problem is still the declared one.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"
)

// Problem is an error with a stable code. It is immutable: the methods that refine it return a copy.
type Problem struct {
	status     int
	code       string
	title      string
	detail     string
	retryAfter time.Duration
	cause      error
}

// New declares a problem: its HTTP status, stable code and title.
func New(status int, code, title string) *Problem {
	return &Problem{status: status, code: code, title: title}
}

// Status is the HTTP status code.
func (p *Problem) Status() int { return p.status }

// Code is the stable code that programs and translations rely on.
func (p *Problem) Code() string { return p.code }

// RetryAfter is how long to wait before trying again; 0 when that would not help.
func (p *Problem) RetryAfter() time.Duration { return p.retryAfter }

// Detail returns the problem with a sentence for this occurrence.
func (p *Problem) Detail(format string, args ...any) *Problem {
	q := *p
	q.detail = fmt.Sprintf(format, args...)
	return &q
}

// In returns the problem with the place where it is in front of its sentence, where one request says several things:
// "message 3: the text is empty".
func (p *Problem) In(format string, args ...any) *Problem {
	q := *p
	if q.detail == "" {
		q.detail = q.title
	}
	q.detail = fmt.Sprintf(format, args...) + ": " + q.detail
	return &q
}

// After returns the problem with the advice to try again after d.
func (p *Problem) After(d time.Duration) *Problem {
	q := *p
	q.retryAfter = d
	return &q
}

// Because returns the problem with its cause, which is logged and unwrapped but never shown to the other side.
func (p *Problem) Because(err error) *Problem {
	q := *p
	q.cause = err
	return &q
}

func (p *Problem) Error() string {
	text := p.title
	if p.detail != "" {
		text = p.detail
	}
	if p.cause != nil {
		text += ": " + p.cause.Error()
	}
	return p.code + ": " + text
}

// Is reports whether target is a Problem of the same code.
func (p *Problem) Is(target error) bool {
	q, ok := target.(*Problem)
	return ok && q.code == p.code
}

func (p *Problem) Unwrap() error { return p.cause }

// MarshalJSON renders the problem as RFC 9457 does.
func (p *Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type       string `json:"type"`
		Title      string `json:"title"`
		Status     int    `json:"status"`
		Detail     string `json:"detail,omitempty"`
		Code       string `json:"code"`
		RetryAfter int    `json:"retry_after,omitempty"`
	}{"urn:parley:error:" + p.code, p.title, p.status, p.detail, p.code, p.seconds()})
}

func (p *Problem) seconds() int { return int(math.Ceil(p.retryAfter.Seconds())) }

// Write answers an HTTP request with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	if s := p.seconds(); s > 0 {
		h.Set("Retry-After", fmt.Sprint(s))
	}
	body, _ := json.Marshal(p)
	w.WriteHeader(p.status)
	_, _ = w.Write(append(body, '\n'))
}

// Problems that belong to no package in particular.
var (
	BadRequest  = New(http.StatusBadRequest, "bad_request", "The request is malformed")
	BadField    = New(http.StatusBadRequest, "bad_field", "The request has an unknown field")
	TooLarge    = New(http.StatusRequestEntityTooLarge, "too_large", "The body is too large")
	TooLong     = New(http.StatusUnprocessableEntity, "too_long", "A text is too long")
	Empty       = New(http.StatusUnprocessableEntity, "empty", "A text is empty")
	Forbidden   = New(http.StatusForbidden, "forbidden", "Not allowed")
	NotOwner    = New(http.StatusForbidden, "not_owner", "Only the owner may do this")
	NotFound    = New(http.StatusNotFound, "not_found", "There is nothing here")
	RateLimited = New(http.StatusTooManyRequests, "rate_limited", "Too many requests")
	Overloaded  = New(http.StatusServiceUnavailable, "overloaded", "The server is busy")
	Unavailable = New(http.StatusServiceUnavailable, "unavailable", "The server cannot commit at the moment")
	Internal    = New(http.StatusInternalServerError, "internal", "Something went wrong inside the server")
)

// Of returns the problem in err's chain, or Internal caused by err. It returns nil for nil.
func Of(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return Internal.Because(err)
}
