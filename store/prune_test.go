package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
)

// untouchedTables are all that a prune leaves as it is.
func untouchedTables() []string {
	kept := slices.DeleteFunc(slices.Clone(keptTables), func(table string) bool {
		return table == "snapshot" || table == "thinned" || table == "entry"
	})
	return slices.Concat(derived, allOf([]string{"workspace"}), allOf(kept), []string{
		`SELECT * FROM account_current ORDER BY workspace, account`,
		`SELECT * FROM account_versions ORDER BY workspace, account, version`,
		`SELECT * FROM changes ORDER BY workspace, account, version, kind, path`,
		`SELECT * FROM status_changes ORDER BY workspace, account, before`,
		`SELECT * FROM squid_assignments ORDER BY workspace, account, squid, from_before`,
		`SELECT * FROM limit_usage ORDER BY workspace, account, limit_name, seen_at`,
		`SELECT * FROM runs ORDER BY run`,
	})
}

// randomKeep is a random policy; one in four keeps nothing by choice.
func randomKeep(r *rand.Rand) store.Keep {
	if r.IntN(4) == 0 {
		return store.Keep{}
	}
	count := func() int { return max(store.Unlimited, r.IntN(12)-4) }
	return store.Keep{
		Within: time.Duration(r.IntN(3)*r.IntN(48)) * time.Hour,
		Hourly: max(-1, count()), Daily: max(0, count()), Weekly: max(0, count()), Monthly: max(0, count()),
	}
}

// TestPruneLeavesWhatFollowed prunes random histories by random policies, again and
// again. All that is derived stays as it is, also when it is derived again; what is
// thinned out is what the definition says, no more and no less; each response keeps
// its root, and the log only grows.
func TestPruneLeavesWhatFollowed(t *testing.T) {
	t.Parallel()
	arena := newArena(t)
	s, path, ctx := arena.store, arena.store.Path(), t.Context()
	var plays []*play
	for seed := range uint64(fewer(10, 2)) {
		p := newPlay(t, arena, 9000+seed)
		err := errors.Join(p.run(ctx), p.run(ctx))
		p.close()
		if err != nil {
			t.Fatal(err)
		}
		plays = append(plays, p)
	}
	before, random := dump(t, path, untouchedTables()), rand.New(rand.NewPCG(3, 4))
	thinned := int64(0)
	for round := range 3 {
		for _, p := range plays {
			keep := randomKeep(random)
			old, err := s.Tree(ctx)
			if err != nil {
				t.Fatal(err)
			}
			want := expectKept(t, path, p.workspace, keep)
			plan, err := s.PlanPrune(ctx, p.workspace, keep, nil)
			if err != nil {
				t.Fatal(err)
			}
			done, err := s.Prune(ctx, p.workspace, keep, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan.BytesBefore, plan.BytesAfter = done.BytesBefore, done.BytesAfter
			if fmt.Sprint(plan) != fmt.Sprint(done) {
				t.Errorf("%s: planned %v, done %v", p.workspace, plan, done)
			}
			want.compare(t, path, p.workspace, done)
			sameTree(t, s, old)
			thinned += done.Thinned
		}
		if after := dump(t, path, untouchedTables()); after != before {
			t.Fatalf("round %d: pruned:\n%.3000s", round, difference(before, after))
		}
		healthy(t, path)
		if err := s.Rederive(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if after := dump(t, path, untouchedTables()); after != before {
			t.Fatalf("round %d: derived again:\n%.3000s", round, difference(before, after))
		}
	}
	t.Logf("%d snapshots thinned out", thinned)
	if thinned == 0 {
		t.Error("nothing was thinned out")
	}
}

// sameTree checks that the log still has the tree it once had.
func sameTree(t *testing.T, s *store.Store, old tlog.Tree) {
	t.Helper()
	hash, err := s.RootOf(t.Context(), old.N)
	if err != nil || hash != old.Hash {
		t.Errorf("the tree of %d entries is now %v (%v), and was %v", old.N, hash, err, old.Hash)
	}
}

// TestSnapshotsAreThinnedByPruneAlone: no other statement deletes snapshots, or
// touches what stands for them.
func TestSnapshotsAreThinnedByPruneAlone(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	for hour := range 9 {
		take(t, s, start.Add(time.Duration(hour)*time.Hour), accountObject(``))
	}
	if done, err := s.Prune(t.Context(), "default", store.Keep{Hourly: 4}, nil); err != nil || done.Thinned != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, statement := range []string{`DELETE FROM snapshot`, `UPDATE snapshot SET document_id = 1`, `DELETE FROM thinned`,
		`UPDATE thinned SET size = 2`, `INSERT INTO thinned VALUES (1, 5, 1, zeroblob(32))`} {
		_, err := second(t, path).Exec(statement)
		if err == nil || !strings.Contains(err.Error(), "append-only") && !strings.Contains(err.Error(), "only prune") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// TestAResetThatStandsStill: the API says the same resets_in again and again, which
// moves no counter and still means another end each time it is looked at anew.
func TestAResetThatStandsStill(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	for minute, resets := range []string{"null", "100", "100", "100", "100", "null", "null", "null", "100", "100", "100"} {
		take(t, s, start.Add(time.Duration(minute)*45*time.Second), accountObject(`,"resets_in":`+resets))
	}
	before := dump(t, path, untouchedTables())
	for range 2 {
		if err := s.Rederive(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if after := dump(t, path, untouchedTables()); after != before {
			t.Fatal(difference(before, after))
		}
		if _, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s, `SELECT count(*) FROM snapshots`); n != 10 {
		t.Errorf("%d snapshots stay", n)
	}
}

// TestTheEndOfAnAbsenceStays, although nothing else followed from the snapshot.
func TestTheEndOfAnAbsenceStays(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	for hour := range 9 {
		when := start.Add(time.Duration(hour) * time.Hour)
		if hour != 4 {
			take(t, s, when, accountObject(``))
			continue
		}
		run, err := s.Begin(t.Context(), "default", store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Unlist(t.Context(), when, []string{accountObject(``).ID}); err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
			t.Fatal(err)
		}
	}
	before := dump(t, path, untouchedTables())
	done, err := s.Prune(t.Context(), "default", store.Keep{}, nil)
	if err != nil || done.Kept[store.KeepAbsence] != 1 || done.Thinned != 4 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := s.Rederive(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if after := dump(t, path, untouchedTables()); after != before {
		t.Error(difference(before, after))
	}
}
