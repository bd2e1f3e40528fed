package sqlite

import (
	"fmt"

	"parley/engine/sqlite/raw"
)

// schemas are the tables of each part. Every statement may be run again.
var schemas = []string{
	logSchema,
	identitySchema,
	chatSchema,
	voteSchema,
}

const (
	// applicationID marks a file as Parley's: "Prly".
	applicationID = 0x50726c79

	// schemaVersion is that of the tables. A file of a higher version is refused; one of a lower is brought up by migrate.
	schemaVersion = 1
)

// oldest is the first SQLite whose WAL is safe: before it, a reset of the WAL could corrupt the database
// (https://sqlite.org/wal.html#walresetbug).
var oldest = [3]int{3, 51, 3}

// prepare checks the file and brings it up to this version's tables. It runs before anything else does.
func prepare(c *raw.Conn) error {
	var version string
	var application, user, tables int
	for _, q := range []struct {
		query string
		into  any
	}{
		{"SELECT sqlite_version()", &version},
		{"PRAGMA application_id", &application},
		{"PRAGMA user_version", &user},
		{"SELECT count(*) FROM sqlite_schema", &tables},
	} {
		if err := c.QueryRow(q.query).Scan(q.into); err != nil {
			return explain(err)
		}
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	fresh := application == 0 && user == 0 && tables == 0
	switch {
	case application != applicationID && !fresh:
		return fmt.Errorf("%w (application id %#x, %d tables): choose another data folder", ErrForeign, application, tables)
	case user > schemaVersion:
		return fmt.Errorf("%w (its tables are version %d, this program knows %d): use that version, or a copy from before", ErrNewer, user, schemaVersion)
	}
	if err := useWAL(c); err != nil {
		return err
	}
	return explain(migrate(c, fresh))
}

func useWAL(c *raw.Conn) error {
	var mode string
	if err := c.QueryRow("PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return explain(err)
	}
	if mode != "wal" {
		return fmt.Errorf("the file system does not allow a write-ahead log (the journal mode stays %q): use a local disk", mode)
	}
	return c.Script("PRAGMA synchronous = FULL")
}

// migrate makes the tables that are missing, in one transaction.
func migrate(c *raw.Conn, fresh bool) error {
	steps := append([]string{"BEGIN IMMEDIATE"}, schemas...)
	if fresh {
		steps = append(steps,
			fmt.Sprintf("PRAGMA application_id = %d", applicationID),
			fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
	}
	for _, step := range append(steps, "COMMIT") {
		if err := c.Script(step); err != nil {
			_ = c.Script("ROLLBACK")
			return err
		}
	}
	return nil
}

func checkVersion(version string) error {
	var v [3]int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2]); err != nil {
		return fmt.Errorf("%w: %q cannot be understood", ErrOldSQLite, version)
	}
	for i := range v {
		if v[i] != oldest[i] {
			if v[i] > oldest[i] {
				return nil
			}
			return fmt.Errorf("%w: it is %s, and at least %d.%d.%d is needed; before that, data could be lost", ErrOldSQLite, version, oldest[0], oldest[1], oldest[2])
		}
	}
	return nil
}
