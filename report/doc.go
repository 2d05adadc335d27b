// Package report says what snapshots mean: what changed between two of them,
// how long an account was in which health, which squids used which account, and
// how much of its limits was used.
//
// [Read] makes the report of a period of a store, which it only reads. All other
// functions but [ReadInput] are pure: no clock, no database, no network, no
// environment. The same input gives the same result, and all functions are safe for
// concurrent use.
//
// The rules that a store is opened with are [Rules]: [FactsOf] takes the facts out
// of a state, [Diff] compares two states. They hold these laws, which the tests
// check on random histories:
//
//   - A state does not differ from itself; nor from one with other volatile
//     values, another order of squids, cookies or members, or other spellings.
//   - The changes, made to the old object, give the new one.
//   - A to B and B to A are both changes, or neither is; and each is the reverse of
//     the other (the reverse of a synchronisation is a changed field).
//   - No change names a volatile value. A change of health is always told, except
//     one through resets_in, which is volatile.
//   - A field that a document lacks has not changed.
//
// Two fields are read with care. Squids that were not known before are no change. A
// lock_time that is missing, null, past, or no time at all is no lock.
//
// The package refuses what it cannot understand: documents that are no JSON
// objects, repeated member names, squids in an unknown shape, nesting beyond a
// thousand levels. It returns an error then and never "no squids". Values of
// unexpected types elsewhere are data like any other.
//
// [NewTimeline] measures time in each health, [Build] makes the report of a
// period. The types whose names end in JSON are the documented answers of the
// commands: keys are snake_case, instants RFC 3339 UTC with milliseconds, lists
// never null.
package report
