// Package load makes the work of publishers and readers for a server under measurement, as cheaply as it can: raw sockets
// behind one epoll, requests made beforehand, answers, frames and events parsed in place.
//
// Nothing is taken on trust. Every message says who published it and which of theirs it is; a Log knows the order in which
// the first reader got them, and every other reader must get the same, all of it, each message once. A publish must be answered as
// durable where that is promised. Whoever gets something else fails the measurement.
//
// How a server is spoken to is its Dialect. One goroutine uses a Load and all that belongs to it. Linux only.
package load
