package ledger

import "golang.org/x/mod/sumdb/tlog"

// Frontier is what the next entry of a log and the root of the tree over it rest on: how
// many entries there are, and the last hash of each level of the tree.
type Frontier struct {
	Size   int64
	hashes [64]Hash
}

// ReadFrontier reads the frontier of a log with that many entries.
func ReadFrontier(size int64, hashes tlog.HashReader) (Frontier, error) {
	f := Frontier{Size: size}
	for level := range f.hashes {
		if size>>level&1 == 0 {
			continue // the last hash of the level is a part of one above it
		}
		last, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(level, size>>level-1)})
		if err != nil {
			return Frontier{}, err
		}
		f.hashes[level] = last[0]
	}
	return f, nil
}

// ReadHashes makes it a tlog.HashReader for the hashes that it has.
func (f *Frontier) ReadHashes(indexes []int64) ([]Hash, error) {
	hashes := make([]Hash, len(indexes))
	for i, index := range indexes {
		level, _ := tlog.SplitStoredHashIndex(index)
		hashes[i] = f.hashes[level]
	}
	return hashes, nil
}

// Root is the hash of the tree.
func (f *Frontier) Root() (Hash, error) { return tlog.TreeHash(f.Size, f) }

// Hashes are the hashes of the next entry, which has that text: of its leaf, and of the
// subtrees that it completes.
func (f *Frontier) Hashes(text string) ([]Hash, error) {
	return tlog.StoredHashes(f.Size, []byte(text), f)
}

// Add takes the hashes of the next entry.
func (f *Frontier) Add(hashes []Hash) {
	copy(f.hashes[:], hashes)
	f.Size++
}
