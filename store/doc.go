// Package store says what the history of accounts is, and what every engine that keeps
// it promises: types, interfaces ([Reader], [Store], [RunWriter]) and errors, without SQL.
//
// An engine guarantees that what a call reported as stored survives the death of the
// process and of the machine, that a response is stored whole or not at all, that
// evidence (what the API said, and when) is never altered, and that an account object
// comes back as the same JSON value, whatever fields it has. It refuses files that are
// not stores, stores of a newer lobstrail, and a second writer. Package storetest has
// the laws that each engine must pass; package sqlite is the engine there is.
//
// Each workspace stands alone: its runs, responses and accounts have numbers of their
// own, and it has a log of its own.
//
// The store does not know what a difference between two account objects means. It is
// opened with [Rules] and writes what they answer beside the evidence, so that reading
// changes costs what changed; Rederive does it all again when the rules have a new
// version. Package fold works out, without a database, what a response changes: writing,
// importing, rederiving and verifying all call it.
package store
