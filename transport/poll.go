package transport

import (
	"net/http"
	"strconv"

	"parley/channel"
)

// The cadence that polls are advised of in Retry-After, in seconds: at once while the limit cuts the answer, soon while there is
// talk, and later when there was none. Clients that want less delay use wait.
const (
	afterCut   = 0
	afterTalk  = 2
	afterQuiet = 5
)

// poll answers at once.
func (t *Transport) poll(w http.ResponseWriter, r *http.Request, q query, person channel.Sender) error {
	found, err := t.rightsTo(r.Context(), &q, person)
	if err != nil {
		return err
	}
	only := t.onlyPolls(r)
	if !only && t.isUnchanged(&q, r.Header["If-None-Match"]) {
		t.unchanged(w, r, &q, person)
		return nil
	}
	reader, err := t.open(r.Context(), &q, person, channel.Poll, found)
	if err != nil {
		return err
	}
	if only && t.parkPoll(w, r, &q, found, reader, false, nil) {
		return nil
	}
	defer reader.Close()
	batches, err := reader.Ready(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Retry-After", strconv.Itoa(cadence(batches)))
	t.answer(w, r, &q, reader, batches)
	return nil
}

func cadence(batches []channel.Batch) int {
	advice := afterQuiet
	for i := range batches {
		advice = min(advice, afterTalk)
		if batches[i].More {
			advice = afterCut
		}
	}
	return advice
}

// isUnchanged reports whether the client has what there is, as far as memory tells: so it is with most polls.
func (t *Transport) isUnchanged(q *query, listed []string) bool {
	if q.many || len(listed) != 1 || !t.hub.AtTail(q.starts[0].name, q.starts[0].after) {
		return false
	}
	var room [48]byte
	tag := q.starts[0].after.AppendText(append(room[:0], '"'))
	return listed[0] == string(append(tag, '"'))
}

var (
	quiet       = []string{strconv.Itoa(afterQuiet)}
	privateOnly = []string{private}
)

// unchanged answers such a poll.
func (t *Transport) unchanged(w http.ResponseWriter, r *http.Request, q *query, person channel.Sender) {
	t.hub.Presence().Visit(q.starts[0].name, person)
	h := w.Header()
	h["Etag"], h["Retry-After"], h["Cache-Control"] = r.Header["If-None-Match"], quiet, privateOnly
	w.WriteHeader(http.StatusNotModified)
}

// answer writes the batches, or 304 if the client has what they would bring it to.
func (t *Transport) answer(w http.ResponseWriter, r *http.Request, q *query, reader *channel.Reader, batches []channel.Batch) {
	w.Header().Set("Cache-Control", private)
	tag, news := judge(q, reader, batches, r.Header["If-None-Match"])
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	if !news {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	buffer := t.encodedBatches.Get().(*[]byte)
	defer t.encodedBatches.Put(buffer)
	*buffer = appendAnswer((*buffer)[:0], q, reader, batches)
	t.send(w, http.StatusOK, *buffer)
}

const private = "private, no-cache"

// judge returns the answer's entity tag, if it has one, and whether it is news to a client that has what is listed.
func judge(q *query, reader *channel.Reader, batches []channel.Batch, listed []string) (tag string, news bool) {
	if reader.Len() == 0 { // deleted
		return "", true
	}
	// A gap is never "not modified"; nor is what the limit cut, as only at the tail does an equal position mean that nothing
	// was edited before it either.
	for _, b := range batches {
		news = news || b.More || b.Gap != nil
	}
	tag = tagOf(q, reader)
	return tag, news || !matches(listed, tag)
}

// appendAnswer appends the body: a batch or gap, or the list of them in the form of many channels.
func appendAnswer(dst []byte, q *query, reader *channel.Reader, batches []channel.Batch) []byte {
	if !q.many {
		if len(batches) == 0 {
			name := q.starts[0].name
			p, _ := reader.Position(name)
			batches = []channel.Batch{{Channel: name, From: p, To: p}}
		}
		return append(batches[0].AppendJSON(dst), '\n')
	}
	dst = append(dst, `{"batches":[`...)
	for i := range batches {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = batches[i].AppendJSON(dst)
	}
	return append(dst, "]}\n"...)
}
