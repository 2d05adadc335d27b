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
	arena := newArena(t)
	s, path, ctx := arena.store, arena.store.Path(), t.Context()
	var plays []*play
	for seed := range uint64(fewer(10, 4)) {
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

// reference is the definition of what stays, taken word for word.
type reference struct {
	kept    map[[2]int64]bool // by response and account
	total   int64
	reasons map[store.KeepReason]int64
}

func (want reference) compare(t *testing.T, path, workspace string, done store.Pruned) {
	t.Helper()
	got := map[[2]int64]bool{}
	for _, line := range snapshotRows(t, path, workspace) {
		got[[2]int64{line.response, line.account}] = true
	}
	for key := range want.kept {
		if !got[key] {
			t.Errorf("%s: response %d, account %d is gone", workspace, key[0], key[1])
		}
	}
	for key := range got {
		if !want.kept[key] {
			t.Errorf("%s: response %d, account %d stays", workspace, key[0], key[1])
		}
	}
	sum := done.Thinned
	for _, n := range done.Kept {
		sum += n
	}
	if sum != done.Snapshots || done.Snapshots != want.total || done.Thinned != want.total-int64(len(want.kept)) {
		t.Errorf("%s: %+v of %d, of which %d stay", workspace, done, want.total, len(want.kept))
	}
	for _, reason := range []store.KeepReason{store.KeepWithin, store.KeepHourly, store.KeepDaily, store.KeepWeekly, store.KeepMonthly} {
		if done.Kept[reason] != want.reasons[reason] {
			t.Errorf("%s: %d are kept by %s, want %d", workspace, done.Kept[reason], reason, want.reasons[reason])
		}
	}
}

// snapshotRow is a snapshot with what the definition asks about it.
type snapshotRow struct {
	response, account int64
	detail            bool
	received          int64
	version           int64 // the number of the version it is in
	followed          bool
}

// snapshotRows are the snapshots of a workspace, the oldest first.
func snapshotRows(t *testing.T, path, workspace string) (all []snapshotRow) {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	rows, err := db.Query(`
		SELECT s.response_id, s.account_id, r.source = 'detail', r.received_at,
			(SELECT max(number) FROM version v WHERE v.account_id = s.account_id AND v.response_id <= s.response_id),
			EXISTS (SELECT 1 FROM version x WHERE x.account_id = s.account_id AND x.response_id = s.response_id)
			OR EXISTS (SELECT 1 FROM document x WHERE x.account_id = s.account_id AND x.response_id = s.response_id)
			OR EXISTS (SELECT 1 FROM status_step x WHERE x.account_id = s.account_id AND x.response_id = s.response_id)
			OR EXISTS (SELECT 1 FROM received x WHERE x.account_id = s.account_id AND x.response_id = s.response_id)
			OR r.source <> 'detail' AND EXISTS (SELECT 1 FROM absence x WHERE x.account_id = s.account_id AND x.ended = r.received_at)
			OR 'null' <> coalesce((
				SELECT body FROM usage u
				WHERE u.account_id = s.account_id AND u.pointer = '/resets_in' AND u.response_id <= s.response_id
				ORDER BY u.response_id DESC LIMIT 1), 'null')
		FROM snapshot s
		JOIN response r ON r.id = s.response_id
		JOIN workspace w ON w.id = r.workspace_id
		WHERE w.name = ?
		ORDER BY s.response_id, s.account_id`, workspace)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r snapshotRow
		if err := rows.Scan(&r.response, &r.account, &r.detail, &r.received, &r.version, &r.followed); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// expectKept applies the definition to what is stored.
func expectKept(t *testing.T, path, workspace string, keep store.Keep) reference {
	t.Helper()
	all := snapshotRows(t, path, workspace)
	ref := reference{kept: map[[2]int64]bool{}, total: int64(len(all)), reasons: map[store.KeepReason]int64{}}
	newest := int64(0)
	for _, s := range all {
		newest = max(newest, s.received)
	}
	byAccount := map[int64][]snapshotRow{}
	for _, s := range all {
		byAccount[s.account] = append(byAccount[s.account], s)
	}
	for _, line := range byAccount {
		for i, s := range line {
			chosen := chosenBy(line, i, keep, newest)
			if must := mustStay(line, i); must || chosen != "" {
				ref.kept[[2]int64{s.response, s.account}] = true
				if !must {
					ref.reasons[chosen]++
				}
			}
		}
	}
	return ref
}

// mustStay reports whether the definition keeps the snapshot whatever is chosen.
func mustStay(line []snapshotRow, i int) bool {
	if followed(line, i) {
		return true
	}
	for later := i + 1; later < len(line) && !followed(line, later); later++ {
		if line[later].detail == line[i].detail {
			return false
		}
	}
	return true // the endpoint's newest, or its last before a snapshot from which something followed
}

// followed reports whether something followed from the snapshot, or it is the
// endpoint's first in a version.
func followed(line []snapshotRow, i int) bool {
	return line[i].followed || !slices.ContainsFunc(line[:i], func(o snapshotRow) bool {
		return o.detail == line[i].detail && o.version == line[i].version
	})
}

// chosenBy is the choice that keeps the snapshot; "" for none.
func chosenBy(line []snapshotRow, i int, keep store.Keep, newest int64) store.KeepReason {
	s := line[i]
	if keep.Within > 0 && s.received >= newest-keep.Within.Milliseconds() {
		return store.KeepWithin
	}
	for _, period := range []struct {
		reason store.KeepReason
		count  int
		name   func(time.Time) string
	}{
		{store.KeepHourly, keep.Hourly, func(at time.Time) string { return at.Format("2006-01-02 15") }},
		{store.KeepDaily, keep.Daily, func(at time.Time) string { return at.Format("2006-01-02") }},
		{store.KeepWeekly, keep.Weekly, func(at time.Time) string { y, w := at.ISOWeek(); return fmt.Sprint(y, w) }},
		{store.KeepMonthly, keep.Monthly, func(at time.Time) string { return at.Format("2006-01") }},
	} {
		name := func(s snapshotRow) string { return period.name(time.UnixMilli(s.received).UTC()) }
		later := map[string]bool{}
		for _, o := range line[i+1:] {
			later[name(o)] = true
		}
		if !later[name(s)] && (period.count < 0 || len(later) < period.count) {
			return period.reason
		}
	}
	return ""
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
