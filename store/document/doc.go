// Package document takes an account object apart and joins it again.
//
// [Split] separates what moves while an account works (the volatile values, see
// [VolatilePatterns]) and what is large and shared (the icon) from the rest, the
// document. The document is canonical: its members and the members of those that
// are objects are sorted by name, without white space, and every value is spelled
// as it was received. [Members] lists it as the members that change on their own;
// [FromMembers] is the inverse. [Join] puts the whole object together again.
// Nothing is lost but the order of members and white space, which mean nothing in
// JSON.
package document
