package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
)

// leaseTable is that of the migrations.
const leaseTable = `CREATE TABLE lease (
	token bigint NOT NULL, pid bigint NOT NULL, since timestamptz NOT NULL, renewed timestamptz NOT NULL, expires timestamptz NOT NULL,
	ws integer NOT NULL, host text COLLATE "C" NOT NULL, machine text COLLATE "C" NOT NULL, step text COLLATE "C" NOT NULL, PRIMARY KEY (ws))`

const pageTable = `CREATE TABLE page (ws integer, n integer, writer text COLLATE "C")`

// leased is a database with leases and pages, and a lease of workspace 1.
func leased(t testing.TB) (address string, s *server, l *lease) {
	t.Helper()
	address = postgrestest.Database(t)
	s = open(t, address)
	must(t, s, leaseTable, pageTable)
	return address, s, acquired(t, s, 1)
}

func acquired(t testing.TB, s *server, ws int64) *lease {
	t.Helper()
	l, err := s.acquire(t.Context(), ws, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.stop)
	return l
}

// count is the number of rows of table page.
func count(t testing.TB, s *server) (n int) {
	t.Helper()
	if err := s.Get(&n, `SELECT count(*) FROM page`); err != nil {
		t.Fatal(err)
	}
	return n
}

func insertPage(ctx context.Context, tx *txn, n int) error {
	return tx.Exec(ctx, `INSERT INTO page (ws, n) VALUES (1, ?)`, n)
}

// transactionCase is what a transaction does, the error that must come of it (nil: none), and
// how many rows there are afterwards.
type transactionCase struct {
	name string
	do   func(ctx context.Context, t *testing.T, tx *txn) error
	want error
	rows int
}

// check runs the transaction on a table of one row.
func (c transactionCase) check(t *testing.T) {
	t.Parallel()
	_, s, l := leased(t)
	must(t, s, `INSERT INTO page (ws, n) VALUES (1, 0)`)
	begun := time.Now()
	err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error { return c.do(t.Context(), t, tx) })
	if !errors.Is(err, c.want) || count(t, s) != c.rows || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %v, %d rows; want %v, %d", err, time.Since(begun), count(t, s), c.want, c.rows)
	}
	if open := s.Stats().InUse; open != 0 {
		t.Errorf("%d connections were not given back", open)
	}
}

// TestTransactions: what a transaction that writes tells of an error, and what it leaves.
func TestTransactions(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	for _, c := range []transactionCase{
		{"an error of its own", func(ctx context.Context, t *testing.T, tx *txn) error {
			if err := insertPage(ctx, tx, 1); err != nil {
				return err
			}
			var n int
			if err := tx.GetContext(ctx, &n, `SELECT count(*) FROM page WHERE n = 1`); err != nil || n != 1 {
				t.Errorf("a query sees %d rows, %v: it must see what waited", n, err)
			}
			return mine
		}, mine, 1},
		{"an error that is ignored", func(ctx context.Context, t *testing.T, tx *txn) error {
			if err := insertPage(ctx, tx, 1); err != nil {
				return err
			}
			tx.ExecCount(ctx, `SELECT wrong`)
			tx.GetContext(ctx, new(int), `no`)
			return nil
		}, store.ErrStatement, 1},
		{"no row is no failure", func(ctx context.Context, t *testing.T, tx *txn) error {
			if err := tx.GetContext(ctx, new(int), `SELECT n FROM page WHERE n = ?`, 7); tx.server.interpret(ctx, writing, err) != store.ErrNotFound {
				t.Errorf("no row: %v", err)
			}
			return nil
		}, nil, 1},
		{"rows are counted", func(ctx context.Context, t *testing.T, tx *txn) error {
			if n, err := tx.ExecCount(ctx, `INSERT INTO page (ws, n) VALUES (1, ?), (1, ?)`, 1, 2); n != 2 || err != nil {
				t.Errorf("counted %d, %v", n, err)
			}
			return tx.ExecOne(ctx, `DELETE FROM page WHERE n = ?`, 1)
		}, nil, 2},
		{"a statement without its value", func(ctx context.Context, t *testing.T, tx *txn) error {
			return tx.Exec(ctx, `DELETE FROM page WHERE n = ?`)
		}, store.ErrStatement, 1},
		{"the one row is missing", func(ctx context.Context, t *testing.T, tx *txn) error {
			return tx.ExecOne(ctx, `DELETE FROM page WHERE n = ?`, 1)
		}, store.ErrDamaged, 1},
	} {
		t.Run(c.name, c.check)
	}
}

// TestQueryFailsInTheMiddle: a transaction that closed the rows of a query and did not ask
// for their error leaves nothing.
func TestQueryFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	_, s, l := leased(t)
	ctx := t.Context()
	err := s.write(ctx, writing, []*lease{l}, func(tx *txn) error {
		if err := insertPage(ctx, tx, 9); err != nil {
			return err
		}
		rows, err := tx.QueryxContext(ctx, `SELECT 1 / (2 - n) FROM generate_series(1, 3) n`)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return rows.Close()
	})
	if err == nil || count(t, s) != 0 {
		t.Errorf("%v, %d rows", err, count(t, s))
	}
}

