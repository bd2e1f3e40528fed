package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/channel"
	"parley/chat"
	"parley/engine/sqlite/raw"
)

// The index of texts is a database of its own beside the engine's: writing it takes no turn of the engine's writer, what goes wrong with it harms
// nothing, and it can always be made again, so it needs no backup.

// indexSuffix is that of the index's file.
const indexSuffix = ".search"

// indexVersion is that of the index's tables, and of how texts become terms: an index of another version is made anew.
const indexVersion = 1

// Terms are chat's; FTS5 is to take them as they are, which its tokenizer for ASCII does, folding nothing but ASCII's capitals, of which they have none.
// Whether a message is found is decided by its text, so nothing is kept of where in it a term is (detail). What is removed leaves the file at
// once (secure-delete).
//
// An entry's rowid tells its channel and seq, so that one channel is a range.
var indexSchema = `
CREATE TABLE IF NOT EXISTS indexed ( -- how far each channel is indexed
	name  TEXT    PRIMARY KEY,
	id    INTEGER NOT NULL, -- the channel's in the engine's database
	seq   INTEGER NOT NULL,
	mark  INTEGER NOT NULL, -- of the message of that seq: proves that it is the same past
	floor INTEGER NOT NULL  -- seq up to which entries were removed
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (terms, tokenize = 'ascii', detail = none, columnsize = 0, prefix = '` + strings.Trim(fmt.Sprint(prefixes), "[]") + `');
INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);
`

// prefixes are the lengths, in characters, of the beginnings that have a list of their own. Only such lists are asked for: what begins in another way would have to be
// gathered from all that do, which took 50 ms where 100,000 messages have the word. So "hello" asks for what begins with "hell".
var prefixes = []int{1, 2, 3, 4, 6, 8}

// seqBits are those of a rowid that are the message's seq; above it is the channel's id.
const seqBits = 36

func rowidOf(id int64, seq uint64) int64 { return id<<seqBits | int64(seq) }

// index is an open index. What writes it is used by the follower alone.
type index struct {
	path string
	conn *raw.Conn
	read *sql.DB
}

// indexed is how far a channel is indexed.
type indexed struct {
	id    int64 // 0: not at all
	seq   uint64
	mark  channel.Mark
	floor uint64
}

// holds reports whether the channel's past is still the one that was indexed. h is its head, with the mark at seq.
func (i *indexed) holds(h *head) bool {
	return i.id == h.id && i.id != 0 && (i.seq <= h.Floor.Seq || h.At == i.mark)
}

// openIndex opens the index at path, and makes it anew if it is of another version or cannot be read.
func openIndex(path string, o Options) (*index, error) {
	i, err := tryIndex(path, o)
	if err == nil {
		return i, nil
	}
	if err := removeIndex(path); err != nil {
		return nil, err
	}
	return tryIndex(path, o)
}

func tryIndex(path string, o Options) (_ *index, err error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	i := &index{path: path}
	defer func() {
		if err != nil {
			_ = i.close()
		}
	}()
	if i.conn, err = openWriter(path, o); err != nil {
		return nil, err
	}
	var version, tables int
	if err := i.conn.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return nil, err
	}
	if err := i.conn.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return nil, err
	}
	if tables > 0 && version != indexVersion {
		return nil, fmt.Errorf("the index has version %d", version)
	}
	if err := useWAL(i.conn); err != nil {
		return nil, err
	}
	// A power loss may take the last entries, but leaves a whole index: they are made again.
	if err := i.conn.Script("PRAGMA synchronous = NORMAL; BEGIN;" + indexSchema + fmt.Sprintf("PRAGMA user_version = %d; COMMIT", indexVersion)); err != nil {
		return nil, err
	}
	i.read, err = openReaders(path, o)
	return i, err
}

func (i *index) close() error {
	var errs []error
	if i.read != nil {
		errs = append(errs, i.read.Close())
	}
	if i.conn != nil {
		errs = append(errs, i.conn.Close())
	}
	return errors.Join(errs...)
}

// removeIndex removes the files of an index.
func removeIndex(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

const indexedQuery = "SELECT id, seq, mark, floor FROM indexed WHERE name = ?"

func scanIndexed(r scanner) (at indexed, err error) {
	err = r.Scan(&at.id, &at.seq, &at.mark, &at.floor)
	if errors.Is(err, sql.ErrNoRows) {
		return indexed{}, nil
	}
	return at, err
}

// find tells how far a channel is indexed.
func (i *index) find(ctx context.Context, name channel.Name) (indexed, error) {
	return scanIndexed(i.read.QueryRowContext(ctx, indexedQuery, string(name)))
}

// candidates are messages of a channel before a seq that may be found by words, the highest seq first; and down to which seq these are all.
func (i *index) candidates(ctx context.Context, id int64, before uint64, words *chat.Words) (seqs []uint64, down uint64, err error) {
	last := rowidOf(id, min(before, 1<<seqBits-1))
	rows, err := i.read.QueryContext(ctx, "SELECT rowid & ? FROM texts WHERE texts MATCH ? AND rowid < ? AND rowid > ? ORDER BY rowid DESC LIMIT ?",
		int64(1<<seqBits-1), match(words), last, rowidOf(id, 0), candidatesAtOnce)
	return seqsOf(rows, err, candidatesAtOnce)
}

// maxTerms bounds what is asked of FTS5: the messages that have the first of them all are few.
const maxTerms = 40

// match is FTS5's expression for words. Terms have no quotation marks.
func match(words *chat.Words) string {
	terms := words.Terms()
	var b strings.Builder
	for n, term := range terms[:min(len(terms), maxTerms)] {
		if n > 0 {
			b.WriteString(" AND ")
		}
		if term.Begins {
			b.WriteString(`"` + listed(term.Text) + `" *`)
		} else {
			b.WriteString(`"` + term.Text + `"`)
		}
	}
	return b.String()
}

// listed is the longest beginning of a term that has a list.
func listed(term string) string {
	n := utf8.RuneCountInString(term)
	for _, length := range slices.Backward(prefixes) {
		if length <= n {
			return string([]rune(term)[:length])
		}
	}
	return term
}
