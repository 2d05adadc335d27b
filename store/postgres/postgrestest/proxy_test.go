package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// cutTest is a table without rows, seen directly and through a proxy.
type cutTest struct {
	*testing.T
	proxy   *Proxy
	rows    func() string
	through *pgx.Conn
}

func newCutTest(t *testing.T) *cutTest {
	t.Helper()
	url := Fresh(t, prepareExample)
	db := open(t, url)
	c := &cutTest{T: t, proxy: NewProxy(t, url)}
	c.rows = func() string { return ask(t, db, "SELECT count(*) FROM a_parent") }
	c.through = c.connect(c.proxy.URL(), pgx.QueryExecModeExec) // one round trip for each statement
	return c
}

func (t *cutTest) connect(url string, mode pgx.QueryExecMode) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// insert adds rows until there is an error, 5 at most. A statement is one Query without
// arguments, and an Execute and a Sync with arguments.
func (t *cutTest) insert(args ...any) error {
	for id := range 5 {
		statement := "INSERT INTO a_parent VALUES (" + string(rune('0'+id)) + ", '')"
		if len(args) > 0 {
			statement = "INSERT INTO a_parent VALUES (" + string(rune('0'+id)) + ", $1)"
		}
		if _, err := t.through.Exec(t.Context(), statement, args...); err != nil {
			return err
		}
	}
	return nil
}

func TestCutAtMessages(t *testing.T) {
	arg := []any{"name"}
	for name, c := range map[string]struct {
		plan func(*Proxy)
		args []any
		want string // rows
	}{
		"before the first query":    {func(p *Proxy) { p.CutBefore(1) }, nil, "0"},
		"after the first query":     {func(p *Proxy) { p.CutAfter(1) }, nil, "1"},
		"before the third query":    {func(p *Proxy) { p.CutBefore(3) }, nil, "2"},
		"after the third query":     {func(p *Proxy) { p.CutAfter(3) }, nil, "3"},
		"before the second execute": {func(p *Proxy) { p.CutBefore(3) }, arg, "1"},
		"after the second execute":  {func(p *Proxy) { p.CutAfter(3) }, arg, "1"},
		"before the second sync":    {func(p *Proxy) { p.CutBefore(4) }, arg, "1"},
		"after the second sync":     {func(p *Proxy) { p.CutAfter(4) }, arg, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			test := newCutTest(t)
			c.plan(test.proxy)
			if err := test.insert(c.args...); err == nil {
				t.Error("no statement failed")
			}
			if got := test.rows(); got != c.want {
				t.Errorf("there are %s rows, want %s", got, c.want)
			}
			if test.proxy.Planned() {
				t.Error("the cut is still planned")
			}
		})
	}
}

// transaction commits one row, the way a database/sql transaction does.
func (t *cutTest) transaction() error {
	tx, err := t.through.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO a_parent VALUES (1, $1)", "name"); err != nil {
		t.Fatal(err)
	}
	return tx.Commit(t.Context())
}

// batch commits one row in one round trip.
func (t *cutTest) batch() error {
	var b pgx.Batch
	b.Queue("BEGIN")
	b.Queue("INSERT INTO a_parent VALUES (1, $1)", "name")
	b.Queue("COMMIT;")
	return t.through.SendBatch(t.Context(), &b).Close()
}

// text commits one row in one Query.
func (t *cutTest) text() error {
	_, err := t.through.Exec(t.Context(), "BEGIN; INSERT INTO a_parent VALUES (1, ''); COMMIT")
	return err
}

func TestCutAtCommit(t *testing.T) {
	commits := map[string]func(*cutTest) error{
		"transaction": (*cutTest).transaction, "batch": (*cutTest).batch, "text": (*cutTest).text,
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeCacheDescribe} {
		for name, commit := range commits {
			t.Run(mode.String()+", "+name, func(t *testing.T) {
				test := newCutTest(t)
				test.through = test.connect(test.proxy.URL(), mode)
				test.proxy.CutBeforeCommit(1)
				if err, got := commit(test), test.rows(); err == nil || got != "0" {
					t.Errorf("before: error %v and %s rows, want an error and none", err, got)
				}
				test.through = test.connect(test.proxy.URL(), mode)
				test.proxy.CutAfterCommit(1)
				if err, got := commit(test), test.rows(); err == nil || got != "1" {
					t.Errorf("after: error %v and %s rows, want an error and 1", err, got)
				}
			})
		}
	}
}

