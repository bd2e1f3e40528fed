// Package identity is who is speaking: guests with names of their own, the tokens that prove who they are, and the
// administrator.
//
// A guest comes into being with a name (SignIn) or without (Guest), and is given a token: a signed statement "this
// is user X", which the server needs no table for. With it, Authenticate tells who makes a request. The name belongs
// to the guest, compared by the Nickname profile of RFC 8266 (see PrepareName), until the guest is forgotten
// (Forget), or was not seen for Options.GuestTTL. Then every token of theirs is void, and the id is never used again.
//
// The administrator is the guest who opens the one-time link: NewAdminLink, ClaimAdmin.
//
// A Service may be used by any number of goroutines. It keeps the users that it met lately in memory, so that
// Authenticate asks the store seldom; whatever this process changes is seen at once, and what another node of the same
// store changes when Dropped is called. Run writes, in batches and at most once an hour for each user, when they were last
// seen, and forgets whose time is over; exactly one goroutine of each process calls it.
//
// TokenFrom, SetCookie and ClearCookie carry a token over HTTP: as a bearer token for programs, as a cookie for pages.
//
// Errors are problems with stable codes: ErrNoSession, ErrBadName, ErrNameTaken, ErrNoUser, ErrBadAdminToken.
package identity
