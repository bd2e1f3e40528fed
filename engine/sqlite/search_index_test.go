package sqlite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/channel"
	"parley/chat"
)

var ann = channel.Sender{ID: "ann", Name: "Ann"}

func text(name channel.Name, said string) channel.Draft {
	data, _ := json.Marshal(map[string]string{"text": said})
	return channel.Draft{Channel: name, Type: "text", From: ann, Data: data}
}

// say appends texts.
func say(t *testing.T, e *Engine, name channel.Name, said ...string) {
	t.Helper()
	for _, s := range said {
		if _, err := e.Append(t.Context(), text(name, s)); err != nil {
			t.Fatal(err)
		}
	}
}

// amend edits a message, or erases it.
func amend(t *testing.T, e *Engine, name channel.Name, seq uint64, said string) {
	t.Helper()
	d := text(name, said)
	d.Type, d.Amend = "edit", &channel.Amendment{Seq: seq, Data: d.Data}
	if said == "" {
		d.Type, d.Data = "delete", json.RawMessage(`{}`)
		d.Amend.Data, d.Amend.Erase = json.RawMessage(`{"deleted":true}`), true
	}
	if _, err := e.Append(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// finds is all that is found in a channel, newest first.
func finds(t *testing.T, e *Engine, name channel.Name, query string) (texts []string) {
	t.Helper()
	words, err := chat.ParseWords(query)
	if err != nil {
		t.Fatal(err)
	}
	for spot := (chat.Spot{Channel: name, Before: chat.Unsearched}); spot.Left(); {
		found, err := e.Find(t.Context(), spot, words, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found.Messages {
			said, _ := chat.SearchedText(m.Type, m.Data)
			texts = append(texts, said)
		}
		spot.Before = found.Before
	}
	return texts
}

func wantFound(t *testing.T, e *Engine, name channel.Name, query string, want ...string) {
	t.Helper()
	if got := finds(t, e, name, query); !slices.Equal(got, want) {
		t.Fatalf("%q in %s finds %q; want %q", query, name, got, want)
	}
}

// entries counts what the index has of a channel.
func entries(t *testing.T, e *Engine, name channel.Name) (n int) {
	t.Helper()
	settle(t, e)
	h, err := e.head(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.follower.index.Load().read.QueryRow("SELECT count(*) FROM texts WHERE rowid >= ? AND rowid < ?", rowidOf(h.id, 0), rowidOf(h.id+1, 0)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantEntries(t *testing.T, e *Engine, name channel.Name, want int) {
	t.Helper()
	if n := entries(t, e, name); n != want {
		t.Fatalf("the index has %d entries of %s; want %d", n, name, want)
	}
}

// TestIndexOfAnOldDatabase: a database without an index is searched at once, and gets one.
func TestIndexOfAnOldDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{unsearched: true})
	var drafts []channel.Draft
	for i := range 2*indexStep + 10 {
		drafts = append(drafts, text("room:a", fmt.Sprint("tea ", i)))
	}
	for some := range slices.Chunk(drafts, 100) {
		if _, err := e.Append(t.Context(), some...); err != nil {
			t.Fatal(err)
		}
	}
	say(t, e, "direct:ann.bob", "tea for two")
	if e.follower.index.Load() != nil {
		t.Fatal("there is an index already")
	}
	wantFound(t, e, "room:a", "1003 tea", "tea 1003")
	closed(t, e)

	e = open(t, path, Options{restless: true})
	for range 2 { // while it is made, and when it is there
		if n := len(finds(t, e, "room:a", "tea")); n != len(drafts) {
			t.Fatalf("%d found; want %d", n, len(drafts))
		}
		wantFound(t, e, "room:a", "tea 1003", "tea 1003")
		wantFound(t, e, "direct:ann.bob", "two", "tea for two")
		settle(t, e)
	}
	wantEntries(t, e, "room:a", len(drafts))
	wantEntries(t, e, "direct:ann.bob", 1)
}

// TestIndexFollows: edits, erasures, retention and deletions reach the index, and not only the answers.
func TestIndexFollows(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "parley.db"), Options{Policies: channel.Policies{channel.KindRoom: {KeepCount: 10}}, SweepEvery: -1, restless: true})
	say(t, e, "room:a", "one", "two", "three")
	say(t, e, "vote:K7QM3", "no room")
	wantEntries(t, e, "room:a", 3)
	wantEntries(t, e, "vote:K7QM3", 0)
	amend(t, e, "room:a", 1, "")
	amend(t, e, "room:a", 2, "second")
	wantEntries(t, e, "room:a", 2)
	for i := range 20 {
		say(t, e, "room:a", fmt.Sprint("more ", i))
	}
	sweep(t, e)
	wantEntries(t, e, "room:a", 10)
	wantFound(t, e, "room:a", "second")
	if err := e.Delete(t.Context(), "room:a"); err != nil {
		t.Fatal(err)
	}
	wantFound(t, e, "room:a", "more")
	wantEntries(t, e, "room:a", 0)
}

// TestIndexOfALostPast: a backup is restored, and the index knows more than there is, of other messages and other channels.
func TestIndexOfALostPast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{restless: true})
	say(t, e, "room:a", "tea one", "tea two")
	closed(t, e)
	backup, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e = open(t, path, Options{restless: true})
	say(t, e, "room:a", "lost tea three", "lost tea four")
	amend(t, e, "room:a", 1, "lost tea one")
	say(t, e, "room:lost", "lost tea", "lost milk")
	settle(t, e)
	closed(t, e)
	if err := os.WriteFile(path, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	e = open(t, path, Options{restless: true})
	wantFound(t, e, "room:a", "tea", "tea two", "tea one")
	say(t, e, "room:new", "water") // takes the lost room's place in the database
	for i := range 5 {
		say(t, e, "room:a", fmt.Sprint("other tea ", i))
	}
	for range 2 {
		wantFound(t, e, "room:a", "lost")
		wantFound(t, e, "room:a", "one", "tea one")
		wantFound(t, e, "room:a", "tea", "other tea 4", "other tea 3", "other tea 2", "other tea 1", "other tea 0", "tea two", "tea one")
		wantFound(t, e, "room:new", "lost")
		wantFound(t, e, "room:new", "water", "water")
		settle(t, e)
	}
	wantEntries(t, e, "room:a", 7)
	wantEntries(t, e, "room:new", 1)
}

// TestIndexDamaged: whatever becomes of the index, searches find the same, and the next start makes it anew.
func TestIndexDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{restless: true})
	say(t, e, "room:a", "tea one", "tea two")
	settle(t, e)
	closed(t, e)
	for name, damage := range map[string]func() error{
		"no database": func() error {
			return os.WriteFile(path+indexSuffix, []byte(strings.Repeat("no database ", 1000)), 0o600)
		},
		"gone": func() error { return os.Remove(path + indexSuffix) },
		"another version": func() error {
			i, err := tryIndex(path+indexSuffix, Options{}.withDefaults())
			if err != nil {
				return err
			}
			return errors.Join(i.conn.Script("PRAGMA user_version = 99; DROP TABLE indexed"), i.close())
		},
	} {
		if err := damage(); err != nil {
			t.Fatal(name, err)
		}
		e := open(t, path, Options{restless: true})
		wantFound(t, e, "room:a", "tea", "tea two", "tea one")
		wantEntries(t, e, "room:a", 2)
		wantFound(t, e, "room:a", "tea", "tea two", "tea one")
		closed(t, e)
	}

	e = open(t, path, Options{restless: true})
	settle(t, e)
	e.follower.lose(t.Context(), errors.New("damaged while it is used"))
	wantFound(t, e, "room:a", "tea", "tea two", "tea one")
	say(t, e, "room:a", "tea three")
	wantFound(t, e, "room:a", "tea", "tea three", "tea two", "tea one")
	closed(t, e)
	if _, err := os.Stat(path + indexSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the damaged index is still there: %v", err)
	}
	e = open(t, path, Options{restless: true})
	wantEntries(t, e, "room:a", 3)
}

