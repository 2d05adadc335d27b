package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

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
