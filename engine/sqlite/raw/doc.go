// Package raw is a connection to SQLite for one goroutine, without database/sql: the engine's writer is on it.
//
// Statements are prepared once for each query text and stay. What is bound is copied into memory of the statement's own that is used
// again, so that a statement which runs ten thousand times a second allocates nothing. On this an insert of a message takes about
// half the time that it takes through database/sql.
//
// # Values
//
// Arguments may be nil, int, int64, uint64 (below 2^63), bool, string, []byte, a [Value], a driver.Valuer of one of these, or of a type
// derived from one. Columns are scanned as database/sql does it, into pointers to these; a pointer to a pointer takes NULL as nil.
//
// # Concurrency
//
// A Conn, its statements and rows may be used by one goroutine at a time. Rows end at the last of them, or when they are closed; until
// then their statement must not run again.
package raw
