package postgres

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

func TestSpell(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT ?, ?":              "SELECT $1, $2",
		"SELECT ?2, ?, ?1, ?10, ?": "SELECT $2, $3, $1, $10, $11",
		"SELECT '?', 'it''s ?1', \"?\", ? -- ?\n/* ? */": "SELECT '?', 'it''s ?1', \"?\", $1 -- ?\n/* ? */",
		"a ORDERED JOIN b ORDERED  JOIN c":               "a JOIN b JOIN c",
		"w LOOKUP (t x ON x.a = f(?) AND (b)) ORDER":     "w JOIN LATERAL (SELECT * FROM t x WHERE x.a = f($1) AND (b) OFFSET 0) x ON true ORDER",
		"'LOOKUP (t x ON' LOOKUP, LOOKUP(1)":             "'LOOKUP (t x ON' LOOKUP, LOOKUP(1)",
		"'ORDERED JOIN texts(' ORDERED, texts":           "'ORDERED JOIN texts(' ORDERED, texts",
		"x IN (SELECT value FROM texts(?2))":             `x IN (SELECT value FROM json_array_elements_text(replace(replace($2::text, '\u0001', '\u0001\u0002'), '\u0000', '\u0001\u0001')::json))`,
		"FROM numbers(?) WHERE x":                        "FROM (SELECT value::bigint AS value FROM json_array_elements_text($1::json)) numbers WHERE x",
		"instr(lower(a), nocase(coalesce(b, (?)))) > 0":  `strpos(lower(a), lower((coalesce(b, ($1))) COLLATE "C")) > 0`,
		"lowerhex(substr(a, 1)) AS my_texts":             "encode(substr(a, 1), 'hex') AS my_texts",
		"SELECT 'open":                                   "SELECT 'open",
		"greatest(?, x) -- texts(?)":                     "greatest($1, x) -- texts(?)",
		"a LIKE ? ESCAPE '\\' AND b = $1":                "a LIKE $1 ESCAPE '\\' AND b = $1",
	} {
		for range 2 { // and from memory
			if got := spell(query).text; got != want {
				t.Errorf("%s\n got %s\nwant %s", query, got, want)
			}
		}
	}
	if got, want := spell("SELECT ?2, ?1").shifted(5), "SELECT $7, $6"; got != want {
		t.Errorf("shifted it is %s, want %s", got, want)
	}
}

func TestTouched(t *testing.T) {
	for query, want := range map[string]string{
		"INSERT INTO run (ws) VALUES (?)":                                                             "RUN false",
		"\n\tINSERT INTO run(ws) VALUES (?) ON CONFLICT (ws) DO UPDATE SET a = excluded.a":            "RUN false",
		"UPDATE run SET a = greatest(a, ?) WHERE ws = ?":                                              "RUN false",
		"DELETE FROM run WHERE ws = ?":                                                                "RUN false",
		"DELETE FROM run WHERE at IN (SELECT value FROM numbers(?))":                                  "RUN false",
		"DELETE FROM run WHERE at IN (SELECT value FROM texts(?)) AND a IN (SELECT value FROM other)": "RUN true",
		"INSERT INTO run SELECT * FROM other":                                                         "RUN true",
		"UPDATE run SET a = (SELECT max(a) FROM other)":                                               "RUN true",
		"UPDATE run SET a = b FROM other":                                                             "RUN true",
		"DELETE FROM run USING other":                                                                 "RUN true",
		"UPDATE run SET a = ? WHERE EXISTS (SELECT 1 FROM texts(?) n WHERE n.value = b)":              "RUN true",
		"INSERT INTO run (ws) VALUES (?) RETURNING ws":                                                " true",
		"CREATE TABLE run (ws int)":                                                                   " true",
		"UPDATE run SET a = 'SELECT x FROM y'":                                                        "RUN false",
	} {
		s := spell(query)
		if got := fmt.Sprintf("%s %v", s.table, s.reads); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}

// TestWordsMeanTheSame: the server gives the answers that SQLite gives.
func TestWordsMeanTheSame(t *testing.T) {
	s := open(t, postgrestest.Database(t))
	list, _ := json.Marshal([]string{"a", "é'\"\\", ""})
	err := s.read(t.Context(), func(tx *txn) error {
		var texts []string
		if err := tx.SelectContext(t.Context(), &texts, `SELECT n.value FROM texts(?) n`, string(list)); err != nil || fmt.Sprint(texts) != `[a é'"\ ]` {
			t.Errorf("texts are %q, %v", texts, err)
		}
		var numbers []int64
		if err := tx.SelectContext(t.Context(), &numbers, `SELECT value FROM numbers(?) ORDER BY value`, "[3, -1, 9007199254740993]"); err != nil || fmt.Sprint(numbers) != "[-1 3 9007199254740993]" {
			t.Errorf("numbers are %v, %v", numbers, err)
		}
		for query, want := range map[string]string{
			"SELECT lowerhex(?)": "00ff", "SELECT instr('hello', 'l')": "3", "SELECT nocase('ÀB')": "Àb",
			"SELECT CASE WHEN nocase(?) = nocase('AÀ') THEN 'same' ELSE 'other' END": "other",
		} {
			var got string
			var args []any
			switch query {
			case "SELECT lowerhex(?)":
				args = []any{[]byte{0, 255}}
			case "SELECT CASE WHEN nocase(?) = nocase('AÀ') THEN 'same' ELSE 'other' END":
				args = []any{"aà"}
			}
			if err := tx.GetContext(t.Context(), &got, query, args...); err != nil || got != want {
				t.Errorf("%s is %q, want %q (%v)", query, got, want, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFoldedNamesFindTheirIndex: nocase of a column is the expression that an index has.
func TestFoldedNamesFindTheirIndex(t *testing.T) {
	s := open(t, postgrestest.Database(t))
	must(t, s, `CREATE TABLE v (ws integer, username text COLLATE "C")`, `CREATE INDEX v_name ON v (ws, lower(username))`,
		`INSERT INTO v SELECT 1, 'Name' || n FROM generate_series(1, 20000) n`, `ANALYZE v`)
	err := s.read(t.Context(), func(tx *txn) error {
		var plan []string
		if err := tx.SelectContext(t.Context(), &plan, `EXPLAIN SELECT 1 FROM v WHERE ws = ? AND nocase(username) = nocase(?)`, 1, "NAME7"); err != nil {
			return err
		}
		if !contains(fmt.Sprint(plan), "v_name", "AND (lower(username)") {
			t.Errorf("the plan is %q", plan)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
