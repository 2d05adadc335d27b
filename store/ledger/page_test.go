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

func TestRootsAreThoseOfRFC6962(t *testing.T) {
	for n := int64(1); n < 140; n++ {
		want := tree(t, n)
		if got := ledger.Root(leaves(n)); got != want {
			t.Errorf("%d leaves: root %v, want %v", n, got, want)
		}
		p, err := ledger.NewPage(n, leaves(n), nil)
		if err != nil || p.Root() != want {
			t.Errorf("%d leaves: page %v, %v, want %v", n, p.Root(), err, want)
		}
	}
	if ledger.Root(nil) != (ledger.Hash{}) {
		t.Error("an empty page has a root")
	}
}

// TestThinnedPagesKeepTheirRoot thins pages again and again: the root stays, what
// is there can be proven, and what stands for the rest is no more than it need be.
func TestThinnedPagesKeepTheirRoot(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 1 + random.Int64N(130)
		want := tree(t, n)
		page, err := ledger.NewPage(n, leaves(n), nil)
		if err != nil {
			t.Fatal(err)
		}
		gone := map[int64]bool{}
		for range 4 {
			for range random.Int64N(n + 1) {
				gone[random.Int64N(n)] = true
			}
			if random.IntN(8) == 0 {
				for i := range n {
					gone[i] = true
				}
			}
			thinned := page.Thin(func(i int64) bool { return gone[i] })
			var there []ledger.Hash
			for i := range n {
				if !gone[i] {
					there = append(there, leaf(i))
				}
			}
			if page, err = ledger.NewPage(n, there, thinned); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if page.Root() != want {
				t.Fatalf("seed %d: %d of %d leaves: root %v, want %v", seed, len(there), n, page.Root(), want)
			}
			for at, i := range page.There() {
				if err := tlog.CheckRecord(page.Prove(i), n, want, i, there[at]); err != nil {
					t.Fatalf("seed %d: leaf %d of %d: %v", seed, i, n, err)
				}
			}
			covered := int64(len(there))
			for _, s := range thinned {
				covered += s.Size
			}
			if covered != n || len(gone) == int(n) && len(thinned) != 1 {
				t.Fatalf("seed %d: %d of %d leaves are accounted for, by %d subtrees", seed, covered, n, len(thinned))
			}
		}
	}
}

func TestWhatIsNoPageIsRefused(t *testing.T) {
	h := leaf(1)
	for name, c := range map[string]struct {
		size    int64
		there   []ledger.Hash
		thinned []ledger.Thinned
	}{
		"negative":           {-1, nil, nil},
		"huge":               {1 << 40, nil, []ledger.Thinned{{First: 0, Size: 1 << 40, Hash: h}}},
		"one missing":        {3, leaves(2), nil},
		"one too many":       {2, leaves(3), nil},
		"thinned beyond":     {2, nil, []ledger.Thinned{{First: 0, Size: 3, Hash: h}}},
		"thinned twice":      {2, nil, []ledger.Thinned{{First: 0, Size: 2, Hash: h}, {First: 0, Size: 2, Hash: h}}},
		"thinned by nothing": {1, nil, []ledger.Thinned{{First: 0, Size: 0, Hash: h}}},
		"thinned at an end":  {1, leaves(1), []ledger.Thinned{{First: 1, Size: 1, Hash: h}}},
		"thinned by no subtree": {1 << 24, nil, []ledger.Thinned{
			{First: 0, Size: 1<<23 - 1, Hash: h}, {First: 1<<23 - 1, Size: 1<<23 + 1, Hash: h}}},
		"thinned out of turn": {3, leaves(1), []ledger.Thinned{{First: 2, Size: 1, Hash: h}, {First: 0, Size: 1, Hash: h}}},
	} {
		if _, err := ledger.NewPage(c.size, c.there, c.thinned); err == nil {
			t.Errorf("%s: taken for a page", name)
		}
	}
}
