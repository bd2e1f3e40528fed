package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The codes of this package's own errors; all others are the server's (docs/protocol.md, "All error codes").
const (
	CodeNetwork    = "network"    // nothing came back: no connection, a time limit passed, or it broke before the answer
	CodeUnexpected = "unexpected" // something came back that is not Parley's, for example a proxy's page
	CodeClosed     = "closed"     // this Client was closed
	CodeBadOption  = "bad_option" // an option or argument cannot be meant
)

// Error is what everything here fails with. Find it with errors.As.
type Error struct {
	Code       string        // stable; the server's or one of Code…
	Status     int           // HTTP status, 0 where there was none
	Detail     string        // what happened, which limit is meant, and what to do
	RetryAfter time.Duration // how long to stay away, where the server said so; else 0

	said  bool // the server said when to come back, even if that is 0
	cause error
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Code
	}
	if e.cause != nil {
		return e.Detail + " (" + e.Code + "): " + e.cause.Error()
	}
	return e.Detail + " (" + e.Code + ")"
}

// Unwrap returns the error below: a cancelled context's, for example.
func (e *Error) Unwrap() error { return e.cause }

// Gap stands in place of messages that cannot be had. Reading goes on at Resume by itself, except after "deleted".
type Gap struct {
	Channel string `json:"-"`
	From    string `json:"from"`
	Reason  string `json:"reason"` // "retention": too old, removed; "rollback": the log's past is another; "deleted"
	Resume  string `json:"resume,omitempty"`
	Tail    string `json:"tail,omitempty"` // the newest position
}

func (g *Gap) Error() string {
	switch g.Reason {
	case "retention":
		return "messages of " + g.Channel + " after " + g.From + " are too old and were removed; going on at " + g.Resume
	case "rollback":
		return "the past of " + g.Channel + " is not the one that was read up to " + g.From + "; going on at " + g.Resume
	case "deleted":
		return g.Channel + " has been deleted"
	}
	return "messages of " + g.Channel + " are missing: " + g.Reason
}

func closedError() *Error { return &Error{Code: CodeClosed, Detail: "This client was closed."} }

func networkError(detail string, cause error) *Error {
	return &Error{Code: CodeNetwork, Detail: detail, cause: cause}
}

func unexpected(status int) *Error {
	return &Error{Code: CodeUnexpected, Status: status, Detail: "What came back is not from Parley."}
}

// problem is the body of an error (RFC 9457).
type problem struct {
	Status     int      `json:"status"`
	Code       string   `json:"code"`
	Title      string   `json:"title"`
	Detail     string   `json:"detail"`
	RetryAfter *float64 `json:"retry_after"`
}

func (p problem) err() *Error {
	e := &Error{Code: p.Code, Status: p.Status, Detail: p.Detail}
	if e.Detail == "" {
		e.Detail = p.Title
	}
	if p.RetryAfter != nil {
		e.RetryAfter, e.said = seconds(*p.RetryAfter), true
	}
	return e
}

// refusal is the error of an answer that is not 2xx. What does not come from Parley but from something in between is
// named by its status.
func refusal(status int, header http.Header, body []byte) *Error {
	var p problem
	_ = json.Unmarshal(body, &p)
	e := p.err()
	e.Status = status
	if e.Code == "" {
		switch status {
		case http.StatusTooManyRequests:
			e.Code = "rate_limited"
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			e.Code = "unavailable"
		default:
			e.Code = CodeUnexpected
		}
	}
	if e.Detail == "" {
		e.Detail = "The server answered with status " + strconv.Itoa(status) + "."
	}
	if d, ok := retryAfter(header); ok && !e.said {
		e.RetryAfter, e.said = d, true
	}
	return e
}

// retryAfter reads Retry-After in its form in seconds, as Parley sends it (RFC 9110, section 10.2.3).
func retryAfter(header http.Header) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(header.Get("Retry-After")), 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return seconds(n), true
}

// seconds is a number of seconds from outside, kept within a day.
func seconds(n float64) time.Duration {
	return time.Duration(min(max(n, 0), 24*3600) * float64(time.Second))
}

// asError is err as an *Error; anything else is the network's.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return networkError("The server could not be reached.", err)
}

// isPassing says whether trying the same again later may help: nothing came back, or the server (or a proxy) is not
// able to now. A rate limit is not among them: that is an answer, and its receiver decides.
func isPassing(e *Error) bool {
	return e.Code == CodeNetwork || e.Code == CodeUnexpected || e.Status >= 500 || e.Status == http.StatusRequestTimeout
}

// isRefusal says whether the server has said no to this very request, so that asking again would be answered the same.
func isRefusal(e *Error) bool {
	return e.Status >= 400 && e.Status < 500 && e.Status != 408 && e.Status != 429 && e.Code != CodeUnexpected
}
