package body

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"parley/problem"
)

// Timeout is how long a body may take to arrive.
const Timeout = 30 * time.Second

// ErrMediaType is returned for a body in a format or character set that is not taken here.
var ErrMediaType = problem.New(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body is in a format that is not taken here")

// ErrIncomplete is returned for a body that did not arrive whole, for example because a proxy closed the connection in this direction:
// the client may send the request again. RFC 9110, section 15.5.9.
var ErrIncomplete = problem.New(http.StatusRequestTimeout, "incomplete", "The request did not arrive whole")

// JSON reads the body, of at most limit bytes, into v, which points to a struct; see [Decode]. A body without a
// Content-Type is taken for JSON.
//
// It returns problem.TooLarge, problem.BadRequest, problem.BadField, ErrMediaType or ErrIncomplete.
func JSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	data, err := Raw(w, r, limit)
	if err != nil {
		return err
	}
	return Decode(data, v)
}

// Raw is JSON before it is decoded, for those who have a way of their own to do that.
func Raw(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	media, err := mediaType(r)
	if err != nil {
		return nil, err
	}
	if media != "" && media != "application/json" {
		return nil, ErrMediaType.Detail("send the body as application/json, not %.60s (curl: --json '{…}')", media)
	}
	return read(w, r, limit)
}

// IsText reports whether the body is meant literally: text/plain, or what curl says when it is told nothing,
// application/x-www-form-urlencoded.
func IsText(r *http.Request) bool {
	media, err := mediaType(r)
	return err == nil && (media == "text/plain" || media == "application/x-www-form-urlencoded")
}

// Text reads the body, of at most limit bytes, literally: a form's encoding is not undone.
//
// It returns problem.TooLarge, problem.BadRequest, ErrMediaType or ErrIncomplete.
func Text(w http.ResponseWriter, r *http.Request, limit int64) (string, error) {
	if _, err := mediaType(r); err != nil {
		return "", err
	}
	if !IsText(r) {
		return "", ErrMediaType.Detail("send the body as text/plain")
	}
	data, err := read(w, r, limit)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", problem.BadRequest.Detail("the body is not UTF-8")
	}
	return string(data), nil
}

// mediaType returns the body's media type without parameters, "" if none is given.
func mediaType(r *http.Request) (string, error) {
	var header string
	if values := r.Header["Content-Type"]; len(values) > 0 {
		header = values[0]
	}
	switch header {
	case "", "application/json", "text/plain": // as nearly everybody sends it: there is nothing to parse
		return header, nil
	}
	media, params, err := mime.ParseMediaType(header)
	if err != nil {
		return "", ErrMediaType.Detail("the Content-Type %.60q is malformed", header)
	}
	switch charset := strings.ToLower(params["charset"]); charset {
	case "", "utf-8", "utf8", "us-ascii":
		return media, nil
	default:
		return "", ErrMediaType.Detail("send the body in UTF-8, not %.40s", charset)
	}
}

// read reads the whole body, of at most limit bytes, within Timeout.
func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close") // the rest is not read, so nothing can follow it
		}
		return nil, tooLarge(limit)
	}
	deadline := http.NewResponseController(w)
	if deadline.SetReadDeadline(time.Now().Add(Timeout)) == nil {
		defer func() { _ = deadline.SetReadDeadline(time.Time{}) }()
	}
	data, err := readAll(w, r, limit)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, ErrIncomplete.Detail("the body did not arrive within %v; send it again", Timeout)
	}
	if err != nil {
		return nil, ErrIncomplete.Detail("the body broke off; send it again").Because(err)
	}
	return data, nil
}

func readAll(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	}
	data := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, data)
	return data, err
}

func tooLarge(limit int64) error {
	return problem.TooLarge.Detail("the body may have at most %d bytes", limit)
}
