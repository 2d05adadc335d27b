package engines_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/postgres/postgrestest"
	"github.com/lobstrail/lobstrail/store/relational"
	"github.com/lobstrail/lobstrail/store/storetest/engines"
)

// acme is the workspace of scripted runs.
const acme = "acme"

var scriptBegins = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)

// answer is what the API says in a step of a scripted run, which has so many steps: they
// ask for pages of the list, and the last one for one account, which is gone in every third
// run. Each answer says in one object which step of which run it was. In odd runs the
// second page has something that cannot be understood.
func answer(run int64, step, steps int, received, server time.Time) store.Response {
	r := store.Response{
		Source: store.List, Page: step, Sent: received.Add(-20 * time.Millisecond), Received: received, ServerTime: server, Requests: step,
	}
	if step == steps {
		r.Source, r.Page = store.Detail, 0
		if run%3 == 2 {
			r.Absent = []string{scriptedID(1, 0)}
		} else {
			r.Accounts = []store.Observed{account(run, step, 1, 0)}
		}
		return r
	}
	for n := range 4 {
		r.Accounts = append(r.Accounts, account(run, step, step, n))
	}
	if step == 2 && run%2 == 1 {
		r.Failures = []store.Failure{{Kind: store.FailDecode, Message: fmt.Sprint("no object in run ", run), At: received}}
	}
	return r
}

func scriptedID(page, n int) string { return fmt.Sprintf("%032x", page*10+n) }

// account is an account as a step shows it. The first of a page tells the step, the second
// stays as it is, the third expires and recovers, and the fourth moves its counter.
func account(run int64, step, page, n int) store.Observed {
	status, note, counter := "200", "", int64(0)
	switch n {
	case 0:
		note = fmt.Sprintf(`"note":"%d-%d",`, run, step)
	case 2:
		if (run+int64(page))%5 == 0 {
			status = "401"
		}
	case 3:
		counter = run
	}
	id := scriptedID(page, n)
	return store.Observed{ID: id, Raw: fmt.Appendf(nil,
		`{"id":%q,%s"username":"user%d","type":"linkedin-sync","status":%q,"params":{"user":{"daily":{"value":%d}}},"squids":[{"name":"S","hash_value":"s%d"}]}`,
		id, note, page*10+n, status, counter, n)}
}

// outcome is how a scripted run ends.
func outcome(run int64, steps int) store.Outcome {
	o := store.Outcome{State: store.Complete, Requested: 4 * steps, Requests: steps + 1}
	if run%2 == 1 {
		o.State, o.Warnings = store.Incomplete, []string{"one object was not understood"}
	}
	return o
}

// marks make the logs of two stores of one history equal.
func marks(pid int) *relational.Marks {
	return &relational.Marks{PID: pid, Salt: func(of string) ledger.Salt {
		salt := sha256.Sum256([]byte("salt of " + of))
		return salt[:]
	}}
}

// session opens the store at a place, stores scripted runs, and closes it. It begins where
// an earlier session broke off, with a new run.
type session struct {
	engine engines.Engine
	place  string
	runs   int64
	steps  int
	before func(run int64, step int) // unless it is nil: what happens first

	did string // what it did last
	now time.Time
}

func (s *session) play(ctx context.Context) error {
	s.did, s.now = "open", scriptBegins
	db, err := s.engine.OpenWriter(ctx, s.place, engines.Options{
		Now: func() time.Time { return s.now }, Rules: report.Rules(), LockWait: time.Minute, Marks: marks(1234),
	})
	if err != nil {
		return err
	}
	for range s.runs {
		if err := s.playRun(ctx, db); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	s.did = "close"
	return db.Close()
}

func (s *session) playRun(ctx context.Context, db store.Store) error {
	s.tick("begin", 0, 0)
	run, err := db.Begin(ctx, acme, store.ScopeAll)
	if err != nil {
		return err
	}
	for step := 1; step <= s.steps; step++ {
		s.tick("append", run.ID(), step)
		if _, err := run.Append(ctx, answer(run.ID(), step, s.steps, s.now, s.now.Truncate(time.Second))); err != nil {
			return err
		}
	}
	s.tick("read", run.ID(), s.steps+1)
	if err := s.ask(ctx, run); err != nil {
		return err
	}
	s.tick("unlist", run.ID(), s.steps+1)
	if err := run.Unlist(ctx, s.now, []string{scriptedID(int(run.ID()), 1)}); err != nil {
		return err
	}
	s.tick("finish", run.ID(), s.steps+2)
	return run.Finish(ctx, outcome(run.ID(), s.steps))
}

// ask reads what a job asks of the store before its end.
func (s *session) ask(ctx context.Context, run store.RunWriter) error {
	known, total, err := run.Known(ctx, []string{scriptedID(1, 0), scriptedID(1, 1), scriptedID(99, 0)})
	if err == nil && (known != 2 || total < known) {
		err = fmt.Errorf("%d of %d accounts are known", known, total)
	}
	missing, err2 := run.Missing(ctx, "", 10)
	told, err3 := run.Told(ctx, "nothing")
	if len(missing) > 4 || told {
		err = errors.Join(err, fmt.Errorf("%v are missing, told: %v", missing, told))
	}
	return errors.Join(err, err2, err3)
}

func (s *session) tick(what string, run int64, step int) {
	s.did, s.now = fmt.Sprintf("%s, step %d of run %d", what, step, run), s.now.Add(777*time.Millisecond)
	if s.before != nil {
		s.before(run, step)
	}
}

// undisturbed is the tree of the log that a session makes on SQLite.
func (s *session) undisturbed(t testing.TB) tlog.Tree {
	t.Helper()
	calm := session{engine: engines.All[0], runs: s.runs, steps: s.steps}
	calm.place = calm.engine.Place(t, report.Rules())
	if err := calm.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sound(t, calm.engine, calm.place)
}

// sound verifies the store at a place, and returns the tree of its log.
func sound(t testing.TB, e engines.Engine, place string) tlog.Tree {
	t.Helper()
	s, err := e.Open(t.Context(), place, engines.Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Verify(t.Context(), store.VerifyOptions{}, func(f store.Finding) { t.Errorf("verify: %+v", f) })
	if err != nil {
		t.Fatal(err)
	}
	tree, err := s.(interface {
		Tree(ctx context.Context, workspace string) (tlog.Tree, error)
	}).Tree(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// onDatabase reads from a database beside the store.
func onDatabase(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := postgrestest.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}
