package channel

import "context"

type (
	appendedKey struct{} // of what WithQueued was given, until Append
	queuedKey   struct{} // the same, within Append
)

// WithQueued returns a context under which queued is called as soon as the drafts of a [Hub.Append] have their place in the
// order of commits. Who appends again only then has both committed in that order, without waiting for the first commit.
// queued is called at most once for each Append, must not block, and is not called where the append is refused before, or
// by an engine that cannot tell.
func WithQueued(ctx context.Context, queued func()) context.Context {
	return context.WithValue(ctx, appendedKey{}, queued)
}

// Queued is for engines: it tells whoever wants to know that a write under ctx has its place. It does nothing for writes
// that are no Append, such as joining a room on the way to one.
func Queued(ctx context.Context) {
	if queued, ok := ctx.Value(queuedKey{}).(func()); ok {
		queued()
	}
}

// appending is the context of an Append within which Queued counts.
func appending(ctx context.Context) context.Context {
	if queued, ok := ctx.Value(appendedKey{}).(func()); ok {
		return context.WithValue(ctx, queuedKey{}, queued)
	}
	return ctx
}
