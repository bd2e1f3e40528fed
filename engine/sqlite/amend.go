package sqlite

import "parley/channel"

// amend changes the message that m says it amends. An erasure empties the events that amended it before, too: they
// repeat what it said.
func (t *tx) amend(to *tail, m *channel.Message, a channel.Amendment) (*channel.Amendment, error) {
	if _, err := t.exec("UPDATE messages SET data = ?, erased = ? WHERE channel = ? AND seq = ?", string(a.Data), a.Erase, to.id, int64(a.Seq)); err != nil {
		return nil, err
	}
	if !a.Erase {
		return &a, nil
	}
	rows, err := t.query("UPDATE messages SET data = ?, erased = 1 WHERE channel = ? AND amends = ? AND seq < ? RETURNING seq",
		string(a.Data), to.id, int64(a.Seq), int64(m.Seq))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	a.Also = nil
	for rows.Next() {
		var seq uint64
		if err := rows.Scan(&seq); err != nil {
			return nil, err
		}
		a.Also = append(a.Also, seq)
	}
	return &a, rows.Err()
}
