// Package fold decides what a response of the API means for what is known: which
// documents and counters are new, which versions begin, what changed in which
// window, which squids began or ceased to use an account.
//
// [Workspace] is what is known of a workspace, as far as a response may touch it: an
// engine loads it. [Workspace.Fold] takes one response and returns a [Delta],
// everything that a transaction has to write. It is pure: no SQL, no clock, no
// input or output, no random numbers but the salts of accounts seen for the first
// time, which come with the response. Appending, importing, verifying and deriving
// again all call it.
package fold
