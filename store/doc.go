// Package store keeps every snapshot of every account in one SQLite file.
//
// It guarantees that what a call reported as stored survives the death of the
// process and of the machine, that a response is stored whole or not at all,
// that evidence (responses, snapshots, documents, icons, usage, failures) is
// never altered, and that an account object comes back as the same JSON value,
// whatever fields it has. It refuses files that are not stores, stores of a
// newer lobstrail, and a second writer.
//
// There is one writer at a time, a process that holds the lock file beside the
// store ([OpenWriter]); any number of processes read meanwhile ([Open]), without
// writing a byte.
//
// The store does not know what a difference between two account objects means.
// It is opened with [Rules] and writes what they answer beside each version, so
// that reading changes costs what changed; [Store.Rederive] does it all again
// when the rules have a new version.
package store
