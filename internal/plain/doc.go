// Package plain reads and writes the plainest JSON, of which there are ten thousands a second, about ten times as fast as encoding/json: an
// object of a few fields, whose names and short values need no unescaping. It may refuse what is good, and never takes what is not: whoever is
// refused asks encoding/json, which also knows what to say about what is wrong. What it takes and writes is what encoding/json would.
package plain
