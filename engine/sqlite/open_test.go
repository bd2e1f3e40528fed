package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/channel"
	"parley/identity"
	"parley/problem"
)

// refused opens what cannot be opened.
func refused(t *testing.T, path string, want error, words ...string) {
	t.Helper()
	e, err := Open(path, Options{})
	if err == nil {
		_ = e.Close()
		t.Fatal("it was opened")
	}
	if !errors.Is(err, want) {
		t.Fatalf("error %v, not %v", err, want)
	}
	for _, word := range append(words, path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
}

func execOn(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestTwoServersOnOneFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{})
	refused(t, path, ErrInUse, fmt.Sprintf("process %d", os.Getpid()), path+".lock", "another data folder")
	if _, err := e.Append(t.Context(), hello("room:a")); err != nil {
		t.Fatalf("the first one suffered: %v", err)
	}
	closed(t, e)
	if tail, err := open(t, path, Options{}).Tail(t.Context(), "room:a"); err != nil || tail.Seq != 1 {
		t.Fatalf("tail %s, %v", tail, err)
	}
}

func TestForeignFiles(t *testing.T) {
	words := filepath.Join(t.TempDir(), "words.db")
	if err := os.WriteFile(words, bytes.Repeat([]byte("These are no tables. "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, words, ErrForeign, "no SQLite database", "another data folder")

	other := filepath.Join(t.TempDir(), "other.db")
	execOn(t, other, "CREATE TABLE messages (x)")
	before, _ := os.ReadFile(other)
	refused(t, other, ErrForeign, "another data folder")
	if after, _ := os.ReadFile(other); !bytes.Equal(before, after) {
		t.Error("the other program's file was changed")
	}
}

func TestNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	if err := open(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	execOn(t, path, "PRAGMA user_version = 99")
	refused(t, path, ErrNewer, "99")
}

// damage overwrites a part of a file.
func damage(t *testing.T, path string, from, to int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(to-from)), from); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{})
	appendN(t, e, "room:a", 1000)
	closed(t, e)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	// The list of the tables: it is noticed when the file is opened.
	damage(t, path, 100, 4096)
	refused(t, path, ErrDamaged, "backup")

	// The pages of the messages: it is noticed when it is read.
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	damage(t, path, int64(len(whole))/2, int64(len(whole)))
	e = open(t, path, Options{})
	_, err = e.Read(t.Context(), "room:a", channel.Position{}, 100, 1<<20)
	if !errors.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("read: %v", err)
	}
	for range 2 {
		_, err = e.Append(t.Context(), hello("room:a"))
		if !errors.Is(err, problem.Unavailable) || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("append: %v", err)
		}
	}
	if err := e.Ready(t.Context()); !errors.Is(err, problem.Unavailable) {
		t.Errorf("ready: %v", err)
	}
}

func TestTool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder?#%", "parley.db")
	server := open(t, path, Options{})
	tool := open(t, path, Options{Tool: true})
	if err := server.CreateUser(t.Context(), identity.User{ID: "u1", Name: "Ann"}, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := tool.PutAdminLink(t.Context(), []byte("hash")); err != nil {
		t.Fatal(err)
	}
	if err := server.TakeAdminLink(t.Context(), []byte("hash"), "u1"); err != nil {
		t.Fatalf("the server does not know the tool's link: %v", err)
	}
	if u, err := tool.User(t.Context(), "u1"); err != nil || !u.Admin {
		t.Errorf("the tool does not see what the server wrote: %+v, %v", u, err)
	}
	if _, err := tool.Append(t.Context(), hello("room:a")); !errors.Is(err, problem.Unavailable) {
		t.Errorf("append by the tool: %v", err)
	}
	if err := tool.Delete(t.Context(), "room:a"); !errors.Is(err, problem.Unavailable) {
		t.Errorf("delete by the tool: %v", err)
	}
	for _, name := range []string{path, path + "-wal", path + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestAnotherProcessHoldsTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.db")
	e := open(t, path, Options{BusyTimeout: 1})
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Append(t.Context(), hello("room:a")); !errors.Is(err, problem.Unavailable) || problem.Of(err).RetryAfter() == 0 {
		t.Errorf("append: %v", err)
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Append(t.Context(), hello("room:a")); err != nil {
		t.Errorf("append after the other had finished: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.51.3": true, "3.51.4": true, "3.52.0": true, "4.0.0": true, "3.100.1": true,
		"3.51.2": false, "3.50.9": false, "3.9.9": false, "2.99.99": false, "": false, "x": false,
	} {
		if err := checkVersion(version); (err == nil) != ok || err != nil && !errors.Is(err, ErrOldSQLite) {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// Power loss cannot be tested here; what SQLite promises about it rests on these settings.
func TestSettings(t *testing.T) {
	e := openNew(t, Options{})
	err := e.write(t.Context(), func(tx *tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "0", "busy_timeout": "5000"} {
			var got string
			if err := tx.queryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, not %q, %v", pragma, got, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.read.Exec("DELETE FROM channels"); err == nil {
		t.Error("a reader can write")
	}
}
