package sqlite

import "context"

// VoteCodes returns the codes of all votes, oldest first: for tools that walk over them.
func (e *Engine) VoteCodes(ctx context.Context) ([]string, error) {
	rows, err := e.readRows(ctx, "SELECT code FROM votes ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var codes []string
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return nil, err
		}
		codes = append(codes, code)
	}
	return codes, rows.Err()
}
