package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// step is a statement of a random sequence.
type step struct {
	query string
	args  []any
	one   bool
	ask   bool // a query, whose answer is compared
}

var tables = []string{"one", "two", "three"}

// randomStep draws a statement of a form that package relational has, with few different
// keys, so that statements meet: inserts that conflict, updates of what was just
// inserted, statements that read what others wrote, unique rows among those of a kind.
func randomStep(t *rapid.T) step {
	table := rapid.SampledFrom(tables).Draw(t, "table")
	other := rapid.SampledFrom(tables).Draw(t, "other")
	key := func() int { return rapid.IntRange(1, 4).Draw(t, "key") }
	value := func() any {
		if rapid.Bool().Draw(t, "null") {
			return nil
		}
		return rapid.SampledFrom([]string{"", "a", "b", "?1 'x' $1"}).Draw(t, "value")
	}
	switch rapid.IntRange(0, 13).Draw(t, "form") {
	case 0, 1:
		return step{query: "INSERT INTO " + table + " (ws, id, a) VALUES (1, ?, ?)", args: []any{key(), value()}}
	case 2:
		return step{query: "INSERT INTO " + table + " (ws, id, a) VALUES (1, ?, ?), (1, ?, ?)", args: []any{key(), value(), key() + 4, value()}}
	case 3:
		return step{query: "INSERT INTO " + table + " (ws, id, a) VALUES (1, ?2, ?1) ON CONFLICT DO NOTHING", args: []any{value(), key()}}
	case 4, 5:
		return step{query: "INSERT INTO " + table + " (ws, id, a) VALUES (1, ?, ?) ON CONFLICT (ws, id) DO UPDATE SET a = excluded.a, n = " + table + ".n + 1", args: []any{key(), value()}}
	case 6:
		return step{query: "UPDATE " + table + " SET n = n + ? WHERE ws = 1 AND id = ?", args: []any{key(), key()}, one: rapid.IntRange(0, 3).Draw(t, "one") == 0}
	case 7:
		return step{query: "UPDATE " + table + " SET a = ?, n = greatest(n, ?) WHERE ws = 1 AND a IS NULL", args: []any{value(), key()}}
	case 8:
		return step{query: "DELETE FROM " + table + " WHERE ws = 1 AND id = ?", args: []any{key()}, one: rapid.IntRange(0, 3).Draw(t, "one") == 0}
	case 9:
		return step{query: "DELETE FROM " + table + " WHERE ws = 1 AND id IN (SELECT value FROM numbers(?))", args: []any{fmt.Sprintf("[%d, %d]", key(), key())}}
	case 10:
		return step{query: "INSERT INTO " + table + " (ws, id, a, n) SELECT ws, id + 10, a, n FROM " + other + " WHERE id < 10 AND n = ? ON CONFLICT DO NOTHING", args: []any{key()}}
	case 11:
		return step{query: "UPDATE " + table + " SET n = (SELECT count(*) FROM " + other + " o WHERE o.n >= ?) WHERE ws = 1 AND id = ?", args: []any{key(), key()}}
	case 12:
		return step{query: "DELETE FROM " + table + " WHERE ws = 1 AND NOT EXISTS (SELECT 1 FROM " + other + " o WHERE o.ws = 1 AND o.id = " + table + ".id)"}
	}
	return step{query: "SELECT coalesce(sum(n), 0) + count(*) FROM " + table + " WHERE ws = ?", args: []any{1}, ask: true}
}

// TestDeferredWritesDoWhatTheyDoAlone: a random sequence of statements that is deferred
// leaves the rows that it leaves when each statement is sent alone, and fails when it
// does.
func TestDeferredWritesDoWhatTheyDoAlone(t *testing.T) {
	t.Parallel()
	s := open(t, postgrestest.Database(t))
	for _, table := range tables {
		must(t, s, "CREATE TABLE "+table+` (ws integer, id integer, a text COLLATE "C", n bigint NOT NULL DEFAULT 0, PRIMARY KEY (ws, id))`,
			"CREATE UNIQUE INDEX "+table+"_null ON "+table+" (ws) WHERE a IS NULL", "INSERT INTO "+table+" VALUES (1, 1, 'a', 1), (1, 2, 'b', 2)")
	}
	failed, together, sequences := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(randomStep), 1, 25).Draw(t, "steps")
		alone, later := outcome(t, s, steps, true), outcome(t, s, steps, false)
		if alone != later {
			t.Fatalf("%d statements alone:\n%s\n\ndeferred:\n%s", len(steps), alone, later)
		}
		sequences++
		if alone == failure {
			failed++
		}
		var q queue
		for _, step := range steps {
			q.add(deferred{spelled: spell(step.query), args: step.args, one: step.one})
		}
		if len(q.groups) < len(steps) {
			together++
		}
	})
	if failed == 0 || failed == sequences || together == 0 {
		t.Errorf("of %d sequences %d failed, and %d had statements that were sent together", sequences, failed, together)
	}
}

