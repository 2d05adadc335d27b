package ledger_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// TestAFrontierIsEnoughForALog: with its frontier alone a log gets the hashes and the
// roots that it gets with all of its hashes at hand, also when the frontier is read again.
func TestAFrontierIsEnoughForALog(t *testing.T) {
	var all []ledger.Hash
	whole := tlog.HashReaderFunc(func(indexes []int64) (hashes []ledger.Hash, err error) {
		for _, index := range indexes {
			hashes = append(hashes, all[index])
		}
		return hashes, nil
	})
	var f ledger.Frontier
	for n := range int64(70) {
		text := fmt.Sprint("entry ", n)
		want, err := tlog.StoredHashes(n, []byte(text), whole)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ledger.ReadFrontier(n, whole)
		if err != nil {
			t.Fatal(err)
		}
		for name, frontier := range map[string]*ledger.Frontier{"kept": &f, "read": &read} {
			root, err := frontier.Root()
			if wanted, _ := tlog.TreeHash(n, whole); err != nil || root != wanted || frontier.Size != n {
				t.Errorf("%s, %d entries: root %v of %d, and not %v: %v", name, n, root, frontier.Size, wanted, err)
			}
			if hashes, err := frontier.Hashes(text); err != nil || fmt.Sprint(hashes) != fmt.Sprint(want) {
				t.Errorf("%s, entry %d: %v, and not %v: %v", name, n+1, hashes, want, err)
			}
		}
		f.Add(want)
		all = append(all, want...)
	}
}
