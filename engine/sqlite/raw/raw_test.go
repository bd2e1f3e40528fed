package raw

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func open(t testing.TB) *Conn {
	t.Helper()
	c, err := Open("file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "x.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Script("CREATE TABLE t (a, b); CREATE UNIQUE INDEX u ON t (a)"); err != nil {
		t.Fatal(err)
	}
	return c
}

func scan[T any](t *testing.T, c *Conn, arg any) T {
	t.Helper()
	var got T
	if err := c.QueryRow("SELECT ?", arg).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

type (
	mark uint64
	word string
)

func TestValuesComeBack(t *testing.T) {
	c := open(t)
	large := strings.Repeat("ä\x00", 40_000)
	for _, text := range []string{"", "x", large, "Ann", "\x00"} {
		if got := scan[string](t, c, text); got != text {
			t.Errorf("%.20q came back as %.20q", text, got)
		}
		if got := scan[string](t, c, Text(text)); got != text {
			t.Errorf("%.20q came back as %.20q", text, got)
		}
		if got := scan[[]byte](t, c, []byte(text)); !bytes.Equal(got, []byte(text)) || got == nil {
			t.Errorf("%.20q came back as %.20q", text, got)
		}
		if got := scan[word](t, c, word(text)); got != word(text) {
			t.Errorf("%.20q came back as %.20q", text, got)
		}
	}
	if scan[int](t, c, -7) != -7 || scan[int64](t, c, int64(-1)<<63) != -1<<63 || scan[uint64](t, c, uint64(1)<<62) != 1<<62 || scan[mark](t, c, mark(9)) != 9 {
		t.Error("numbers")
	}
	if !scan[bool](t, c, true) || scan[bool](t, c, false) {
		t.Error("booleans")
	}
	if p := scan[*int64](t, c, 5); p == nil || *p != 5 {
		t.Error("a pointer")
	}
	if p := scan[*int64](t, c, nil); p != nil {
		t.Error("NULL is no nil")
	}
	if scan[[]byte](t, c, []byte(nil)) != nil {
		t.Error("nil is no NULL")
	}
	for _, n := range []sql.NullInt64{{}, {Int64: 3, Valid: true}} {
		if scan[sql.NullInt64](t, c, n) != n {
			t.Errorf("%v", n)
		}
	}
	if scan[sql.NullString](t, c, "x") != (sql.NullString{String: "x", Valid: true}) {
		t.Error("NullString")
	}
}

func TestWhatDoesNotFitIsSaid(t *testing.T) {
	c := open(t)
	var n int
	var f struct{}
	for what, err := range map[string]error{
		"NULL":          c.QueryRow("SELECT NULL").Scan(&n),
		"no row":        c.QueryRow("SELECT 1 WHERE 0").Scan(&n),
		"a struct":      c.QueryRow("SELECT 1").Scan(&f),
		"few arguments": c.QueryRow("SELECT ?, ?", 1).Scan(&n),
		"a function":    c.QueryRow("SELECT ?", func() {}).Scan(&n),
		"nonsense":      c.QueryRow("SELECT FROM").Scan(&n),
	} {
		if err == nil || (what == "no row") != errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.Script("SELECT 1; NONSENSE"); err == nil {
		t.Error("a bad script ran")
	}
	if _, err := Open("file:/absent/folder/x.db"); code(err) != 14 {
		t.Errorf("opening: %v", err)
	}
}

func code(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code & 0xff
	}
	return 0
}

func TestStatementsRunAgainAfterAnError(t *testing.T) {
	c := open(t)
	const insert = "INSERT INTO t (a, b) VALUES (?, ?)"
	for i, want := range []int{0, 19, 0, 19} { // SQLITE_CONSTRAINT
		r, err := c.Exec(insert, i/2, strings.Repeat("b", 300*i))
		if code(err) != want || want == 0 && (r.Changed != 1 || r.ID != int64(i/2+1)) {
			t.Errorf("insert %d: %+v, %v", i, r, err)
		}
	}
	rows, err := c.Query("UPDATE t SET b = ? WHERE a >= ? RETURNING a", "changed", 0)
	if err != nil {
		t.Fatal(err)
	}
	sum, a := 0, 0
	for rows.Next() {
		if err := rows.Scan(&a); err != nil {
			t.Fatal(err)
		}
		sum += 10 + a
	}
	if rows.Err() != nil || sum != 21 || rows.Close() != nil || rows.Next() {
		t.Errorf("sum %d, %v", sum, rows.Err())
	}
	if r, err := c.Exec("DELETE FROM t WHERE a = 7"); r.Changed != 0 || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTransactions(t *testing.T) {
	c := open(t)
	count := func() (n int) {
		if err := c.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, end := range []string{"ROLLBACK", "COMMIT"} {
		for _, query := range []string{"BEGIN IMMEDIATE", "INSERT INTO t VALUES (1, 2)", end} {
			if _, err := c.Exec(query); err != nil || c.InTransaction() != (query != end) {
				t.Fatal(query, err)
			}
		}
		if n := count(); n != map[string]int{"ROLLBACK": 0, "COMMIT": 1}[end] {
			t.Errorf("%d rows after %s", n, end)
		}
	}
}

func TestBindingAllocatesNothing(t *testing.T) {
	c := open(t)
	var values [3]any
	values[0], values[1], values[2] = "a text", []byte("bytes"), int64(1<<40)
	if n := testing.AllocsPerRun(100, func() { _, _ = c.Exec("SELECT ?, ?, ?", values[:]...) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
