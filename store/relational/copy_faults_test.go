package relational_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/lobstrail/lobstrail/store"
)

// fill writes some runs of a workspace.
func fill(t testing.TB, s store.Store, now *time.Time, workspace string, runs int, rng *rand.Rand) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for range runs {
		w, err := s.Begin(t.Context(), workspace, store.ScopeAll)
		must(err)
		for page := range 2 {
			*now = now.Add(time.Minute)
			r := store.Response{Source: store.List, Page: page + 1, Sent: *now, Received: now.Add(time.Second), Requests: 1}
			for n := page * 4; n < page*4+4; n++ {
				r.Accounts = append(r.Accounts, store.Observed{ID: fmt.Sprintf("%032x", 0xacc0+n), Raw: object(n, rng)})
			}
			_, err := w.Append(t.Context(), r)
			must(err)
		}
		if rng.IntN(3) == 0 {
			must(w.Fail(t.Context(), 2, store.Failure{Kind: store.FailHTTP, HTTPStatus: 503, Message: "later"}))
		}
		must(w.Finish(t.Context(), store.Outcome{State: store.Incomplete, Requests: 3}))
	}
}

func object(n int, rng *rand.Rand) []byte {
	status := []string{`"200"`, `"200"`, `"200"`, `"401"`}[rng.IntN(4)]
	return fmt.Appendf(nil, `{"id":"%032x","username":"user%d","type":"x-sync","status":%s,"status_code_info":"synchronized","f":%d,
		"long":%q,"icon":"aWNvbg==","squids":[{"hash_value":"s%d","name":"Leads"}],"params":{"user":{"p":{"max":10,"value":%d}}}}`,
		0xacc0+n, n, status, rng.IntN(3), strings.Repeat("long ", 20+rng.IntN(2)), rng.IntN(3), rng.IntN(4))
}

