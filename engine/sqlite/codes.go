package sqlite

import "context"

// VoteCodes returns the codes of all votes, oldest first: for tools that walk over them.
func (e *Engine) VoteCodes(ctx context.Context) ([]string, error) {
	return texts(e.readRows(ctx, "SELECT code FROM votes ORDER BY id"))
}
