package sqlite_test

import (
	"slices"
	"testing"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// TestDerivedAgainRowForRow derives random histories again, by asking for it and
// by opening the store with newer rules.
func TestDerivedAgainRowForRow(t *testing.T) {
	t.Parallel()
	for seed := range uint64(fewer(8, 2)) {
		path := memoryPath(t)
		c := newChronicle(t, path, 5000+seed)
		c.live(40)
		before := dump(t, path, everything())
		execute(t, second(t, path), `DELETE FROM counter; DELETE FROM state; DELETE FROM body; UPDATE version SET username = 'x'`)
		c.must(c.store.Rederive(t.Context(), nil))
		if after := dump(t, path, everything()); after != before {
			t.Errorf("seed %d, asked for:\n%.3000s", seed, difference(before, after))
		}
		healthy(t, path)
		c.must(c.store.Close())
		newer := writer(start)
		newer.Rules.Version++
		calls := 0
		newer.Rules.Compare = func(old, new store.State) (store.Facts, []store.Change, error) {
			calls++
			return report.Compare(old, new)
		}
		for range 2 {
			s, _, err := sqlite.OpenWriter(t.Context(), path, newer)
			c.must(err)
			c.must(s.Close())
		}
		if calls == 0 {
			t.Error("newer rules derived nothing")
		}
		if after := dump(t, path, everything()); after != before {
			t.Errorf("seed %d, by newer rules:\n%.3000s", seed, difference(before, after))
		}
	}
}

// TestOtherRulesFindOtherNews: rules that find a change where there was none let a
// version begin with a response that had brought nothing; the views show its changes, and
// it verifies.
func TestOtherRulesFindOtherNews(t *testing.T) {
	path := memoryPath(t)
	closed := writer(start)
	closed.Rules.Compare = func(old, new store.State) (store.Facts, []store.Change, error) {
		facts, changes, err := report.Compare(old, new)
		if len(changes) > 0 && old.Known != nil {
			changes = changes[:0] // these rules see the first sight only
		}
		return facts, changes, err
	}
	s, _, err := sqlite.OpenWriter(t.Context(), path, closed)
	if err != nil {
		t.Fatal(err)
	}
	h := &smallHistory{t, s, start}
	one, other := smallObject(1, `,"note":"a"`), smallObject(1, `,"note":"b"`)
	for _, page := range []store.Response{h.page(store.List, 1, one), h.page(store.Detail, 0, other), h.page(store.List, 1, one)} {
		h.finish(h.begin("default", page))
	}
	if news := rowsOf(t, path, `SELECT news FROM response ORDER BY at`); !slices.Equal(news, []string{"1", "1", "0"}) {
		t.Fatalf("news before: %v", news)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open := writer(start)
	open.Rules.Version++
	if s, _, err = sqlite.OpenWriter(t.Context(), path, open); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	findings := 0
	if _, err := s.Verify(t.Context(), store.VerifyOptions{}, func(f store.Finding) { findings++; t.Error(f) }); err != nil || findings > 0 {
		t.Error(err)
	}
	if got := len(rowsOf(t, path, `SELECT count(*) FROM changes WHERE path = '/note' GROUP BY before`)); got != 2 {
		t.Errorf("%d responses changed the note", got)
	}
}
