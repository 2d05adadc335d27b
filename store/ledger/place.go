package ledger

import "golang.org/x/mod/sumdb/tlog"

// Place is where the hash with that index of tlog.StoredHashIndex stands: in the
// hashes of the entry of that number, the first is 1, from that byte on. An entry
// has the hash of its leaf and those of the subtrees that it completes, and so the
// hashes of all entries, one after the other, are in the order of the indexes.
func Place(index int64) (entry int64, offset int) {
	level, n := tlog.SplitStoredHashIndex(index)
	return (n + 1) << level, level * tlog.HashSize
}
