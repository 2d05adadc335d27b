package ledger

import (
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// maxPage bounds what is believed of the size of a page.
const maxPage = 1 << 24

// PageTree is the Merkle tree over the snapshots of one response (RFC 6962, section
// 2.1). Its leaves can be exchanged one by one: a page of the list hardly changes
// from one response to the next.
type PageTree struct {
	levels [][]Hash // the leaves first; a lone hash at the end of a level moves up as it is
}

// NewPageTree makes the tree with these leaves.
func NewPageTree(leaves []Hash) *PageTree {
	t := &PageTree{levels: [][]Hash{slices.Clone(leaves)}}
	for n := len(leaves); n > 1; n = (n + 1) / 2 {
		below := t.levels[len(t.levels)-1]
		level := make([]Hash, (n+1)/2)
		for i := range level {
			level[i] = parent(below, i)
		}
		t.levels = append(t.levels, level)
	}
	return t
}

// parent is the hash over the i-th pair of a level.
func parent(below []Hash, i int) Hash {
	if 2*i+1 == len(below) {
		return below[2*i]
	}
	return tlog.NodeHash(below[2*i], below[2*i+1])
}

// Set exchanges a leaf.
func (t *PageTree) Set(i int, leaf Hash) {
	t.levels[0][i] = leaf
	for level := 1; level < len(t.levels); level++ {
		i /= 2
		t.levels[level][i] = parent(t.levels[level-1], i)
	}
}

// Leaf is the leaf of that number, the first is 0.
func (t *PageTree) Leaf(i int) Hash { return t.levels[0][i] }

// Size is the number of leaves.
func (t *PageTree) Size() int { return len(t.levels[0]) }

// Root is the hash of the whole tree; zero for an empty one.
func (t *PageTree) Root() Hash {
	top := t.levels[len(t.levels)-1]
	if len(top) == 0 {
		return Hash{}
	}
	return top[0]
}

// Prove proves that the leaf of that number is in the tree; see tlog.CheckRecord.
func (t *PageTree) Prove(leaf int) (proof tlog.RecordProof) {
	proof = tlog.RecordProof{}
	for _, level := range t.levels {
		if sibling := leaf ^ 1; sibling < len(level) {
			proof = append(proof, level[sibling])
		}
		leaf /= 2
	}
	return proof
}
