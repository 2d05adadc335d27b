package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// keptTables are never altered; the last three only while they are derived again.
var keptTables = []string{"response", "account", "icon", "document", "snapshot", "usage", "failure", "run",
	"entry", "received", "version", "change", "status_step"}

func TestEvidenceIsAppendOnly(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	take(t, s, start, accountObject(`,"icon":"aa","params":{"user":{"p":{"value":1}}}`))
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Fail(t.Context(), 1, store.Failure{Kind: store.FailHTTP, Message: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Incomplete}); err != nil {
		t.Fatal(err)
	}
	take(t, s, start.Add(time.Hour), accountObject(`,"icon":"bb","params":{"user":{"p":{"value":2}}}`))
	db := second(t, path)
	if _, err := db.Exec(`UPDATE version SET valid_to = valid_to + 1 WHERE number = 1`); err == nil {
		t.Error("the end of a version was moved")
	}
	for _, table := range keptTables {
		var column string
		if err := db.QueryRow(`SELECT name FROM pragma_table_info(?) WHERE pk = 0 LIMIT 1`, table).Scan(&column); err != nil {
			t.Fatal(table, err)
		}
		for _, query := range []string{
			"DELETE FROM " + table,
			fmt.Sprintf("UPDATE %s SET %s = %s", table, column, column),
		} {
			if _, err := db.Exec(query); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", query, err)
			}
		}
	}
}

// TestAnAppendThatFailsLeavesNothing lets the database fail at each of the
// tables that an append writes to.
func TestAnAppendThatFailsLeavesNothing(t *testing.T) {
	for _, table := range []string{"response", "account", "icon", "document", "usage", "version", "change",
		"status_step", "squid", "assignment", "snapshot", "seen", "head", "failure", "run"} {
		t.Run(table, func(t *testing.T) {
			path := memoryPath(t)
			s := openStore(t, path, at(start))
			take(t, s, start, accountObject(``))
			run, err := s.Begin(t.Context(), "default", store.ScopeAll)
			if err != nil {
				t.Fatal(err)
			}
			db := second(t, path)
			before := dump(t, path, everything())
			verb := "INSERT"
			if table == "run" {
				verb = "UPDATE"
			}
			execute(t, db, fmt.Sprintf(`CREATE TRIGGER stop BEFORE %s ON %s BEGIN SELECT raise(ABORT, 'stop'); END`, verb, table))
			response := store.Response{
				Source: store.List, Sent: start, Received: start.Add(time.Hour), Requests: 1,
				Accounts: []store.Observed{accountObject(`,"f":1`), {
					ID: strings.Repeat("b", 32), Raw: []byte(`{"icon":"x","squids":[{"id":"s"}],"status":"401",
						"params":{"user":{"p":{"value":1}}}}`),
				}},
				Failures: []store.Failure{{Kind: store.FailDecode, Message: "x"}},
			}
			if _, err := run.Append(t.Context(), response); err == nil {
				t.Fatal("nothing failed")
			}
			execute(t, db, `DROP TRIGGER stop`)
			if after := dump(t, path, everything()); after != before {
				t.Errorf("something is left behind:\n%s", difference(before, after))
			}
			if done, err := run.Append(t.Context(), response); err != nil || done != (store.Appended{Changed: 2, Failed: 1}) {
				t.Errorf("the next try: %+v, %v", done, err)
			}
		})
	}
}
