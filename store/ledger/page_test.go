package ledger_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

func leaf(i int64) ledger.Hash {
	return tlog.RecordHash(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

func leaves(n int64) []ledger.Hash {
	all := make([]ledger.Hash, n)
	for i := range all {
		all[i] = leaf(int64(i))
	}
	return all
}

// tree is the root that golang.org/x/mod/sumdb/tlog has for the leaves.
func tree(t *testing.T, n int64) ledger.Hash {
	t.Helper()
	var stored []ledger.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) (hashes []ledger.Hash, err error) {
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	for i := range n {
		more, err := tlog.StoredHashesForRecordHash(i, leaf(i), read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(n, read)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// TestPages: the roots and proofs of pages are those of RFC 6962, also after leaves
// were exchanged.
func TestPages(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for n := int64(1); n < 140; n++ {
		page, want := ledger.NewPageTree(leaves(n)), tree(t, n)
		if page.Root() != want || page.Size() != int(n) {
			t.Errorf("%d leaves: root %v, want %v", n, page.Root(), want)
		}
		for i := range n {
			if err := tlog.CheckRecord(page.Prove(int(i)), n, want, i, leaf(i)); err != nil || page.Leaf(int(i)) != leaf(i) {
				t.Errorf("%d leaves: leaf %d: %v", n, i, err)
			}
		}
		changed := leaves(n)
		for range random.IntN(5) {
			i := random.IntN(int(n))
			changed[i] = leaf(random.Int64())
			page.Set(i, changed[i])
		}
		if again := ledger.NewPageTree(changed); page.Root() != again.Root() {
			t.Errorf("%d leaves: root %v after leaves were exchanged, want %v", n, page.Root(), again.Root())
		}
	}
	if root := ledger.NewPageTree(nil).Root(); root != (ledger.Hash{}) {
		t.Errorf("an empty page has the root %v", root)
	}
}
