// Package vote is questions that people answer by ballot, and the tallies that everybody watches.
//
// # The life of a vote
//
// Create makes it: a question, 2 to 50 options, and the rules: how many options a ballot has (Min to Max), whether a
// ballot may be changed (Change), whether names are shown (Named), who sees the results and when (Results), and
// perhaps a deadline (Closes). It gets a code of five characters that is easily read aloud and typed; the code is an
// address, not a secret. A vote stands alone, and then anyone who has the code may read it and take part, or in a
// room, and then those who may read the room; the room gets an announcement in the same transaction.
//
// Until the first ballot everything may be changed (Update). From the first ballot on, question, options, Min, Max,
// Change and Named are locked (ErrVoteLocked), because people answered them; Open, Results and Closes are not.
//
// Cast puts a ballot in, or exchanges it. Every person has one ballot per vote: casting the same one again succeeds
// and changes nothing, also after the vote closed, so a caller that heard no answer repeats its request. A ballot
// cannot be taken back.
//
// A vote closes by hand or at its deadline, which is measured by the server's clock when the ballot is committed: after it
// ballots are refused even if the closing itself is not written yet. Run writes it, once, whichever node does; so does
// whoever asks for a vote that is due. Opening a closed vote again removes a deadline that has passed, and keeps one
// that is still to come. A new deadline alone does not open a closed vote.
//
// # Tallies
//
// Every change appends a message of type tally to the channel vote:{code}, in the transaction of the change. Its data
// is [Event], and its seq is the vote's Version, which therefore only grows. The sum of the counts is always the
// sum of the options on all ballots; Recount counts the ballots anew, to prove it.
//
// # Who sees the counts
//
// [Vote.VisibleTo] decides, and nothing else does: [Service.Show] and [Service.Export] ask it for the answers of requests,
// [Service.Lens] for tallies that are read from the channel, by whatever transport. It judges by the vote as it is now,
// so a tally from a time when the results were public is hidden when they are not any more. An administrator may
// change any vote, but sees what everybody sees.
//
// A vote that is not Named never shows who cast what, nor in which order: exports have the counts alone.
//
// # Limits
//
// A question has at most 300 characters, an option 100; a deadline is at most a year ahead; a list has at most 100
// votes; a view has at most 100 names per option (an export has all). A Service may be used concurrently, also by
// several nodes on one engine.
package vote