// TestReadingTransactionsWriteNothing: neither what is deferred nor what is sent.
func TestReadingTransactionsWriteNothing(t *testing.T) {
	t.Parallel()
	_, s, _ := leased(t)
	ctx := t.Context()
	if err := s.read(ctx, func(tx *txn) error { return insertPage(ctx, tx, 1) }); err != nil {
		t.Errorf("what nobody asked for was sent: %v", err)
	}
	err := s.read(ctx, func(tx *txn) error {
		_, err := tx.ExecCount(ctx, `INSERT INTO page (ws, n) VALUES (1, 1)`)
		return err
	})
	if !errors.Is(err, store.ErrReadOnly) || count(t, s) != 0 {
		t.Errorf("a transaction that reads wrote: %v, %d rows", err, count(t, s))
	}
}

// TestNothingStaysInTheSession: what a transaction sets ends with it, whoever has the
// connection next.
func TestNothingStaysInTheSession(t *testing.T) {
	t.Parallel()
	s := open(t, parameter(t, postgrestest.Database(t), "statement_timeout", "77s"))
	s.SetMaxOpenConns(1)
	show := func(of interface {
		Get(any, string, ...any) error
	}) (values [3]string) {
		for i, name := range []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} {
			if err := of.Get(&values[i], "SHOW "+name); err != nil {
				t.Fatal(err)
			}
		}
		return values
	}
	before := show(s.DB)
	err := s.write(t.Context(), writing, nil, func(tx *txn) error {
		if got, want := show(inside{t.Context(), tx}), [3]string{"77s", "15s", "30s"}; got != want {
			t.Errorf("a transaction has %v, want %v", got, want)
		}
		return nil
	})
	if after := show(s.DB); err != nil || after != before {
		t.Errorf("the session has %v, it had %v (%v)", after, before, err)
	}
}

// inside is a transaction as something to show settings of.
type inside struct {
	ctx context.Context
	tx  *txn
}

func (i inside) Get(dest any, query string, args ...any) error {
	return i.tx.GetContext(i.ctx, dest, query, args...)
}