func TestCutCountsCommits(t *testing.T) {
	for name, plan := range map[string]func(*Proxy){
		"0": func(p *Proxy) { p.CutBeforeCommit(2) }, "1": func(p *Proxy) { p.CutAfterCommit(2) },
	} {
		t.Run(name, func(t *testing.T) {
			test := newCutTest(t)
			plan(test.proxy)
			if err := test.batch(); err != nil {
				t.Fatal(err)
			}
			if _, err := test.through.Exec(t.Context(), "DELETE FROM a_parent WHERE id = $1", 1); err != nil {
				t.Fatal(err)
			}
			if err, got := test.transaction(), test.rows(); err == nil || got != name {
				t.Errorf("error %v and %s rows, want an error and %s", err, got, name)
			}
		})
	}
}

// send sends queries all at once, and does not wait for an answer.
func (t *cutTest) send(queries ...string) *pgconn.HijackedConn {
	t.Helper()
	client, err := t.through.PgConn().Hijack()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		client.Frontend.SendQuery(&pgproto3.Query{String: q})
	}
	if err := client.Frontend.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Conn.Close() })
	return client
}

// When the client sees the end of the connection, the server has done its part. The
// client gets all that came before, and nothing of the answer.
func TestCutAfterSwallowsOneAnswer(t *testing.T) {
	test := newCutTest(t)
	test.proxy.CutAfter(2)
	client := test.send("SELECT 7", "SELECT pg_sleep(0.3); INSERT INTO a_parent VALUES (1, '')")
	var got []string
	for {
		m, err := client.Frontend.Receive()
		if err != nil {
			break
		}
		got = append(got, strings.TrimPrefix(fmt.Sprintf("%T", m), "*pgproto3."))
	}
	want := "RowDescription DataRow CommandComplete ReadyForQuery"
	if rows := test.rows(); strings.Join(got, " ") != want || rows != "1" {
		t.Errorf("got the messages %v and %s rows, want %s and 1", got, rows, want)
	}
}

// A client that is killed does not keep the server from doing what it got.
func TestCutAfterDoesNotNeedTheClient(t *testing.T) {
	test := newCutTest(t)
	test.proxy.CutAfter(1)
	client := test.send("SELECT pg_sleep(0.3); INSERT INTO a_parent VALUES (1, '')")
	eventually(t, func() bool { return !test.proxy.Planned() })
	client.Conn.Close()
	eventually(t, func() bool { return test.rows() == "1" })
}

func TestCutPlan(t *testing.T) {
	test := newCutTest(t)
	test.proxy.CutBefore(6)
	if err := test.insert(); err != nil || !test.proxy.Planned() {
		t.Errorf("error %v, planned %t: want no cut yet", err, test.proxy.Planned())
	}
	test.proxy.CutBefore(0)
	if _, err := test.through.Exec(t.Context(), "SELECT 1"); err != nil || test.proxy.Planned() {
		t.Errorf("error %v, planned %t: want no cut any more", err, test.proxy.Planned())
	}
}

func TestCutNow(t *testing.T) {
	test := newCutTest(t)
	go func() {
		time.Sleep(100 * time.Millisecond)
		test.proxy.Cut()
	}()
	if _, err := test.through.Exec(t.Context(), "SELECT pg_sleep(60)"); err == nil {
		t.Error("the statement did not fail")
	}
	test.through = test.connect(test.proxy.URL(), pgx.QueryExecModeExec)
	if err := test.insert(); err != nil || test.rows() != "5" {
		t.Errorf("error %v and %s rows after a new connection, want 5", err, test.rows())
	}
}

// Without a plan nothing is changed: many and large messages, and requests to cancel.
func TestProxyPassesOn(t *testing.T) {
	test := newCutTest(t)
	var n, length int
	rows, err := test.through.Query(t.Context(), "SELECT repeat('x', $1::int) FROM generate_series(1, 1000)", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for ; rows.Next(); n++ {
		length += len(rows.RawValues()[0])
	}
	if rows.Err() != nil || n != 1000 || length != 10_000_000 {
		t.Errorf("error %v, %d rows, %d bytes", rows.Err(), n, length)
	}
	var cancelling sync.WaitGroup
	defer cancelling.Wait() // PgBouncer 1.18 crashes if such a request breaks off
	cancelling.Go(func() {
		time.Sleep(100 * time.Millisecond)
		if err := test.through.PgConn().CancelRequest(context.Background()); err != nil {
			t.Error(err)
		}
	})
	_, err = test.through.Exec(t.Context(), "SELECT pg_sleep(60)")
	if e := (*pgconn.PgError)(nil); !errors.As(err, &e) || e.Code != "57014" {
		t.Errorf("error %v, want 57014, query canceled", err)
	}
}

// A client that prefers encryption connects, as with a server that has none.
func TestProxyRefusesEncryption(t *testing.T) {
	u, err := url.Parse(NewProxy(t, Database(t)).URL())
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]bool{"disable": true, "prefer": true, "require": false} {
		err := open(t, withParameter(u, "sslmode", mode)).Ping()
		if (err == nil) != want {
			t.Errorf("sslmode=%s: error %v", mode, err)
		}
	}
}
