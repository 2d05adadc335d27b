package verify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/store/fold"
)

// derived compares derived rows with what follows from each response.
type derived struct {
	check       *check
	versionRows *fold.Cursor[Version]
	changes     *fold.Cursor[fold.Change]
	steps       *fold.Cursor[fold.Step]
	names       *fold.Cursor[fold.SquidName]
	assignments *fold.Cursor[fold.Assignment]
	until       map[int64]Version            // the current version of each account
	open        map[[2]int64]fold.Assignment // as they are stored, by squid and account
	relisted    map[[2]int64]int64           // when absences ended, by account and beginning
	redacted    map[int64]bool
	squids      map[int64]bool // numbers of those that accounts had
	versions    int64
	// hidden are the accounts that were redacted of which there are rows of the instant
	// at hand.
	hidden map[int64]bool
	ended  map[int64][]int64 // accounts that were redacted, by the instants at which lists showed them again
}

func (c *check) newDerived() (*derived, error) {
	d := &derived{
		check: c, until: map[int64]Version{}, open: map[[2]int64]fold.Assignment{}, relisted: map[[2]int64]int64{},
		redacted: c.rows.Redacted, squids: map[int64]bool{}, hidden: map[int64]bool{}, ended: map[int64][]int64{},
	}
	for a, err := range c.rows.Absences {
		if err != nil {
			return nil, err
		}
		if d.redacted[a.Account] && a.Ended != 0 {
			d.ended[a.Ended] = append(d.ended[a.Ended], a.Account)
		}
	}
	for g, err := range c.rows.Assignments {
		if err != nil {
			return nil, err
		}
		if d.redacted[g.Account] {
			d.squids[g.Squid] = true
		}
	}
	d.versionRows, d.changes, d.steps = fold.NewCursor(c.rows.Versions), fold.NewCursor(c.rows.Changes), fold.NewCursor(c.rows.Steps)
	d.names, d.assignments = fold.NewCursor(c.rows.Names), fold.NewCursor(c.rows.Assignments)
	return d, nil
}

func (d *derived) stop() {
	d.versionRows.Stop()
	d.changes.Stop()
	d.steps.Stop()
	d.names.Stop()
	d.assignments.Stop()
}

// response compares the rows of the instant of a response.
func (d *derived) response(at int64, delta *fold.Delta) error {
	clear(d.hidden)
	for _, account := range d.ended[at] {
		d.hidden[account] = true
	}
	if err := d.version(at, delta); err != nil {
		return err
	}
	if err := compareAt(d, d.changes, changeTable, at, delta.Changes); err != nil {
		return err
	}
	if err := compareAt(d, d.steps, stepTable, at, delta.Steps); err != nil {
		return err
	}
	if err := compareAt(d, d.names, nameTable, at, delta.Names); err != nil {
		return err
	}
	for _, q := range delta.Squids {
		d.check.find("squid", q.ID, "it is missing")
	}
	for _, a := range delta.Relisted {
		d.relisted[[2]int64{a.Account, a.Since}] = a.Ended
	}
	return d.assigned(at, delta)
}

// version compares the versions that began, and the ends of those before them.
func (d *derived) version(at int64, delta *fold.Delta) error {
	for _, v := range delta.Versions {
		d.versions++
		if before, followed := d.until[v.Account]; followed && before.Until != at {
			d.check.find("version", versionTable.row(before), "it ends at %s, and the next one begins at %d", orNone(before.Until), at)
		}
	}
	rows, err := takeAt(d, d.versionRows, versionTable, at)
	if err != nil {
		return err
	}
	for _, v := range rows {
		d.until[v.Account] = v
	}
	follow := make([]Version, len(delta.Versions))
	for i, v := range delta.Versions {
		follow[i] = Version{Version: v, SquidCount: int64(len(v.Facts.Squids))}
	}
	compare(d, versionTable, rows, follow)
	return nil
}

