package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Fresh returns the URL of a database that prepare filled. prepare runs once per
// process, on a template that is then copied; its URL never leads through a pooler. A
// second function literal gets its own template, but the same literal with other
// captured variables does not.
//
// After a test the database is emptied for the next one: that takes 7 ms, a new copy 60 to
// 500 ms (BenchmarkFresh on a busy machine). A database that cannot be restored, because the
// schema, a setting or a row that prepare wrote has changed, is dropped. So is one behind
// a pooler, whose connections would carry the state of a session into the next test.
func Fresh(t TB, prepare func(url string) error) string {
	t.Helper()
	s := connect(t)
	made, _ := s.templates.LoadOrStore(reflect.ValueOf(prepare).Pointer(), sync.OnceValues(func() (*template, error) {
		return s.newTemplate(prepare)
	}))
	tpl, err := made.(func() (*template, error))()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	c, err := tpl.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tpl.release(t, c) })
	return s.testURL(c.name)
}

// template is a database that prepare filled, and copies of it that no test uses now.
type template struct {
	server *server
	name   string
	empty  string // SQL: deletes all rows that tests wrote
	state  string // SQL: returns what a copy has in common with the template
	want   string // what state returns for the template

	mu   sync.Mutex
	free []copied
}

// copied is a copy of a template.
type copied struct {
	name string
	uses int
}

// maxUses bounds the dead rows that deleting leaves in a copy.
const maxUses = 100

func (s *server) newTemplate(prepare func(url string) error) (*template, error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	name, err := s.create(ctx, "template0")
	if err != nil {
		return nil, err
	}
	if err := prepare(s.direct.JoinPath("..", name).String()); err != nil {
		return nil, fmt.Errorf("prepare the template of the test databases: %w", err)
	}
	tpl := &template{server: s, name: name}
	err = tpl.on(ctx, name, func(db *pgx.Conn) error {
		if err := tpl.readTables(ctx, db); err != nil {
			return err
		}
		return db.QueryRow(ctx, tpl.state).Scan(&tpl.want)
	})
	if err != nil {
		return nil, fmt.Errorf("read the template of the test databases: %w", err)
	}
	return tpl, nil
}

// on calls f with a direct connection to a database.
func (tpl *template) on(ctx context.Context, database string, f func(*pgx.Conn) error) error {
	db, err := pgx.Connect(ctx, tpl.server.direct.JoinPath("..", database).String())
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	return f(db)
}

const tables = `
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1`

// schemaState changes with every change of the schema, of rights and of settings: a
// changed row of a catalog has a higher xmin.
const schemaState = `
SELECT concat_ws(' ',
  (SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_class),
  (SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_attribute),
  (SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_constraint),
  (SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_namespace),
  (SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_proc),
  (SELECT concat(count(*), '/', max(xmin::text::bigint)) FROM pg_default_acl),
  (SELECT concat(datdba, datallowconn, datconnlimit, datacl) FROM pg_database WHERE datname = current_database()),
  (SELECT string_agg(concat(setrole, setconfig), ' ' ORDER BY setrole) FROM pg_db_role_setting
   WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))`

// readTables writes the SQL texts. Tables that prepare filled are compared, all others
// are emptied.
func (tpl *template) readTables(ctx context.Context, db *pgx.Conn) error {
	rows, err := db.Query(ctx, tables)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	// As a replica the server checks no foreign keys, so the order does not matter.
	empty := []string{"SET session_replication_role = replica"}
	var state strings.Builder
	state.WriteString(schemaState)
	for _, table := range names {
		var filled bool
		if err := db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+table+")").Scan(&filled); err != nil {
			return err
		}
		if filled {
			state.WriteString(",\n  (SELECT string_agg(r::text, ' ' ORDER BY r::text) FROM " + table + " r)")
		} else {
			empty = append(empty, "DELETE FROM "+table)
		}
	}
	tpl.empty, tpl.state = strings.Join(empty, "; "), state.String()+")"
	return nil
}

// take returns a copy for one test.
func (tpl *template) take(ctx context.Context) (copied, error) {
	tpl.mu.Lock()
	if n := len(tpl.free); n > 0 {
		c := tpl.free[n-1]
		tpl.free = tpl.free[:n-1]
		tpl.mu.Unlock()
		return c, nil
	}
	tpl.mu.Unlock()
	name, err := tpl.server.create(ctx, tpl.name)
	return copied{name: name}, err
}

// release empties a copy whose test has ended, or drops it.
func (tpl *template) release(t TB, c copied) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	c.uses++
	if tpl.server.pooled() || c.uses >= maxUses || tpl.restore(ctx, c.name) != nil {
		tpl.server.dropAtEnd(t, c.name)
		return
	}
	tpl.mu.Lock()
	defer tpl.mu.Unlock()
	tpl.free = append(tpl.free, c)
}

var errDiffers = errors.New("the database differs from its template")

// restore makes a copy equal to its template again, or returns an error.
func (tpl *template) restore(ctx context.Context, name string) error {
	return tpl.on(ctx, name, func(db *pgx.Conn) error {
		if err := awaitAlone(ctx, db); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, tpl.empty); err != nil {
			return err
		}
		var state string
		if err := db.QueryRow(ctx, tpl.state).Scan(&state); err != nil {
			return err
		}
		if state != tpl.want {
			return errDiffers
		}
		return nil
	})
}

// others counts the connections that may still write.
const others = `
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`

// awaitAlone waits until nobody else uses the database. A connection that was closed a
// moment ago takes a few milliseconds to go.
func awaitAlone(ctx context.Context, db *pgx.Conn) error {
	for range 100 {
		var n int
		if err := db.QueryRow(ctx, others).Scan(&n); err != nil || n == 0 {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.New("the database is still in use")
}