// failure is the outcome of steps of which one fails.
const failure = "fails"

// outcome runs the steps in a transaction that is rolled back, each sent alone or
// deferred, and returns the answers of the queries and the rows of the tables. Which error
// a failure has is not told: where several statements are sent together, it may be that of
// another one.
func outcome(t *rapid.T, s *server, steps []step, alone bool) string {
	ctx := t.Context()
	tx, err := s.begin(ctx, writing, "")
	if err != nil {
		t.Fatal(err)
	}
	defer tx.rollback(ctx)
	var answers []string
	for _, step := range steps {
		switch {
		case step.ask:
			var answer int64
			err = tx.GetContext(ctx, &answer, step.query, step.args...)
			answers = append(answers, fmt.Sprint(answer))
		case step.one:
			err = tx.ExecOne(ctx, step.query, step.args...)
		default:
			err = tx.Exec(ctx, step.query, step.args...)
		}
		if err == nil && alone {
			err = tx.flush(ctx)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = tx.flush(ctx)
	}
	if err != nil {
		if constraint := errors.As(err, new(*pgconn.PgError)); !constraint && !errors.Is(err, store.ErrDamaged) {
			t.Fatal(err)
		}
		return failure
	}
	for _, table := range tables {
		if err := tx.SelectContext(ctx, &answers, "SELECT '"+table+" ' || (x.*)::text FROM "+table+" x ORDER BY 1"); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(answers, "\n")
}

// TestWhatIsSentTogether: statements that could meet are not sent as one, and a flush is
// sent before it is too large.
func TestWhatIsSentTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queries []string
		want    int // groups
	}{
		"other tables":          {[]string{"INSERT INTO a (x) VALUES (1)", "UPDATE b SET x = 1", "DELETE FROM c"}, 1},
		"the same table":        {[]string{"INSERT INTO a (x) VALUES (1)", "UPDATE a SET x = 1"}, 2},
		"in other letters":      {[]string{"INSERT INTO a (x) VALUES (1)", "update A set x = 1"}, 2},
		"reads what is written": {[]string{"INSERT INTO a (x) VALUES (1)", "INSERT INTO b SELECT x FROM a"}, 2},
		"is read before":        {[]string{"INSERT INTO b SELECT x FROM a", "INSERT INTO a (x) VALUES (1)"}, 1},
		"reads bound values":    {[]string{"INSERT INTO a (x) VALUES (1)", "DELETE FROM b WHERE x IN (SELECT value FROM numbers(?))"}, 1},
		"something else":        {[]string{"INSERT INTO a (x) VALUES (1)", "VACUUM", "INSERT INTO b (x) VALUES (1)"}, 3},
		"returns rows":          {[]string{"INSERT INTO a (x) VALUES (1)", "DELETE FROM b RETURNING x", "INSERT INTO c (x) VALUES (1)"}, 3},
	} {
		var q queue
		for _, query := range c.queries {
			q.add(deferred{spelled: spell(query)})
		}
		if len(q.groups) != c.want {
			t.Errorf("%s: %d groups, want %d", name, len(q.groups), c.want)
		}
	}
	var q queue
	for i := range 4 {
		table := string(rune('a' + i))
		if full := q.add(deferred{spelled: spell("INSERT INTO " + table + " VALUES (?)"), args: make([]any, maxArgs/3)}); full != (i >= 2) {
			t.Errorf("with %d values it is full: %v", q.args, full)
		}
	}
	if len(q.groups) != 2 {
		t.Errorf("%d values are sent as %d statements", q.args, len(q.groups))
	}
	if q = (queue{}); !q.add(deferred{spelled: spell("INSERT INTO a VALUES (?)"), args: []any{make([]byte, maxBytes)}}) {
		t.Error("a queue of many bytes is not full")
	}
}
