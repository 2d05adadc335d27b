package ledger

import (
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Root is the hash of the Merkle tree with these leaves, which it overwrites; zero
// for none.
func Root(leaves []Hash) Hash {
	if len(leaves) == 0 {
		return Hash{}
	}
	// Level by level: a lone hash at the end moves up as it is, which is the tree of
	// RFC 6962.
	for n := len(leaves); n > 1; n = (n + 1) / 2 {
		for i := 0; i+1 < n; i += 2 {
			leaves[i/2] = tlog.NodeHash(leaves[i], leaves[i+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1]
		}
	}
	return leaves[0]
}

// Thinned is a whole subtree of a [Page] of which all snapshots were thinned out.
// Its hash stands for them.
type Thinned struct {
	First, Size int64 // its leaves
	Hash        Hash
}

// Page is the Merkle tree over the snapshots of one response, in the order of
// their rows. Some may have been thinned out.
type Page struct {
	size  int64
	known map[span]node
	there []int64 // the leaves that are there
}

// node is a leaf that is there, or a subtree that was thinned out.
type node struct {
	hash  Hash
	there bool
}

// span is the leaves from lo up to, without, hi.
type span struct{ lo, hi int64 }

// halves are where the tree over the span divides: at the largest power of two
// below its length (RFC 6962, section 2.1).
func (s span) halves() (left, right span) {
	at := s.lo + 1<<(bits.Len64(uint64(s.hi-s.lo-1))-1)
	return span{s.lo, at}, span{at, s.hi}
}

// maxPage bounds what is believed of the size of a page.
const maxPage = 1 << 24

// NewPage is the page that showed size snapshots, of which those with these leaves
// are there, and the others were thinned out. It fails when they do not make a
// page.
func NewPage(size int64, there []Hash, thinned []Thinned) (*Page, error) {
	if size < 0 || size > maxPage {
		return nil, fmt.Errorf("a response cannot have shown %d accounts", size)
	}
	p := &Page{size: size, known: make(map[span]node, len(there)+len(thinned))}
	for next := int64(0); next < size; {
		if len(thinned) > 0 && thinned[0].First == next {
			t := thinned[0]
			if t.Size < 1 || t.Size > size-next || !p.isSubtree(span{next, next + t.Size}) {
				return nil, fmt.Errorf("%d snapshots cannot have been thinned out from number %d on", t.Size, next)
			}
			p.known[span{next, next + t.Size}] = node{hash: t.Hash}
			next += t.Size
			thinned = thinned[1:]
			continue
		}
		if len(there) == 0 {
			return nil, fmt.Errorf("of %d snapshots, number %d is missing", size, next)
		}
		p.known[span{next, next + 1}] = node{there[0], true}
		p.there = append(p.there, next)
		there = there[1:]
		next++
	}
	if len(there)+len(thinned) > 0 {
		return nil, fmt.Errorf("there are more than %d snapshots", size)
	}
	return p, nil
}

// isSubtree reports whether the tree has a node over the span, which is within the
// page. Spans that are none would make the hash of the page one of millions of leaves.
func (p *Page) isSubtree(s span) bool {
	for at := (span{0, p.size}); at != s; {
		left, right := at.halves()
		switch {
		case s.hi <= left.hi:
			at = left
		case s.lo >= right.lo:
			at = right
		default:
			return false
		}
	}
	return true
}

// There are the numbers of the leaves that are there, from 0.
func (p *Page) There() []int64 { return p.there }

// Root is the hash of the whole tree; zero for an empty page.
func (p *Page) Root() Hash {
	if p.size == 0 {
		return Hash{}
	}
	return p.hash(span{0, p.size})
}

// hash is the hash of a subtree.
func (p *Page) hash(s span) Hash {
	if node, known := p.known[s]; known || s.hi-s.lo < 2 {
		return node.hash
	}
	left, right := s.halves()
	return tlog.NodeHash(p.hash(left), p.hash(right))
}

// Prove proves that the leaf of that number is in the tree; see tlog.CheckRecord.
func (p *Page) Prove(leaf int64) tlog.RecordProof {
	proof := tlog.RecordProof{}
	for s := (span{0, p.size}); s.hi-s.lo > 1; {
		left, right := s.halves()
		if leaf >= left.hi {
			left, right = right, left
		}
		proof = append(proof, p.hash(right))
		s = left
	}
	slices.Reverse(proof) // from the leaf up
	return proof
}

// Thin answers what stands in the place of snapshots when those of these numbers
// are thinned out too.
func (p *Page) Thin(drop func(leaf int64) bool) []Thinned {
	thinned, whole := p.thin(span{0, p.size}, drop)
	if whole && p.size > 0 {
		return []Thinned{{0, p.size, p.Root()}}
	}
	return thinned
}

// thin is Thin for a subtree. It answers nothing but that when all of it is
// thinned out.
func (p *Page) thin(s span, drop func(int64) bool) (thinned []Thinned, whole bool) {
	if node, known := p.known[s]; known || s.hi-s.lo < 2 {
		return nil, !node.there || drop(s.lo)
	}
	left, right := s.halves()
	onLeft, wholeLeft := p.thin(left, drop)
	onRight, wholeRight := p.thin(right, drop)
	switch {
	case wholeLeft && wholeRight:
		return nil, true
	case wholeLeft:
		onLeft = []Thinned{{left.lo, left.hi - left.lo, p.hash(left)}}
	case wholeRight:
		onRight = []Thinned{{right.lo, right.hi - right.lo, p.hash(right)}}
	}
	return append(onLeft, onRight...), false
}