// TestTransactionsThatMeet: those that the server breaks off are run again, and none is
// lost, or done twice.
func TestTransactionsThatMeet(t *testing.T) {
	t.Parallel()
	address := direct(t) // a proxy has connections from before the level was set
	admin := open(t, address)
	must(t, admin, `CREATE TABLE counter (id integer PRIMARY KEY, n integer)`, `INSERT INTO counter VALUES (1, 0), (2, 0)`,
		"ALTER DATABASE "+admin.config.Database+" SET default_transaction_isolation = 'serializable'")
	var all sync.WaitGroup
	var tries atomic.Int64
	const each = 60 // enough for some of them to conflict
	for i := range 4 {
		s := open(t, address)
		all.Go(func() {
			for range each {
				err := s.write(t.Context(), writing, nil, func(tx *txn) error {
					tries.Add(1)
					for _, id := range [2]int{1 + i%2, 2 - i%2} { // in both orders, which also makes deadlocks
						var n int
						if err := tx.GetContext(t.Context(), &n, `SELECT n FROM counter WHERE id = ?`, id); err != nil {
							return err
						}
						if err := tx.ExecOne(t.Context(), `UPDATE counter SET n = ? WHERE id = ?`, n+1, id); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var counted []int
	if err := admin.Select(&counted, `SELECT n FROM counter ORDER BY id`); err != nil || fmt.Sprint(counted) != fmt.Sprint([]int{4 * each, 4 * each}) {
		t.Errorf("%d transactions counted to %v (%v)", 4*each, counted, err)
	}
	if tries.Load() <= 4*each {
		t.Error("no transaction was broken off: nothing was tested")
	}
}

// TestConnectionsThatAreCut: wherever the connection breaks, before or after the server
// got what was sent, each page is stored once.
func TestConnectionsThatAreCut(t *testing.T) {
	t.Parallel()
	address, admin, l := leased(t)
	if err := l.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	const pages = 3
	for _, plan := range []func(*postgrestest.Proxy, int){(*postgrestest.Proxy).CutBefore, (*postgrestest.Proxy).CutAfter} {
		cuts := 0
		for n := 1; ; n++ {
			cut := writeCut(t, address, pages, func(p *postgrestest.Proxy) { plan(p, n) })
			var stored []int
			if err := admin.Select(&stored, `SELECT n FROM page ORDER BY n`); err != nil || fmt.Sprint(stored) != "[0 1 2]" {
				t.Errorf("cut at %d: stored are the pages %v (%v)", n, stored, err)
			}
			must(t, admin, `TRUNCATE page, lease`)
			if !cut {
				break
			}
			cuts++
		}
		if cuts < 4*pages {
			t.Errorf("only %d connections were cut", cuts)
		}
	}
}

// writeCut takes the lease, writes pages and gives it back, through a proxy that cuts the
// connection where plan says. It reports whether the connection was cut.
func writeCut(t *testing.T, address string, pages int, plan func(*postgrestest.Proxy)) (cut bool) {
	t.Helper()
	proxy := postgrestest.NewProxy(t, address)
	s := open(t, proxy.URL())
	defer s.Close()
	plan(proxy)
	l, err := s.acquire(t.Context(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := range pages {
		err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error {
			if err := tx.GetContext(t.Context(), new(int), `SELECT count(*) FROM page WHERE n = ?`, n); err != nil {
				return err
			}
			return insertPage(t.Context(), tx, n)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	planned := proxy.Planned()
	if err := l.release(t.Context()); err != nil && !planned {
		t.Fatal(err)
	}
	return !planned
}

// TestPageCostsFourRoundTrips: the beginning and the lease, a query, all that is written,
// and COMMIT. What is written is one statement, and the time-outs are none of their own.
func TestPageCostsFourRoundTrips(t *testing.T) {
	address, admin, l := leased(t)
	must(t, admin, `CREATE TABLE other (ws integer)`, `CREATE TABLE third (ws integer)`)
	if err := l.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	var trips, parses atomic.Int64
	s := open(t, through(t, address, func(to io.Writer, p []byte) error {
		trips.Add(1)
		for p := p; len(p) >= 5; { // a message: its kind, and its length without that
			if p[0] == 'P' {
				parses.Add(1)
			}
			p = p[min(len(p), 1+int(p[1])<<24+int(p[2])<<16+int(p[3])<<8+int(p[4])):]
		}
		_, err := to.Write(p)
		return err
	}))
	l = acquired(t, s, 1)
	trips.Store(0)
	parses.Store(0)
	err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error {
		if err := tx.GetContext(t.Context(), new(int), `SELECT count(*) FROM page WHERE ws = ?`, 1); err != nil {
			return err
		}
		for _, table := range []string{"page", "other", "third"} {
			if err := tx.Exec(t.Context(), `INSERT INTO `+table+` (ws) VALUES (?)`, 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || trips.Load() != 4 || parses.Load() != 4 {
		t.Errorf("%d round trips, %d statements with BEGIN, want 4 and 4 (%v)", trips.Load(), parses.Load(), err)
	}
}

// TestTheFirstStatementWaitsNoLonger: the time-outs of a transaction hold for its first
// statement, too, which waits for the row of the lease.
func TestTheFirstStatementWaitsNoLonger(t *testing.T) {
	t.Parallel()
	address, s, l := leased(t)
	l.stop()
	other := open(t, address)
	other.times.lock = 300 * time.Millisecond
	same := &lease{server: other, ws: l.ws, token: l.token}
	err := s.write(t.Context(), writing, []*lease{l}, func(*txn) error {
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := other.attempt(ctx, writing, "step", []*lease{same}, func(*txn) error { return nil })
		if took := time.Since(begun); err == nil || !contains(err.Error(), "55P03") || took > 3*time.Second {
			t.Errorf("it waited for %v: %v", took, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestStoppedTransactions: a context that ends is obeyed wherever it ends.
func TestStoppedTransactions(t *testing.T) {
	t.Parallel()
	_, s, l := leased(t)
	stopped := errors.New("stopped")
	for name, wait := range map[string]func(ctx context.Context, tx *txn) error{
		"in a statement": func(ctx context.Context, tx *txn) error {
			return tx.GetContext(ctx, new(string), `SELECT pg_sleep(30)::text`)
		},
		"between": func(ctx context.Context, tx *txn) error { <-ctx.Done(); return nil },
		"while retrying": func(ctx context.Context, tx *txn) error {
			_, err := tx.ExecCount(ctx, `DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$`)
			return err
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(300*time.Millisecond, func() { cancel(stopped) })
		begun := time.Now()
		err := s.write(ctx, writing, []*lease{l}, func(tx *txn) error {
			if err := insertPage(ctx, tx, 1); err != nil {
				return err
			}
			return wait(ctx, tx)
		})
		if took := time.Since(begun); err != stopped || took > 3*time.Second || count(t, s) != 0 {
			t.Errorf("%s: %v after %v, %d rows", name, err, took, count(t, s))
		}
	}
}

// TestIdleTransactionIsEnded: a process that is paused within a transaction does not keep
// the lease from others for longer than a lease, and goes on when nobody took it.
func TestIdleTransactionIsEnded(t *testing.T) {
	t.Parallel()
	_, s, l := leased(t)
	l.stop()
	s.times.lease = 500 * time.Millisecond
	tries := 0
	err := s.write(t.Context(), writing, []*lease{l}, func(tx *txn) error {
		if tries++; tries == 1 {
			time.Sleep(1500 * time.Millisecond)
		}
		return insertPage(t.Context(), tx, 1)
	})
	if err != nil || tries != 2 || count(t, s) != 1 {
		t.Errorf("%v after %d tries, %d rows", err, tries, count(t, s))
	}
}
