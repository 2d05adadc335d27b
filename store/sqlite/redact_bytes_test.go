package sqlite_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

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

func redactLab(t *testing.T, path string) *sqlite.Store {
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
		if err = errors.Join(err, finishRun(t.Context(), run, 0)); err != nil {
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
		if mark != "Zoë" && marksIn(t, path, mark) == "" { // it is stored as it was spelled
			t.Errorf("%q cannot be found before", mark)
		}
	}
	// What was deleted before is still in free pages of the file.
	execute(t, second(t, path), `CREATE TABLE old AS SELECT body FROM body; DROP TABLE old`)
	done, err := s.Redact(t.Context(), "default", person)
	if err != nil || done.Documents != 6 || done.Received != 6 || done.Failures != 12 || done.Account != person {
		t.Fatalf("%+v, %v", done, err)
	}
	nothingLeft(t, path, "open")
	if digests := rowsOf(t, path, `SELECT account FROM said WHERE digest IS NOT NULL`); fmt.Sprint(digests) != "[2]" {
		t.Errorf("digests are left of the accounts %v", digests)
	}
	checkWhatStays(t, path, done.Name)
	healthy(t, path)
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
		if found := marksIn(t, path, mark); found != "" {
			t.Errorf("%s: %q is still in %s", when, mark, found)
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
		`SELECT body FROM icon`:                                                                                            "[SHARED]",
		`SELECT document FROM account_current WHERE account = '` + person + `'`:                                            "[<nil>]",
	} {
		if got := fmt.Sprint(rowsOf(t, path, query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
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
