package postgres_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
)

// TestAnUnchangedPageIsSmall: a response that shows 100 accounts and nothing new, with its
// entry in the log, takes less than 570 bytes, the indexes included. A snapshot may take 6
// bytes: 30 of a page are left for what updates of other rows leave behind.
func TestAnUnchangedPageIsSmall(t *testing.T) {
	const pages = 20_000
	db := openSchema(t)
	for _, statement := range []string{
		`INSERT INTO response (at, run, slot, sent_at, server_at, held_ms, ws, shown, changed, absent, gone, news, source)
		SELECT 1767592800000 + n * 36000, n / 100, -1 - n % 100, 1767592799821 + n * 36000, 1767592799000 + n * 36000, 0, 1, 100, 0, 0, 0, 0, 1
		FROM generate_series(1::bigint, $1) n`,
		`INSERT INTO entry (id, ws, text, hashes)
		SELECT n, 1, E'\nresponse ' || 1767592800000 + n * 36000 || ' list page -' || 1 + n % 100 || ' run ' || n / 100
			|| ' shown 100 sent 179 server 1000 ' || encode(sha256(n::text::bytea), 'base64') || E'\n',
			sha256(n::text::bytea) || sha256((n + 1)::text::bytea) -- one subtree an entry is completed, on the average
		FROM generate_series(1::bigint, $1) n`,
	} {
		if _, err := db.Exec(statement, pages); err != nil {
			t.Fatal(err)
		}
	}
	_, rows := ask(t, db, `SELECT pg_total_relation_size('response') + pg_total_relation_size('entry')`)
	if each := float64(rows[0][0].(int64)) / pages; each >= 570 {
		t.Errorf("%.0f bytes for each page", each)
	} else {
		t.Logf("%.0f bytes for each page", each)
	}
}

// TestInstantText: instants have the text that they have in JSON, whatever the settings of
// the session.
func TestInstantText(t *testing.T) {
	db := openSchema(t)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, setting := range []string{`TimeZone = 'America/New_York'`, `DateStyle = 'German'`, `IntervalStyle = 'iso_8601'`, `extra_float_digits = -15`} {
		if _, err := conn.ExecContext(t.Context(), `SET `+setting); err != nil {
			t.Fatal(err)
		}
	}
	const first, last = -62135596800000, 253402300799999 // of the years 1 and 9999
	all := []int64{first, -1, 0, 1, 951782399999, last, last - 1}
	for range 2000 {
		all = append(all, first+rand.Int64N(last-first+1))
	}
	for _, ms := range all {
		var got string
		if err := conn.QueryRowContext(t.Context(), `SELECT instant_text($1)`, ms).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := report.FormatTime(time.UnixMilli(ms)); got != want {
			t.Errorf("%d is %s instead of %s", ms, got, want)
		}
	}
	var none bool
	err = conn.QueryRowContext(t.Context(),
		`SELECT num_nulls(instant_text(NULL), instant_text($1), instant_text($2), instant_text(9223372036854775807)) = 4`, first-1, last+1).Scan(&none)
	if err != nil || !none {
		t.Error("an instant of no such year has a text", err)
	}
}
