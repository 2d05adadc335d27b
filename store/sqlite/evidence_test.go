package sqlite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// keptTables are never altered, but by a prune or a redaction.
var keptTables = []string{"response", "account", "name", "value", "icon", "fact", "usage", "failure", "run", "entry"}

func TestEvidenceIsAppendOnly(t *testing.T) {
	path := memoryPath(t)
	s := openStore(t, path, at(start))
	take(t, s, start, accountObject(`,"icon":"aa","params":{"user":{"p":{"value":1}}}`), smallObject(1, ``))
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
	for query, want := range map[string]string{
		`DELETE FROM shown`: "append-only", `UPDATE shown SET last = 7 WHERE last < 9223372036854775807`: "a stay ends once",
	} {
		if _, err := db.Exec(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
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
	for _, table := range []string{"response", "account", "icon", "name", "value", "fact", "usage", "shown", "version", "change",
		"status_step", "squid", "squid_name", "assignment", "state", "said", "body", "counter", "failure", "run", "entry"} {
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
						"params":{"user":{"p":{"value":1}}},"note":"a text that is too long to stand in the row of its fact"}`),
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
