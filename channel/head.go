package channel

// Head is what an engine knows of a channel in one look, and judges positions by.
type Head struct {
	Deleted bool
	Floor   Position // of the newest message that retention removed
	Tail    Position
	At      Mark // of the message at the seq that was asked for; 0: there is none
}

// Place finds a reader's position in the channel: where it is, with its mark; or the reason why it is not in the past. At must be of its
// seq.
func (h *Head) Place(after Position) (Position, Reason) {
	here := Position{Seq: after.Seq}
	switch {
	case h.Deleted:
		return after, Deleted
	case after == End:
		return h.Tail, ""
	case after.Seq < h.Floor.Seq:
		return after, Retention
	case after.Seq == h.Floor.Seq:
		here.Mark = h.Floor.Mark
	case h.At != 0:
		here.Mark = h.At
	case after.Mark == 0: // past the tail, and nothing is claimed
		return h.Tail, ""
	default:
		return after, Rollback
	}
	if after.Mark != 0 && after.Mark != here.Mark {
		return after, Rollback
	}
	return here, ""
}

// Gap makes the batch that says why there is none.
func (h *Head) Gap(name Name, from Position, reason Reason) Batch {
	g := &Gap{From: from, Reason: reason}
	if reason != Deleted {
		g.Resume, g.Tail = h.Floor, h.Tail
	}
	return Batch{Channel: name, From: from, To: from, Gap: g}
}