// TestIndexForgets: what was erased leaves the index's file too.
func TestIndexForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{restless: true})
	say(t, e, "room:a", "before 前面", "a confidential matter 机密", "after")
	wantEntries(t, e, "room:a", 3)
	amend(t, e, "room:a", 2, "")
	wantEntries(t, e, "room:a", 2)
	closed(t, e) // which moves everything from the write-ahead log into the file
	file, err := os.ReadFile(path + indexSuffix)
	if err != nil {
		t.Fatal(err)
	}
	for _, there := range []string{"before", "前面"} {
		if !bytes.Contains(file, []byte(there)) {
			t.Errorf("%q is not in the file: the test is none", there)
		}
	}
	for _, gone := range []string{"confidential", "onfidentia", "matter", "机密"} {
		if bytes.Contains(file, []byte(gone)) {
			t.Errorf("%q is still in the file", gone)
		}
	}
}

// TestIndexAtLength: the longest query, a text of many terms, and a seq beyond what is there.
func TestIndexAtLength(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "parley.db"), Options{restless: true})
	var b strings.Builder
	for i := range 4000 {
		b.WriteRune(rune('一' + i))
	}
	long := b.String()
	say(t, e, "room:a", long, strings.Repeat("x", 4000), strings.Repeat("é", 4000))
	for range 2 {
		wantFound(t, e, "room:a", string([]rune(long)[1000:1200]), long)
		wantFound(t, e, "room:a", strings.Repeat("x", 200), strings.Repeat("x", 4000))
		wantFound(t, e, "room:a", strings.Repeat("É", 199), strings.Repeat("é", 4000))
		wantFound(t, e, "room:a", "a b c d e f g h i j k l m n o p q r s t")
		settle(t, e)
	}
}
