// Package chat is rooms and direct conversations: who may read and say what, and what of it is new to whom.
//
// A room (channel room:{id}) is public or private. Anybody reads a public room, and whoever publishes in one is a member
// from then on. A private room is read and written by its members alone, who come in by its invite; to all others, the
// administrator too, it is as if it were not there. A direct conversation (direct:{a}.{b}) is two people's; the first
// message opens it for both. The lobby is made at the first start, has no owner, and stays.
//
// What is said is a message of the channel's log. The Service checks it on its way there (Publish): the rights, the
// shape of the types text, edit and delete, and that nobody writes what only the server writes. An edit or a deletion
// is an event of the log, and changes the message it speaks of in the same commit; a deletion also empties the edits that
// repeat the text, so that nothing of it can be read any more.
//
// Every member has a position up to which they have read: Conversations counts what is unread, MarkRead moves it and
// tells their other screens. Their inbox (user:{id}) says when a conversation was added or left, in the commit that
// did it, with the same JSON as the list.
//
// Search finds messages by their words (Words), in one channel or in all that somebody is in. An engine finds them in one channel, newest
// first and in small steps (Finder); the Service goes through many of them side by side, asks MayRead, and stops where it has looked at enough.
//
// MayRead and MayPost are asked for every subscription and publish, and answered from memory: the Service keeps rooms and
// memberships, and drops what it changes. Generation moves when a right may have been taken away. Gone must be called when
// a user is forgotten; identity.Service's OnChange says so. Where several nodes share an engine, what the others change
// is told by Gone, RoomGone, MemberChanged and DroppedAll. A Service may be used by any number of goroutines; it has
// none of its own.
//
// Limits: a text MaxText, a room's name MaxRoomName, a topic MaxTopic characters; lists MaxRooms, MaxMembers,
// MaxConversations. Errors are problems with stable codes: those below, and those of packages problem, identity and channel.
package chat
