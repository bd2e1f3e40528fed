package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	sqlite3 "modernc.org/sqlite"

	"parley/engine/sqlite/raw"
)

// createFile makes the folder and the file, for the owner's eyes only: it holds people's words and the server's secrets.
// SQLite gives the files beside it the same mode.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn names the file as SQLite's URI, so that no character of the path is taken for a parameter.
func dsn(path string, params url.Values) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	abs = filepath.ToSlash(abs)
	if abs[0] != '/' {
		abs = "/" + abs
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: params.Encode()}
	return u.String(), nil
}

// openWriter opens the only connection that writes.
func openWriter(path string, o Options) (*raw.Conn, error) {
	name, err := dsn(path, nil)
	if err != nil {
		return nil, err
	}
	conn, err := raw.Open(name)
	if err != nil {
		return nil, explain(err)
	}
	err = conn.Script(fmt.Sprintf("PRAGMA busy_timeout = %d;", o.BusyTimeout.Milliseconds()) + `
		PRAGMA cache_size = -4096;            -- KiB
		PRAGMA secure_delete = ON;            -- what is deleted is overwritten: a deleted text is gone
		PRAGMA wal_autocheckpoint = 2000;     -- pages
		PRAGMA journal_size_limit = 67108864; -- bytes that the WAL keeps after a burst`)
	if err != nil {
		_ = conn.Close()
		return nil, explain(err)
	}
	return conn, nil
}

// openReaders opens the connections that only read. A read sees everything committed before it began.
func openReaders(path string, o Options) (*sql.DB, error) {
	name, err := dsn(path, url.Values{"mode": {"ro"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", o.BusyTimeout.Milliseconds()),
		"cache_size(-1024)", // KiB
		"query_only(1)",
	}})
	if err != nil {
		return nil, err
	}
	connector, err := sqlite3.NewConnector(name)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.Readers)
	db.SetMaxIdleConns(o.Readers)
	return db, db.Ping()
}
