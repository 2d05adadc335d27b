package postgres

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// told makes a store tell of accounts, page by page.
type told struct {
	t   *testing.T
	s   *Store
	now time.Time
}

func (h *told) run(pages ...[]string) {
	h.t.Helper()
	ctx := h.t.Context()
	run, err := h.s.Begin(ctx, "acme", store.ScopeAll)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, page := range pages {
		h.now = h.now.Add(time.Minute)
		r := store.Response{Source: store.List, Page: i + 1, Sent: h.now.Add(-time.Second), Received: h.now, Requests: i + 1}
		for _, raw := range page {
			var o struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal([]byte(raw), &o); err != nil {
				h.t.Fatal(err)
			}
			r.Accounts = append(r.Accounts, store.Observed{ID: o.ID, Raw: []byte(raw)})
		}
		if _, err := run.Append(ctx, r); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := run.Fail(ctx, 9, store.Failure{Kind: store.FailHTTP, HTTPStatus: 500, Message: "no"}); err != nil {
		h.t.Fatal(err)
	}
	if err := run.Finish(ctx, store.Outcome{State: store.Incomplete, Requested: 4, Requests: 9}); err != nil {
		h.t.Fatal(err)
	}
}

// fullStore has a row in each table: it was pruned, and an account was redacted.
func fullStore(t *testing.T) *Store {
	t.Helper()
	h := &told{t: t, now: time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)}
	s, _, err := OpenWriter(t.Context(), postgrestest.Database(t), Options{Rules: report.Rules(), Now: func() time.Time { return h.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	h.s = s
	object := func(n int, more string) string {
		return fmt.Sprintf(`{"id": "%032x", "username": "user %d", "type": "linkedin-sync"%s}`, n, n, more)
	}
	long := fmt.Sprintf(`, "note": %q, "icon": "aWNvbg==", "squids": [{"id": "s1", "name": "Leads"}]`, strings.Repeat("long ", 20))
	limits := func(value int) string {
		return fmt.Sprintf(`, "status": "200", "params": {"user": {"posts": {"max": 5, "value": %d}}}`, value)
	}
	for i := range 3 {
		h.run([]string{object(1, long), object(2, limits(i)), object(3, `, "resets_in": `+fmt.Sprint(90*i))}, []string{object(4, "")})
	}
	h.run([]string{object(1, long), object(2, limits(2)+`, "status_code_info": "cookies_expired"`)}, []string{object(4, "")})
	ctx := t.Context()
	run, err := s.Begin(ctx, "acme", store.ScopeAll)
	if err == nil {
		err = errors.Join(run.Unlist(ctx, h.now, []string{fmt.Sprintf("%032x", 3)}), run.Finish(ctx, store.Outcome{State: store.Failed}))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redact(ctx, "acme", fmt.Sprintf("%032x", 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(ctx, "acme", store.Keep{}, nil); err != nil {
		t.Fatal(err)
	}
	account := fmt.Sprintf("%032x", 1)
	message := store.Message{ID: "m", Workspace: "acme", Event: "test", At: h.now, Accounts: []string{account}, Sinks: []string{"ops"}, Body: []byte(`{}`)}
	_, err = s.AddSilence(ctx, "acme", store.Silence{Account: account, Reason: "known", From: h.now, Until: h.now.Add(time.Hour)})
	err = errors.Join(err, s.SaveMessages(ctx, message), s.SaveCursor(ctx, "acme", "script", 2), s.SaveAlerts(ctx, "acme", store.AlertDelta{
		To: store.AlertPlace{Run: 2, At: h.now}, Begin: []store.Alert{{Condition: store.AccountExpired, Account: account, Run: 1, Polls: 1, Detail: []byte(`{}`)}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// findings are what Verify finds.
func findings(t *testing.T, s *Store) (all []string) {
	t.Helper()
	_, err := s.Verify(t.Context(), store.VerifyOptions{}, func(f store.Finding) { all = append(all, f.Table+" "+f.Row+": "+f.Problem) })
	if err != nil && !errors.Is(err, store.ErrNewer) && !errors.Is(err, store.ErrOlder) {
		t.Fatal(err)
	}
	if err != nil {
		all = append(all, err.Error())
	}
	return all
}

// unseen are values that no other row confirms: working state, who held the lock, and
// when, and how many bytes there are in what nobody can check.
var unseen = []string{
	"alert.limit_name", "alert.after", "alert.before", "alert.polls", "alert.fired_at", "alert.told", "alert.silenced", "alert.reminders",
	"alert.ended_at", "alert.detail", "alert.condition", "alert_place.at", "alert_place.digest_at", "alert_place.run", "alert_place.alerts",
	"alert_place.messages", "alert_place.silences", "message.id", "message.at", "message.body", "message.condition", "message.run", "message.event",
	"delivery.attempts", "delivery.next_at", "delivery.ended_at", "delivery.error", "delivery.pause", "delivery.asked", "delivery.state",
	"silence.reason", "silence.from_at", "silence.until_at", "silence.type", "silence.squid", "silence.account", "cursor.run", "cursor.consumer", "alert.run", "alert.squid", "alert.account", "alert.id",
	"said.digest",
	"response.news", // of an account that was redacted
}

var long = flag.Bool("long", false, "forge every column, not a quarter of them")

// TestForgedValuesAreFound changes each column of each table in one row, takes a row out
// of each table, and doubles one under another key.
func TestForgedValuesAreFound(t *testing.T) {
	s := fullStore(t)
	if found := findings(t, s); len(found) > 0 {
		t.Fatalf("before anything is changed: %q", found)
	}
	db := s.db.server
	var columns []struct {
		Table string `db:"table_name"`
		Name  string `db:"column_name"`
		Type  string `db:"data_type"`
	}
	err := db.SelectContext(t.Context(), &columns, `
		SELECT c.table_name::text, c.column_name::text, c.data_type::text
		FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name NOT IN ('lease', 'goose_db_version', 'goose_lock')
		ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]string{
		"bigint": "coalesce(%s + 1, 1)", "integer": "%s + 1", "smallint": "coalesce(1 - %s, 1)", "text": "coalesce(%s || 'x', 'x')", "bytea": `coalesce(%s || '\x01'::bytea, '\x01'::bytea)`,
	}
	seen := 0
	for _, c := range columns {
		if slices.Contains(unseen, c.Table+"."+c.Name) || !*long && rand.IntN(4) > 0 {
			continue
		}
		seen++
		name := fmt.Sprintf(`"%s"`, c.Name)
		forged(t, s, c.Table, c.Name, fmt.Sprintf(`UPDATE "%s" SET %s = %s WHERE ctid = (SELECT ctid FROM "%[1]s" ORDER BY random() LIMIT 1)`,
			c.Table, name, fmt.Sprintf(other[c.Type], name)))
	}
	if seen < 30 {
		t.Errorf("only %d columns were changed", seen)
	}
	for _, table := range storeTables {
		if !slices.Contains([]string{"lease", "setting", "absence", "silence", "alert", "cursor", "delivery", "message", "alert_place"}, table) {
			forged(t, s, table, "a row", fmt.Sprintf(`DELETE FROM "%s" WHERE ctid = (SELECT ctid FROM "%[1]s" ORDER BY random() LIMIT 1)`, table))
		}
	}
}

// forged runs the statement, has Verify find it, and puts all rows back.
func forged(t *testing.T, s *Store, table, what, statement string) {
	t.Helper()
	ctx, db := t.Context(), s.db.server
	for _, query := range []string{`CREATE TABLE forged_before AS TABLE "` + table + `"`} {
		if _, err := db.ExecContext(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	done, err := db.ExecContext(ctx, statement)
	if err == nil { // else a key that is taken, or a CHECK
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			t.Errorf("%s %s: no row was changed: %v", table, what, err)
		}
		if found := findings(t, s); len(found) == 0 {
			var changed []string
			db.SelectContext(ctx, &changed, `SELECT x::text FROM "`+table+`" x EXCEPT SELECT x::text FROM forged_before x`)
			t.Errorf("%s, %s: nothing was found after %s: %q", table, what, statement, changed)
		}
	}
	for _, query := range []string{`DELETE FROM "` + table + `"`, `INSERT INTO "` + table + `" SELECT * FROM forged_before`, `DROP TABLE forged_before`} {
		if _, err := db.ExecContext(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOddSchemasAreFound: what verify says of tables that are not as they should be.
func TestOddSchemasAreFound(t *testing.T) {
	s := fullStore(t)
	for statement, want := range map[string]string{
		`DROP INDEX shown_last`:                                         "shown_last",
		`ALTER TABLE run ALTER pid DROP NOT NULL`:                       "run.pid",
		`ALTER TABLE failure ADD COLUMN extra text`:                     "failure.extra",
		`CREATE RULE quiet AS ON DELETE TO response DO INSTEAD NOTHING`: "rule quiet",
		`DROP VIEW failures`:                                            "failures.",
	} {
		if _, err := s.db.server.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if found := findings(t, s); !strings.Contains(strings.Join(found, "\n"), want) {
			t.Errorf("%s: found %q", statement, found)
		}
	}
}
