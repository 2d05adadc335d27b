package ledger_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// TestPrunesNameWhatTheyDropped takes random numbers out of a log.
func TestPrunesNameWhatTheyDropped(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var want []int64
		for n := int64(1); len(want) < 40; n += 1 + random.Int64N(2)*random.Int64N(9) {
			want = append(want, n)
		}
		p := ledger.Prune{Entries: ledger.Ranges(want[:20]), Responses: ledger.Ranges(want[20:])}
		got, err := ledger.ParsePrune(p.Line())
		if diff := cmp.Diff(p, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", p.Line(), err, diff)
		}
		var named []int64
		for _, r := range slices.Concat(got.Entries, got.Responses) {
			for n := r.First; n <= r.Last; n++ {
				named = append(named, n)
			}
		}
		if !slices.Equal(named, want) {
			t.Errorf("%q names %v, want %v", p.Line(), named, want)
		}
	}
}

func TestWhatIsNoPruneIsRefused(t *testing.T) {
	const line = "prune 1 within 0 hourly 0 daily 0 weekly 0 monthly 0 snapshots 2 entries "
	if _, err := ledger.ParsePrune(line + "1-3,5 responses -"); err != nil {
		t.Error(err)
	}
	for _, rest := range []string{
		"", "-", "- responses ", "1, responses -", "3-2 responses -", "2,3 responses -", "2-3,4 responses -", "4,2 responses -",
		"2-2 responses -", "x responses -", "2-x responses -", "02 responses -", "2 3 responses -", "- responses - ", "-,1 responses -",
		"- responses 9-9",
	} {
		if p, err := ledger.ParsePrune(line + rest); err == nil {
			t.Errorf("%q is read as %+v", line+rest, p)
		}
	}
}
