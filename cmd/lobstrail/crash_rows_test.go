package main

import (
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// inspect checks a store whose writer may just have been killed.
func (c *trial) inspect(t *testing.T, h *home) {
	t.Helper()
	if o := h.run("runs"); c.older && o.code == exitFailed && strings.Contains(o.stderr, "store is older") {
		return
	}
	var runs []report.RunJSON
	h.read(&runs, "runs")
	snapshots := h.countByRun()
	for _, run := range runs {
		if !h.mayBe(run.State) {
			t.Errorf("run %d is %s, and nobody runs it", run.Run, run.State)
		}
		// Those that are gone have a snapshot too: one that says so. One that is
		// named may be known to be gone, if an earlier try found that.
		got := snapshots[run.Run]
		if c.thins {
			continue
		}
		if again := c.page == 1 && got == run.Captured+1; got != run.Captured+run.Gone && !again {
			t.Errorf("run %d counts %d captured and %d gone, and has %d snapshots", run.Run, run.Captured, run.Gone, got)
		}
		if run.State == store.Interrupted && run.Captured%c.page != 0 && run.Captured < run.Requested {
			t.Errorf("run %d of pages of %d has captured %d", run.Run, c.page, run.Captured)
		}
	}
	// What other rules derived is looked at when it is derived again.
	if o := h.run("verify"); o.code != exitDone && !(c.prepare != nil && strings.Contains(o.stderr, "derived by rules")) {
		t.Errorf("after a kill: %s", o)
	}
}

// naturalRows are the rows of every view by what identifies them for people, with
// all their values but the numbers of runs and the instants, which differ from one
// batch to the next.
var naturalRows = []string{
	`SELECT 'account' AS what, workspace, account, username, type, health, status, status_code_info,
		status_code_description, last_synchronization_time, squid_count, unlisted_since IS NULL, document
		FROM account_current ORDER BY workspace, account`,
	`SELECT 'version', workspace, account, version, valid_to IS NULL, health, status, status_code_info, username, type,
		document, squid_count FROM account_versions ORDER BY workspace, account, version`,
	`SELECT 'change', workspace, account, username, kind, path, old, new, after IS NULL, health_before, health_after, version
		FROM changes ORDER BY workspace, account, version, kind, path, old, new`,
	`SELECT 'step', workspace, account, username, status_before, status_after, info_before, info_after, health_before,
		health_after FROM status_changes ORDER BY workspace, account, before`,
	`SELECT 'assignment', workspace, squid, squid_name, account, username, from_after IS NULL, to_before IS NULL
		FROM squid_assignments ORDER BY workspace, squid, account, from_before`,
	`SELECT 'usage', workspace, account, limit_name, value, max, resets_at
		FROM limit_usage ORDER BY workspace, account, limit_name, seen_at`,
}

// rows are all that is compared after the operation.
func (c *trial) rows(h *home) []string {
	if c.thins {
		return append(everyRow(h), thinnedRows(h)...)
	}
	return everyRow(h)
}

// everyRow is all that a store tells.
func everyRow(h *home) (rows []string) {
	h.t.Helper()
	for _, query := range naturalRows {
		o := h.must(exitDone, "sql", "--format", "csv", query)
		rows = append(rows, strings.Split(o.stdout, "\n")[1:]...)
	}
	return rows
}
