// Package ledger is what the transparency log of a store is made of. It has no
// SQL: texts and hashes in, texts and hashes out.
//
// Each transaction that adds evidence appends one entry to the log, a text of
// lines ([Entry]): the run as it then stood, each response with the root of a
// small Merkle tree over what it showed, each failure, each absence. The texts
// are the leaves of a Merkle tree as RFC 6962, section 2.1, hashes it
// (golang.org/x/mod/sumdb/tlog), so that one hash and a count stand for all that
// was ever stored, and can be signed and kept elsewhere.
//
// A leaf of the tree of a response is one snapshot ([Leaf]): the account and a
// commitment to what was observed. It tells nothing of the account object to those
// who do not have it, and nobody can find it by guessing, for a secret salt goes in
// too ([Salt]): when salt and object are erased, what is left still verifies and
// tells nothing.
package ledger
