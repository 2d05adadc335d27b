package ledger_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/lobstrail/lobstrail/store/ledger"
)

func TestPruneLinesAreReadAsWritten(t *testing.T) {
	for _, p := range []ledger.Prune{
		{Workspace: "default", At: 1767593115123, Keep: ledger.Keep{WithinMS: 86400000, Hourly: 24, Daily: -1}, Responses: 3, Snapshots: 250},
		{Workspace: "a \"b\"\nc", Keep: ledger.Keep{Weekly: 5, Monthly: 12}},
	} {
		if got, err := ledger.ParsePrune(p.Line()); err != nil || got != p {
			t.Errorf("%q is read as %+v, %v", p.Line(), got, err)
		}
	}
	for _, line := range []string{"", "prune", ledger.Prune{}.Line() + " ", "prune 1 at 2"} {
		if p, err := ledger.ParsePrune(line); err == nil {
			t.Errorf("%q is read as %+v", line, p)
		}
	}
}

// TestThinningsNameWhatIsMissing takes random leaves out of pages.
func TestThinningsNameWhatIsMissing(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		n := 1 + random.Int64N(130)
		page, err := ledger.NewPage(n, leaves(n), nil)
		if err != nil {
			t.Fatal(err)
		}
		missing := map[int64]bool{random.Int64N(n): true}
		for range random.Int64N(n + 1) {
			missing[random.Int64N(n)] = true
		}
		want := ledger.Thinning{Response: random.Int64(), Gone: page.Gone(func(i int64) bool { return missing[i] })}
		got, err := ledger.ParseThinning(want.Line())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, %v", want.Line(), got, err)
		}
		named := map[int64]bool{}
		for _, g := range got.Gone {
			for leaf := g.First; leaf <= g.Last; leaf++ {
				named[leaf] = true
			}
		}
		if !reflect.DeepEqual(named, missing) {
			t.Errorf("%q names %v, want %v", want.Line(), named, missing)
		}
	}
	if line := (ledger.Thinning{Response: 812, Gone: []ledger.Leaves{{0, 36}, {38, 38}}}).Line(); line != "thinned 812 0-36,38" {
		t.Errorf("%q", line)
	}
	for _, line := range []string{"", "thinned", "thinned 1", "thinned 1 ", "thinned 1 2,", "thinned 1 3-2", "thinned 1 2,3",
		"thinned 1 2-3,4", "thinned 1 4,2", "thinned 1 2-2", "thinned x 2", "thinned 1 x", "thinned 1 2-x", "thinned 01 2", "thinned 1 2 3"} {
		if got, err := ledger.ParseThinning(line); err == nil {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}