// filled is a new store with a history, which is closed.
func (e engine) filled(t testing.TB, runs int) (place string) {
	t.Helper()
	now := time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)
	place = e.place(t)
	s, err := e.write(t, place, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for _, workspace := range []string{"default", "acme"} {
		fill(t, s, &now, workspace, runs, rand.New(rand.NewPCG(1, uint64(runs))))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return place
}

// copyOf copies a store, and returns the error.
func copyOf(t testing.TB, from, to engine, source, target string, o store.CopyOptions) (done []store.Copied, err error) {
	t.Helper()
	src, err := from.read(t, source)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := to.write(t, target, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	return dst.CopyFrom(t.Context(), src, o)
}

// verified verifies a store, and returns its logs.
func (e engine) verified(t testing.TB, place string) store.Verified {
	t.Helper()
	s, err := e.read(t, place)
	if errors.Is(err, store.ErrNoStore) || errors.Is(err, store.ErrOlder) { // killed before the tables were made
		return store.Verified{}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done, err := s.Verify(t.Context(), store.VerifyOptions{}, func(f store.Finding) { t.Errorf("%+v", f) })
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// placesVariable holds the stores of a process that only copies, and is killed.
const placesVariable = "LOBSTRAIL_TEST_COPY"

// TestCopyProcess is not a test, but the process that TestKilledCopies kills.
func TestCopyProcess(t *testing.T) {
	places := strings.Split(os.Getenv(placesVariable), " ")
	if len(places) != 4 {
		t.Skip("for TestKilledCopies")
	}
	if _, err := copyOf(t, engines[places[0]], engines[places[1]], places[2], places[3], store.CopyOptions{Entries: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestKilledCopies kills processes that copy, at random moments: each leaves a store that
// verifies, and the next one goes on.
func TestKilledCopies(t *testing.T) {
	for fromName, from := range engines {
		for toName, to := range engines {
			t.Run(fromName+" to "+toName, func(t *testing.T) {
				if fromName == toName && !*long {
					t.Skip("with -long: the other pairs have both ends")
				}
				runs := 20
				if *long {
					runs = 60
				}
				source, target := from.filled(t, runs), to.place(t)
				killed, before := 0, int64(0)
				rng := rand.New(rand.NewPCG(2, uint64(os.Getpid())))
				for range 1000 {
					cmd := exec.Command(os.Args[0], "-test.run=^TestCopyProcess$")
					cmd.Env = append(os.Environ(), placesVariable+"="+strings.Join([]string{fromName, toName, source, target}, " "))
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					// Longer and longer: on a busy machine a process may need a second to begin.
					timer := time.AfterFunc(time.Duration(rng.IntN(250+60*killed))*time.Millisecond, func() { cmd.Process.Kill() })
					err := cmd.Wait()
					timer.Stop()
					has := int64(0)
					for _, tree := range to.verified(t, target).Trees {
						has += tree.N
					}
					if has < before {
						t.Fatalf("a copy had %d entries, and then %d", before, has)
					}
					if before = has; err == nil {
						break
					}
					killed++
				}
				t.Logf("%d processes were killed", killed)
				done, err := copyOf(t, from, to, source, target, store.CopyOptions{})
				if err != nil || len(done) != 2 || done[0].Changed() || done[1].Changed() {
					t.Errorf("after the last one: %+v, %v", done, err)
				}
			})
		}
	}
}

// forgeries change a row of a source each, of every table.
var forgeries = []string{
	`UPDATE change SET new = '"other"' WHERE rowid_of`,
	`UPDATE version SET username = 'other' WHERE rowid_of`,
	`UPDATE status_step SET info_after = 'other' WHERE rowid_of`,
	`UPDATE squid_name SET name = 'other' WHERE rowid_of`,
	`UPDATE assignment SET from_before = from_before + 1 WHERE rowid_of`,
	`UPDATE state SET health = 'other' WHERE rowid_of`,
	`UPDATE said SET document_at = document_at + 1 WHERE rowid_of`,
	`UPDATE body SET body = '{}' WHERE rowid_of`,
	`UPDATE response SET news = news + 1 WHERE rowid_of`,
	`UPDATE response SET shown = shown + 1 WHERE rowid_of`,
	`UPDATE response SET sent_at = sent_at - 1 WHERE rowid_of`,
	`DELETE FROM response WHERE rowid_of`,
	`UPDATE run SET requests = requests + 1 WHERE rowid_of`,
	`UPDATE failure SET message = 'other' WHERE rowid_of`,
	`DELETE FROM failure WHERE rowid_of`,
	`UPDATE fact SET value = '7' WHERE value IS NOT NULL AND rowid_of`,
	`DELETE FROM fact WHERE rowid_of`,
	`UPDATE value SET body = body || ' ' WHERE rowid_of`,
	`UPDATE icon SET body = 'other' WHERE rowid_of`,
	`UPDATE usage SET body = '{"value":77}' WHERE rowid_of`,
	`DELETE FROM usage WHERE rowid_of`,
	`UPDATE shown SET first = first + 1 WHERE rowid_of`,
	`DELETE FROM shown WHERE rowid_of`,
	`UPDATE account SET salt = x'00' WHERE rowid_of`,
	`UPDATE account SET hash = 'ffffffffffffffffffffffffffffffff' WHERE rowid_of`,
	`UPDATE squid SET hash = 'other' WHERE rowid_of`,
	`UPDATE entry SET text = replace(text, 'shown 4', 'shown 3') WHERE text LIKE '%shown 4%' AND rowid_of`,
	`UPDATE entry SET text = NULL WHERE rowid_of`,
	`UPDATE entry SET hashes = zeroblob(32) WHERE rowid_of`,
	`DELETE FROM entry WHERE rowid_of`,
	`INSERT INTO change SELECT ws, at, account, 99, kind, path, old, new, health_before, health_after, after FROM change WHERE rowid_of`,
	`INSERT INTO failure SELECT ws, run, 99, account, kind, http_status, message, at, salt FROM failure WHERE rowid_of`,
	`INSERT INTO squid SELECT ws, 99, 'more' FROM squid WHERE rowid_of`,
}

// TestForgedSources: a source of which a row was changed is not copied as if all was well,
// and what is copied of it verifies.
func TestForgedSources(t *testing.T) {
	whole, err := os.ReadFile(engines["file"].filled(t, 6))
	if err != nil {
		t.Fatal(err)
	}
	for _, forgery := range forgeries {
		source, target := filepath.Join(t.TempDir(), "forged.db"), filePlace(t)
		if err := os.WriteFile(source, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		forge(t, source, forgery)
		done, err := copyOf(t, engines["file"], engines["file"], source, target, store.CopyOptions{Entries: 4})
		if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), source) {
			t.Errorf("%s:\n%+v, %v", forgery, done, err)
		}
		engines["file"].verified(t, target)
	}
}

// forge changes one row of a file that is closed.
func forge(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := db.Query(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	triggers := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		triggers[name] = text
	}
	rows.Close()
	for name := range triggers {
		if _, err := db.Exec("DROP TRIGGER " + name); err != nil {
			t.Fatal(err)
		}
	}
	done, err := db.Exec(oneRow(t, db, statement))
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if n, _ := done.RowsAffected(); n != 1 {
		t.Fatalf("%s: %d rows", statement, n)
	}
	for _, text := range triggers {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
}

// oneRow makes a statement about the row in the middle of those that it could be about.
func oneRow(t testing.TB, db *sql.DB, statement string) string {
	t.Helper()
	words := strings.Fields(statement)
	table := words[1]
	switch words[0] {
	case "DELETE":
		table = words[2]
	case "INSERT":
		table = words[2]
	}
	_, where, _ := strings.Cut(statement, "WHERE ")
	where = strings.TrimSuffix(strings.TrimSuffix(where, "rowid_of"), "AND ")
	if where == "" {
		where = "1"
	}
	var key string
	err := db.QueryRow(`SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk)`, table).Scan(&key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(statement, "rowid_of", fmt.Sprintf(
		`(%[1]s) = (SELECT %[1]s FROM %[2]s WHERE %[3]s ORDER BY %[1]s LIMIT 1 OFFSET (SELECT count(*) / 2 FROM %[2]s WHERE %[3]s))`, key, table, where), 1)
}
