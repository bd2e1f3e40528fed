// Package body reads request bodies: one strict JSON object, or a text that a person typed.
//
// Strict means that nothing passes silently: a field that the request does not have, a second value behind the first, bytes that
// are not UTF-8, nesting deeper than [MaxDepth], and a body longer than its limit are each refused with a [problem.Problem] that
// says which. The limit is looked at before anything is read, and a body that does not arrive within [Timeout] is given
// up, so a request costs no more than its limit and no longer than its time.
//
//	var in struct{ Name string }
//	if err := body.JSON(w, r, 64<<10, &in); err != nil { … }
package body
