// Package channel is Parley's idea: every conversation is a log, and every transport is a way of reading it from a position.
//
// A channel is a named, ordered, durable log of messages. Every [Message] has a seq, dense from 1, and a random mark; both
// together are its [Position]. Whoever reads holds a position, and asks for what is after it. The mark proves that the
// reader's past is still the log's past; where it is not, or where messages are gone, the answer is a [Gap] and never
// silence. An engine implements [Log]; a [Hub] delivers what the log commits to the readers on this node.
//
// # The life of a message
//
// A [Draft] is checked by [Hub.Append] and committed by the log, which gives it seq, mark and time. Only then the log tells
// the hub, its [Sink]. If anybody reads the channel the hub keeps the message, encoded once for all, in a window of the
// channel's newest messages, and wakes the readers. Each [Reader] pulls: from the window, if that has the reader's position
// and the mark agrees; otherwise, being behind or in doubt, with Log.Read. When the channel's last reader leaves, the window's messages go, and
// its tail stays for a while (IdleChannels): whoever comes back to an unchanged channel costs no look into the log.
//
// So history and live are joined exactly: Add first subscribes and then looks, and what it looks at is the log, which has a
// message before the hub hears of it. And a slow reader harms only itself: nothing is queued for it. It is woken once, until it looks,
// and finds then what piled up in few large batches; what the window has no more it reads from the log.
//
// An edit or deletion carries an [Amendment], which changes the message in the window too. In a conflated kind (see [Policy])
// readers get the newest message alone, at most once in ConflateEvery, and always the last.
//
// # Signals and presence
//
// A [Signal] is for those who are there: it is put into a short queue of every stream, and the oldest are dropped when a stream
// does not keep up. [Presence] follows from reading: whoever has a reader with a channel is there, and for a grace afterwards.
// It is announced to streams as the signals here (the list, once after Add, and again where the stream missed a change of it), join and
// leave. It is of this node, unless the engine has [Presences] that several nodes share.
//
// # Concurrency
//
// Everything may be called concurrently, but Ready, Next and Take of one Reader, which are for one goroutine at a time. The hub
// starts no goroutines; presence has one timer, and a conflated channel one while its readers wait for the rest of ConflateEvery.
// A log's announcements ([Hub.Committed] and so on) never wait for a reader. A call that fails, or whose context ends, moves no
// position, and the reader is as good as before.
//
// Messages, their Data and their encodings are shared by all readers and must not be written to; a [Lens] makes another message
// for one viewer.
//
// # Limits
//
// All are in [Options]: the size of data, signals, batches and windows, the channels of a reader, its queue of signals, and the
// people of whom comings and goings are told. Data nests at most 64 deep.
package channel
