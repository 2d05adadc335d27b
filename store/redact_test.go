package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// redactAll redacts some accounts of a store, one after the other.
func redactAll(t *testing.T, s *store.Store, workspace string, accounts ...string) {
	t.Helper()
	for _, id := range accounts {
		done, err := s.Redact(t.Context(), workspace, id)
		if err != nil || !strings.HasPrefix(done.Name, "redacted:") {
			t.Fatalf("%s: %+v, %v", id, done, err)
		}
	}
}

// TestRedactLeavesTheRest redacts accounts of random histories. Everything still
// verifies; derived again it is the same, to the numbers of the rows; of the others
// everything is as it was; and the log only grew.
func TestRedactLeavesTheRest(t *testing.T) {
	t.Parallel()
	arena := newArena(t)
	s, path, ctx := arena.store, arena.store.Path(), t.Context()
	for seed := range uint64(fewer(8, 3)) {
		p := newPlay(t, arena, 7000+seed)
		err := p.run(ctx)
		p.close()
		if err != nil {
			t.Fatal(err)
		}
		ids := p.world.Accounts(start.Add(10 * 24 * time.Hour))
		old, err := s.Tree(ctx)
		if err != nil {
			t.Fatal(err)
		}
		before := dump(t, path, othersOf(nil))
		var gone []string
		for i, id := range ids {
			if i%2 == int(seed%2) {
				gone = append(gone, id)
			}
		}
		kept := dump(t, path, othersOf(gone))
		redactAll(t, s, p.workspace, gone...)
		if after := dump(t, path, othersOf(gone)); after != kept || len(gone) > 0 && before == kept {
			t.Fatalf("seed %d: others changed:\n%.3000s", seed, difference(kept, after))
		}
		sameTree(t, s, old)
		healthy(t, path)
		derivedOnce := dump(t, path, everything())
		if err := s.Rederive(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if after := dump(t, path, everything()); after != derivedOnce {
			t.Fatalf("seed %d: derived again:\n%.3000s", seed, difference(derivedOnce, after))
		}
		if _, err := s.Prune(ctx, p.workspace, randomKeep(p.rand), nil); err != nil {
			t.Fatal(err)
		}
		healthy(t, path)
		// The history goes on, without them.
		l := newLane(t, arena, p.workspace, p.world)
		p.world.Clock().Advance(time.Hour)
		if run, err := l.snapshot(ctx); err != nil || run.State != store.Complete {
			t.Fatalf("%+v, %v", run, err)
		}
		l.close()
		healthy(t, path)
		if t.Failed() {
			return
		}
	}
}

// othersOf are all that the views tell of accounts but these.
func othersOf(accounts []string) (queries []string) {
	list, _ := json.Marshal(append([]string{""}, accounts...))
	for _, view := range []string{"account_current", "account_versions", "changes", "status_changes", "squid_assignments",
		"limit_usage", "snapshots"} {
		queries = append(queries, fmt.Sprintf(
			`SELECT * FROM %s WHERE account NOT IN (SELECT value FROM json_each('%s')) ORDER BY 1, 2, 3, 4, 5, 6`, view, list))
	}
	return queries
}

// person is an account whose every value can be found again. The shared icon is
// shown by another one too.
const person = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func personObject(state int) store.Observed {
	// The first is no code; the second would be one, but for the username in it.
	info := []string{"blocked: Zoë-Quillfeather", "quillfeather4_blocked", "synchronized"}[state/2%3]
	return store.Observed{ID: person, Raw: fmt.Appendf(nil, `{"id":%q,"username":%s,"type":"linkedin-sync",
		"status":"%d","status_code_info":%q,"status_code_description":"DESCR-8841 of Quillfeather",
		"email":"zoe@quillfeather.example","note%d":"NOTE-5512","icon":"SUNOTE-ICON-%d","squids":[{"id":"s1","name":"Squid"}],
		"cookies":[{"name":"COOKIE-77","required":true}],
		"params":{"user":{"LIMIT-31":{"max":55501,"value":66601%d,"timestamp":777010}}}}`,
		person, []string{`"Zo\u00eb-Quillfeather0"`, `"Quillfeather4"`, `"Zo\u00eb-Quillfeather2"`}[state/2%3], 200+state%2*201,
		info, state, state/2, state)}
}

// marks are what must not be found anywhere.
var personMarks = []string{"uillfeather", `Zo\u00eb`, "Zoë", "DESCR-8841", "NOTE-5512", "SUNOTE-ICON", "COOKIE-77", "LIMIT-31", "55501", "66601", "777010"}

func redactLab(t *testing.T, path string) *store.Store {
	t.Helper()
	s := openStore(t, path, at(start))
	other := accountObject(`,"icon":"SHARED","squids":[{"id":"s1","name":"Squid"}]`)
	for state := range 6 {
		when := start.Add(time.Duration(state) * time.Hour)
		run, err := s.Begin(t.Context(), "default", store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Append(t.Context(), store.Response{
			Source: store.List, Sent: when, Received: when.Add(time.Second), Accounts: []store.Observed{personObject(state), other},
			Failures: []store.Failure{{Account: person, Kind: store.FailDecode, Message: "cannot read NOTE-5512"},
				{Kind: store.FailDecode, Message: "page of zoë-Quillfeather0 is odd"}, {Kind: store.FailHTTP, Message: "keep me"}},
		})
		if err = errors.Join(err, run.Finish(t.Context(), store.Outcome{State: store.Complete})); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestRedactErasesEveryByte looks for what was known of a person in all files,
// while the store is open and when it is closed.
func TestRedactErasesEveryByte(t *testing.T) {
	path := filepath.Join(labFolder(t), "store.db")
	s := redactLab(t, path)
	for _, mark := range personMarks {
		if mark != "Zoë" && !inFiles(t, path, mark) { // it is stored as it was spelled
			t.Errorf("%q cannot be found before", mark)
		}
	}
	// What was deleted before is still in free pages of the file.
	execute(t, second(t, path), `CREATE TABLE old AS SELECT body FROM document; DROP TABLE old`)
	digest := rowsOf(t, path, `SELECT hex(digest) FROM received WHERE digest IS NOT NULL`)
	done, err := s.Redact(t.Context(), "default", person)
	if err != nil || done.Documents != 6 || done.Received != 6 || done.Failures != 12 || done.Icons != 3 || done.Account != person {
		t.Fatalf("%+v, %v", done, err)
	}
	nothingLeft(t, path, "open")
	left := rowsOf(t, path, `SELECT hex(digest) FROM received WHERE digest IS NOT NULL`)
	if len(left) != 1 || len(digest) != 7 {
		t.Errorf("digests: %d before, %d left", len(digest), len(left))
	}
	checkWhatStays(t, path, done.Name)
	healthy(t, path)
	showAgain(t, s)
	nothingLeft(t, path, "shown again")
	again, err := s.Redact(t.Context(), "default", person)
	if err != nil || again.Name != done.Name || again.Documents != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := s.Redact(t.Context(), "default", strings.Repeat("9", 32)); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := errors.Join(s.Rederive(t.Context(), nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, path, "closed")
	healthy(t, path)
}

// nothingLeft looks for marks of the person in the files of the store.
func nothingLeft(t *testing.T, path, when string) {
	t.Helper()
	for _, mark := range personMarks {
		if inFiles(t, path, mark) {
			t.Errorf("%s: %q is still in the files", when, mark)
		}
	}
}

// checkWhatStays reads what is told of the redacted account.
func checkWhatStays(t *testing.T, path, name string) {
	t.Helper()
	for query, want := range map[string]string{
		`SELECT health FROM account_versions WHERE account = '` + person + `' ORDER BY version`:                            "[healthy expired healthy expired healthy expired]",
		`SELECT status FROM account_versions WHERE account = '` + person + `' ORDER BY version`:                            "[200 401 200 401 200 401]",
		`SELECT DISTINCT coalesce(status_code_info, '') FROM account_versions WHERE account = '` + person + `' ORDER BY 1`: "[ synchronized]",
		`SELECT DISTINCT username FROM changes WHERE account = '` + person + `'`:                                           "[" + name + "]",
		`SELECT DISTINCT message FROM failures ORDER BY 1`:                                                                 "[keep me redacted]",
		`SELECT count(*) FROM snapshots WHERE account = '` + person + `'`:                                                  "[6]",
		`SELECT count(*) FROM squid_assignments WHERE account = '` + person + `'`:                                          "[1]",
		`SELECT count(*) FROM limit_usage`:                                                                                 "[0]",
		`SELECT body FROM icon WHERE body <> ''`:                                                                           "[SHARED]",
		`SELECT document FROM account_current WHERE account = '` + person + `'`: fmt.Sprintf(
			`[{"id":"%s","username":"%s"}]`, person, name),
	} {
		if got := fmt.Sprint(rowsOf(t, path, query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// showAgain lets the API show the redacted account again: it is withheld.
func showAgain(t *testing.T, s *store.Store) {
	t.Helper()
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	when := start.Add(24 * time.Hour)
	got, err := run.Append(t.Context(), store.Response{
		Source: store.List, Sent: when, Received: when, Accounts: []store.Observed{accountObject(``), personObject(9)},
		Failures: []store.Failure{{Account: person, Kind: store.FailDecode, Message: "NOTE-5512"}},
	})
	if err != nil || got.Withheld != 1 || got.Captured() != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := run.Append(t.Context(), store.Response{
		Source: store.Detail, Sent: when, Received: when, Absent: []string{person}}); err != nil || got.Withheld != 1 || got.Gone != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if n, err := run.Disappearing(t.Context(), []string{person}, []string{person}); err != nil || n != 0 {
		t.Errorf("%d redacted accounts would disappear, %v", n, err)
	}
	if err := run.Unlist(t.Context(), when, []string{person}); err != nil {
		t.Error(err)
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
}

// inFiles reports whether the text is in a file of the store.
func inFiles(t *testing.T, path, text string) bool {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(body, []byte(text)) {
			return true
		}
	}
	return false
}

// rowsOf are the values of a query with one column.
func rowsOf(t *testing.T, path, query string) (values []string) {
	t.Helper()
	db := second(t, path)
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

// TestSecureDeleteEndsWithTheRedaction, and with one that fails.
func TestSecureDeleteEndsWithTheRedaction(t *testing.T) {
	s := redactLab(t, memoryPath(t))
	for _, account := range []string{"nobody", person} {
		for before, setting := range []string{"OFF", "ON", "FAST"} {
			if _, err := s.Writer().ExecContext(t.Context(), "PRAGMA secure_delete = "+setting); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Redact(t.Context(), "default", account); (err == nil) != (account == person) {
				t.Fatal(err)
			}
			var after int
			if err := s.Writer().GetContext(t.Context(), &after, "PRAGMA secure_delete"); err != nil || after != before {
				t.Errorf("%s: secure_delete is %d, and was %d (%v)", account, after, before, err)
			}
		}
	}
}
