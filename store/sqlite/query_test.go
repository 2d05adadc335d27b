package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// ask runs a query and throws its answer away.
func ask(ctx context.Context, s *sqlite.Store, query string) error {
	return s.Query(ctx, query, func([]string) error { return nil }, func([]any) error { return nil })
}

const endless = `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)`

// TestQueriesStop: whatever a query does, it stops soon after its context is done, and its
// connection is free again.
func TestQueriesStop(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	take(t, s, start, accountObject(``))
	for _, query := range []string{
		endless + ` SELECT n FROM r`,
		endless + ` SELECT count(*) FROM r`,
		endless + ` SELECT 1 UNION ALL SELECT count(*) FROM r`, // the first step is over soon
		endless + ` SELECT n FROM r WHERE n = 1 OR n < 0`,
		endless + ` SELECT n FROM r ORDER BY random()`,
		`WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT count(*) FROM r`,
		endless + ` SELECT sum(length(randomblob(1000000))) FROM r`,
		`SELECT 1; ` + endless + ` SELECT max(n) FROM r; SELECT 2`,
		endless + ` SELECT zeroblob(10000000) FROM r`,
		`SELECT count(*) FROM snapshots a, snapshots b, ` + strings.Repeat(`(`+endless+` SELECT n FROM r LIMIT 1000000),`, 2) + ` runs`,
	} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("enough"))
		begun := time.Now()
		err := ask(ctx, s, query)
		cancel()
		if took := time.Since(begun); err == nil || err.Error() != "enough" || took > 1200*time.Millisecond {
			t.Errorf("%s: %v after %s", query, err, took)
		}
		if s.Reading() > 0 {
			t.Errorf("%s goes on", query)
		}
	}
}

// TestQueriesThatCannotStop are left to themselves: a call of a function cannot be
// interrupted.
func TestQueriesThatCannotStop(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	const deaf = `SELECT instr(hex(zeroblob(500000)), hex(zeroblob(150000)) || 'x')`
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	err := ask(ctx, s, deaf)
	if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > 1200*time.Millisecond {
		t.Errorf("%v after %s", err, took)
	}
	if s.Reading() == 0 {
		t.Error("it stopped: this shows nothing")
	}
	if err := ask(t.Context(), s, `SELECT 1`); err != nil {
		t.Errorf("another query meanwhile: %v", err)
	}
}

// TestQueriesAreBounded: a value that is too large is an error, and not memory.
func TestQueriesAreBounded(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for i, query := range []string{
		`SELECT zeroblob(900000000)`,
		`SELECT length(zeroblob(900000000))`,
		`SELECT printf('%*d', 900000000, 1)`,
		`SELECT printf('%.*c', 900000000, 'x')`,
		`SELECT hex(randomblob(900000000))`,
		`SELECT replace(hex(zeroblob(5000000)), '0', 'xxxxxxxxxxxxxxxx')`,
		endless + ` SELECT group_concat(n) FROM (SELECT n FROM r LIMIT 3000000)`,
		endless + ` SELECT json_group_array(n) FROM (SELECT n FROM r LIMIT 3000000)`,
		endless + `, s(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM s) SELECT count(*) FROM s`,
		`SELECT ` + strings.Repeat(`zeroblob(16000000), `, 6) + `1`,
	} {
		if (i+3)%fewer(1, 4) > 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := ask(ctx, s, query); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: %v", query, err)
		}
		cancel()
	}
	if err := ask(t.Context(), s, `SELECT 1`+strings.Repeat(`, 1`, 200)); err == nil {
		t.Error("201 columns")
	}
	for _, query := range []string{`SELECT zeroblob(16000000)`, `SELECT 1` + strings.Repeat(`, 1`, 199)} {
		if err := ask(t.Context(), s, query); err != nil {
			t.Errorf("%.80s: %v", query, err)
		}
	}
}

// TestQueriesLeaveNoTrace: a connection that a user had is as it was.
func TestQueriesLeaveNoTrace(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	take(t, s, start, accountObject(``))
	for _, query := range []string{`SELECT 1`, `SELEC`, `DELETE FROM run`, `SELECT zeroblob(900000000)`, `SELECT 1; COMMIT`, `SELECT :x`} {
		if err := ask(t.Context(), s, query); (err == nil) != (query == `SELECT 1`) {
			t.Errorf("%s: %v", query, err)
		}
		take(t, s, start.Add(time.Hour), accountObject(``)) // which reads too
		if err := ask(t.Context(), s, `SELECT count(*) FROM snapshots`); err != nil {
			t.Errorf("after %s: %v", query, err)
		}
		if most, err := s.LargestValue(t.Context()); err != nil || most <= sqlite.MaxQueryValue {
			t.Errorf("after %s, a value may have %d bytes, %v", query, most, err)
		}
	}
}

// TestEveryStatementAnswers, in order and of the same moment; none runs unless all compile.
func TestEveryStatementAnswers(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	take(t, s, start, accountObject(``))
	said := ""
	query := func(script string, params ...sql.NamedArg) error {
		said = ""
		return s.Query(t.Context(), script, func(names []string) error {
			said += fmt.Sprint(names)
			if said == "[a]" {
				take(t, s, start.Add(time.Hour), accountObject(``))
			}
			return nil
		}, func(row []any) error {
			said += fmt.Sprint(row...)
			return nil
		}, params...)
	}
	for _, test := range []struct{ script, want string }{
		{`SELECT 1 AS a WHERE 0; SELECT 2 AS b; SELECT ';' AS c -- over;`, `[a][b]2[c];`},
		{`SELECT count(*) AS a FROM snapshots; SELECT count(*) AS b FROM snapshots`, `[a]2[b]2`},
		{`PRAGMA application_id; /* open ;`, `[application_id]1819239029`},
		{` ; ; `, ``},
		{`SELECT :n + 1 AS a, typeof(@t) AS b, $t AS c; SELECT :n AS d, :none IS NULL AS e`, `[a b c]8text5[d e]7 1`},
	} {
		err := query(test.script, sql.Named("n", int64(7)), sql.Named("t", "5"), sql.Named("none", nil))
		if err != nil || said != test.want {
			t.Errorf("%s says %q, %v", test.script, said, err)
		}
	}
	for _, script := range []string{`SELECT 1; DELETE FROM run`, `SELECT 1; SELEC 2`, `SELECT 1; SELECT nonsense`} {
		if err := query(script); err == nil || said != "" {
			t.Errorf("%s says %q, %v", script, said, err)
		}
	}
}

// TestPragmasSetNothing, whatever is given to them.
func TestPragmasSetNothing(t *testing.T) {
	s := openStore(t, memoryPath(t), at(start))
	for query, allowed := range map[string]bool{
		`PRAGMA user_version`: true, `PRAGMA user_version = 3`: false, `PRAGMA page_size(512)`: false, `PRAGMA schema_version = 1`: false,
		`PRAGMA table_info(run)`: true, `PRAGMA integrity_check(1)`: true, `PRAGMA query_only = 0`: false, `PRAGMA cache_size`: false,
		`SELECT * FROM pragma_table_info('run')`: true, `SELECT * FROM pragma_user_version`: true, `PRAGMA temp_store_directory = '/'`: false,
	} {
		if err := ask(t.Context(), s, query); errors.Is(err, store.ErrReadOnly) == allowed {
			t.Errorf("%s: %v", query, err)
		}
	}
}
