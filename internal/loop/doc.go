// Package loop waits for the sockets of very many silent connections at once, with neither a goroutine nor a buffer for each.
//
// A [Loop] is one goroutine around epoll (so there are loops on Linux alone; elsewhere [Set.Pick] returns nil, and connections have
// goroutines). Whoever has a connection embeds a [Source] in what is known of it, and implements [Owner]: the loop calls its methods, one after the
// other, when there is something to do. A [Set] is one loop for each processor.
//
// # Turns
//
// A loop works in turns. In one turn all that is ready happens first; then what asked to be looked at again, then what is late; then everything that
// was touched is flushed, and what was scheduled by others is attended to. So what came for a connection from several sides goes out with one write.
//
// # Concurrency
//
// The methods of Owner are called by the loop's goroutine only, and must not block: all connections of the loop would wait. The methods of Source and
// Loop are for that goroutine too, but Init, Schedule and Loop, which anybody may call.
package loop

const (
	// ReadSize is how much one read takes at most, in bytes: enough for many small messages, and not much more than the processor's cache
	// has room for.
	ReadSize = 128 << 10

	// WriteSize is how much is gathered for one write.
	WriteSize = 64 << 10
)