// assigned compares the assignments that began, and those that ended.
func (d *derived) assigned(at int64, delta *fold.Delta) error {
	row := assignmentTable.row
	rows, err := takeAt(d, d.assignments, assignmentTable, at)
	if err != nil {
		return err
	}
	for _, g := range delta.Ended {
		pair := [2]int64{g.Squid, g.Account}
		stored := d.open[pair]
		delete(d.open, pair)
		if stored.FromBefore == g.FromBefore && (stored.ToAfter != g.ToAfter || stored.ToBefore != g.ToBefore) {
			d.check.find("assignment", row(g), "it ends in (%s, %s], and not in (%d, %d]", orNone(stored.ToAfter), orNone(stored.ToBefore), g.ToAfter, g.ToBefore)
		}
	}
	for _, g := range rows {
		pair := [2]int64{g.Squid, g.Account}
		if _, already := d.open[pair]; already {
			d.check.find("assignment", row(g), "it begins before another one has ended")
		}
		d.open[pair] = g
	}
	for _, g := range delta.Assignments {
		d.squids[g.Squid] = true
	}
	compare(d, assignmentTable, rows, delta.Assignments)
	return nil
}

// end looks for rows that belong to no response, and for ends that did not come.
func (d *derived) end(*fold.Workspace) error {
	const never = 1<<63 - 1
	if err := d.response(never, &fold.Delta{}); err != nil {
		return err
	}
	for _, v := range d.until {
		if v.Until != 0 {
			d.check.find("version", versionTable.row(v), "it ends at %d, and is the current one", v.Until)
		}
	}
	for key, g := range d.open {
		if (g.ToBefore != 0 || g.ToAfter != 0) && !d.redacted[key[1]] {
			d.check.find("assignment", assignmentTable.row(g), "it ended, and the evidence says that it lasts")
		}
	}
	for _, number := range d.check.rows.Evidence.Squids {
		if !d.squids[number] {
			d.check.find("squid", number, "no account had it")
		}
	}
	return nil
}

func compareAt[Row any](d *derived, c *fold.Cursor[Row], t table[Row], at int64, follow []Row) error {
	rows, err := takeAt(d, c, t, at)
	if err == nil {
		compare(d, t, rows, follow)
	}
	return err
}

// takeAt reads the rows of an instant, without those of accounts that were redacted:
// they do not follow from evidence any more. Rows of earlier instants belong to no
// response.
func takeAt[Row any](d *derived, c *fold.Cursor[Row], t table[Row], at int64) (rows []Row, err error) {
	for ; c.OK; c.Step() {
		rowAt, account, _ := t.key(c.Next)
		switch {
		case rowAt > at:
			return rows, nil
		case d.redacted[account]:
			if rowAt == at {
				d.hidden[account] = true
			}
		case rowAt < at:
			d.check.find(t.name, t.row(c.Next), "it does not follow from the evidence: there is no response of that instant")
		default:
			rows = append(rows, c.Next)
		}
	}
	return rows, c.Err
}

// compare compares rows with those that follow from a response.
func compare[Row any](d *derived, t table[Row], stored, follow []Row) {
	order := func(a, b Row) int {
		_, account, more := t.key(a)
		_, otherAccount, otherMore := t.key(b)
		return cmp.Or(cmp.Compare(account, otherAccount), cmp.Compare(more, otherMore))
	}
	if !slices.IsSortedFunc(follow, order) {
		follow = slices.SortedFunc(slices.Values(follow), order)
	}
	slices.SortFunc(stored, order)
	for len(stored)+len(follow) > 0 {
		switch {
		case len(follow) == 0 || len(stored) > 0 && order(stored[0], follow[0]) < 0:
			d.check.find(t.name, t.row(stored[0]), "it does not follow from the evidence")
			stored = stored[1:]
		case len(stored) == 0 || order(stored[0], follow[0]) > 0:
			d.check.find(t.name, t.row(follow[0]), "it is missing")
			follow = follow[1:]
		default:
			if problem := difference(t.fields(stored[0]), t.fields(follow[0])); problem != "" {
				d.check.find(t.name, t.row(stored[0]), "it is not as it follows from the evidence: %s", problem)
			}
			stored, follow = stored[1:], follow[1:]
		}
	}
}

// orNone is an instant, of which 0 stands for none.
func orNone(at int64) string {
	if at == 0 {
		return none
	}
	return fmt.Sprint(at)
}
