package postgrestest

import (
	"context"
	"database/sql"
	"testing"
	"time"
)

// prepareExample makes a schema with all that restore must take care of.
func prepareExample(url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(`
		CREATE TABLE a_parent (id bigint PRIMARY KEY, name text DEFAULT '');
		CREATE TABLE child (id bigint PRIMARY KEY, parent bigint REFERENCES a_parent);
		CREATE TABLE version (id bigint PRIMARY KEY);
		CREATE VIEW names AS SELECT name FROM a_parent;
		CREATE SCHEMA other; CREATE TABLE other."odd name" (id bigint);
		INSERT INTO version VALUES (7)`)
	return err
}

// use gives a database to a test that runs some statements, and returns its name.
func use(t *testing.T, statements ...string) (name string) {
	t.Helper()
	t.Run("use", func(t *testing.T) {
		url := Fresh(t, prepareExample)
		db := open(t, url)
		name = ask(t, db, "SELECT current_database()")
		for _, table := range []string{"a_parent", "child", `other."odd name"`} {
			if n := ask(t, db, "SELECT count(*) FROM "+table); n != "0" {
				t.Errorf("table %s has %s rows", table, n)
			}
		}
		if id := ask(t, db, "SELECT string_agg(id::text, ' ') FROM version"); id != "7" {
			t.Errorf("the prepared table has the rows %s, want 7", id)
		}
		if n := ask(t, db, countRelations); n != "8" { // 4 tables, 3 indexes, 1 view
			t.Errorf("there are %s tables, indexes and views, want 8", n)
		}
		for _, statement := range statements {
			must(t, db, statement)
		}
	})
	return name
}

func TestFreshIsUsedAgainEmpty(t *testing.T) {
	first := use(t,
		"INSERT INTO a_parent VALUES (1, 'a')", "INSERT INTO child VALUES (1, 1)", `INSERT INTO other."odd name" VALUES (1)`)
	if second := use(t); (second == first) == connect(t).pooled() {
		t.Errorf("got database %s after %s: want it again, but not behind a pooler", second, first)
	}
}

// A database that is no longer as prepared is never given to another test.
func TestFreshIsNotUsedAgainIfChanged(t *testing.T) {
	if connect(t).pooled() {
		t.Skip("behind a pooler no database is used again")
	}
	for name, statement := range map[string]string{
		"table":         "CREATE TABLE extra (a int)",
		"no table":      "DROP TABLE child",
		"column":        "ALTER TABLE a_parent ADD extra int",
		"default":       "ALTER TABLE a_parent ALTER name SET DEFAULT 'x'",
		"not null":      "ALTER TABLE a_parent ALTER name SET NOT NULL",
		"no constraint": "ALTER TABLE child DROP CONSTRAINT child_parent_fkey",
		"constraint":    "ALTER TABLE a_parent ADD CHECK (id > 0)",
		"view":          "CREATE OR REPLACE VIEW names AS SELECT upper(name) AS name FROM a_parent",
		"function":      "CREATE FUNCTION one() RETURNS int LANGUAGE sql RETURN 1",
		"schema":        "CREATE SCHEMA extra",
		"grant":         "GRANT SELECT ON a_parent TO PUBLIC",
		"default grant": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
		"prepared row":  "UPDATE version SET id = 8",
		"new row":       "INSERT INTO version VALUES (8)",
		"no row":        "DELETE FROM version",
		"setting": `DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''',
			current_database()); END$$`,
		"rights": `DO $$BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END$$`,
	} {
		t.Run(name, func(t *testing.T) {
			changed := use(t, statement)
			if next := use(t); next == changed {
				t.Errorf("%s was used again after %s", next, statement)
			}
		})
	}
}

// A connection that was left open could write into the next test.
func TestFreshIsNotUsedAgainIfInUse(t *testing.T) {
	connect(t)
	var db *sql.DB
	var tx *sql.Tx
	var first string
	t.Run("leaves a transaction open", func(inner *testing.T) {
		db = open(t, Fresh(inner, prepareExample))
		first = ask(t, db, "SELECT current_database()")
		var err error
		if tx, err = db.Begin(); err != nil {
			inner.Fatal(err)
		}
		if _, err := tx.Exec("INSERT INTO a_parent VALUES (1, 'a')"); err != nil {
			inner.Fatal(err)
		}
	})
	if second := use(t); second == first {
		t.Errorf("database %s was used again", first)
	}
	if tx.Commit() == nil {
		t.Error("a transaction survived its test")
	}
}

func TestFreshPreparesOnce(t *testing.T) {
	calls := 0
	prepare := func(string) error { calls++; return nil }
	if a, b := Fresh(t, prepare), Fresh(t, prepare); a == b {
		t.Errorf("two tests at once got the same database %s", a)
	}
	if calls != 1 {
		t.Errorf("prepared %d times, want once", calls)
	}
}

// Dead rows do not pile up in a database for ever.
func TestFreshIsNotUsedForever(t *testing.T) {
	s := connect(t)
	tpl, err := s.newTemplate(prepareExample)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tpl.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.uses = maxUses - 1
	tpl.release(t, c)
	if n := ask(t, s.admin, "SELECT count(*) FROM pg_database WHERE datname = $1", c.name); n != "0" {
		t.Errorf("database %s was kept after %d tests", c.name, maxUses)
	}
}

func BenchmarkFresh(b *testing.B) {
	s := connect(b)
	tpl, err := s.newTemplate(prepareExample)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	b.Run("restored", func(b *testing.B) {
		for b.Loop() {
			c, err := tpl.take(ctx)
			if err != nil {
				b.Fatal(err)
			}
			c.uses = 0
			tpl.release(b, c)
		}
	})
	b.Run("copied", func(b *testing.B) {
		for b.Loop() {
			name, err := s.create(ctx, tpl.name)
			if err != nil {
				b.Fatal(err)
			}
			s.dropAtEnd(b, name)
		}
	})
}
