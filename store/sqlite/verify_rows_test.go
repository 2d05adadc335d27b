package sqlite_test

import (
	"fmt"
	"strings"
	"testing"
)

// unprovable are the columns of which nothing says what they must be. A digest of an
// object as it was received cannot be made again, for those bytes are not kept. While a
// run goes on, no entry has what it counts, and its requests and clocks do not follow
// from its responses.
func (c cell) unprovable() bool {
	running := c.table == "run" && c.key["ws"] == "1" && c.key["id"] == "4"
	return c.table == "said" && c.column == "digest" || running && strings.Contains("requests held_ms skew_ms", c.column)
}

// TestEveryValueIsVerified changes a value in each column of each table, at random; with -long,
// each value in turn.
func TestEveryValueIsVerified(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	f := newForger(t, path)
	forged, tables, columns := 0, map[string]int{}, map[string]int{}
	for _, c := range f.sample() {
		column := c.table + "." + c.column
		for _, forgery := range shuffled(c.forgeries()) {
			if !*long && (columns[column] > 0 || testing.Short() && forged > 60) || c.unprovable() {
				continue
			}
			statement := fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s AND %[2]s IS NOT %[3]s", c.table, c.column, forgery, c.where)
			if !f.forge(statement) {
				continue
			}
			forged++
			columns[column]++
			tables[c.table]++
			switch findings := f.found(); {
			case len(findings) == 0:
				t.Errorf("not found: %s", statement)
			case !c.named(findings):
				t.Errorf("%s %v is not named after %s: %v", c.table, c.key, statement, findings)
			}
		}
	}
	t.Logf("%d values changed: %v", forged, tables)
}

// TestAnOutdatedStatusIsVerified: whether the status that is known is out of date.
func TestAnOutdatedStatusIsVerified(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	smallStore(t, path)
	f := newForger(t, path)
	if !f.forge(`UPDATE state SET outdated = 1 - outdated WHERE ws = 1 AND account = 1`) || len(f.found()) == 0 {
		t.Error("it was changed, and not found")
	}
}
