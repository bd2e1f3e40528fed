package redis

import "context"

// sweep does all there is to do.
func (e *Engine) sweep(ctx context.Context) error { return nil }
