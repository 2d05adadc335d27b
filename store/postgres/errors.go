package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lobstrail/lobstrail/store"
)

// doing is what a transaction is for. It decides which right is missing.
type doing int

const (
	reading doing = iota
	writing
	migrating
)

// interpret translates the driver's errors, by code, into those of package store, and
// names the database in them. It is called where a transaction or a single read ends; an
// error that has been translated stays as it is. When the context is done it returns the
// cause of that.
func (s *server) interpret(ctx context.Context, what doing, err error) error {
	var attempt *pgconn.ConnectError
	var failed *pgconn.PgError
	switch {
	case err == nil, isTranslated(err):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, sql.ErrNoRows):
		return store.ErrNotFound
	case strings.HasPrefix(err.Error(), "sql: Scan error"): // database/sql has no type for it
		return fmt.Errorf("%w: a value is not of its column's type: %w", store.ErrDamaged, err)
	case errors.As(err, &attempt):
		return s.connectProblem(attempt)
	case errors.As(err, &failed):
		return s.serverProblem(what, failed, err)
	case pgconn.Timeout(err):
		return s.problem(store.ErrUnreachable, err, "the server did not answer in time", nextReach)
	case isLost(err):
		return s.problem(store.ErrUnreachable, err, "the connection to the server was lost", nextAgain)
	}
	return err
}

// isTranslated reports whether the error has a meaning of package store already.
func isTranslated(err error) bool {
	for _, meaning := range []error{
		store.ErrFull, store.ErrDisk, store.ErrDamaged, store.ErrBusy, store.ErrFenced, store.ErrStatement, store.ErrReadOnly, store.ErrTooLarge,
		store.ErrNotFound, store.ErrNoStore, store.ErrForeign, store.ErrOlder, store.ErrNewer, store.ErrConflict, store.ErrInvalid, store.ErrRedacted,
		store.ErrUnreachable, store.ErrLogin, store.ErrNoDatabase, store.ErrRights,
	} {
		if errors.Is(err, meaning) {
			return true
		}
	}
	return false
}

const (
	nextReach = "check host and port in the URL, that the server runs, and that a firewall lets this machine through"
	nextAgain = "what was stored before is kept; run the command again"
	nextWait  = "run the command again in a while"
)

func (s *server) problem(kind, cause error, problem, next string) error {
	return &store.ServerError{Kind: kind, Problem: s.name + ": " + problem, Next: next, Cause: cause}
}

// serverProblem is what the server itself said, by its code. All codes:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
func (s *server) serverProblem(what doing, failed *pgconn.PgError, err error) error {
	said := failed.Message
	switch failed.Code {
	case "28P01", "28000", "3D000":
		return s.loginProblem(failed)
	case "42501":
		return s.rightsProblem(what, failed)
	case "25006":
		return s.readOnlyProblem(what, failed)
	case "53100":
		return fmt.Errorf("%s: %w: %w", s.name, store.ErrFull, failed)
	case "53300":
		return s.problem(store.ErrUnreachable, failed, "the server has no connection left: "+said,
			"wait until others are done, give each process less with pool_max_conns in the URL, or put PgBouncer before the server")
	case "55P03":
		return s.problem(store.ErrBusy, failed, "another session holds a lock for longer than lock_timeout: "+said, "pg_stat_activity shows who; "+nextWait)
	case "40001", "40P01":
		return s.problem(store.ErrBusy, failed, "the server broke the transaction off in favour of another one: "+said, nextWait)
	case "57014":
		return s.problem(store.ErrUnreachable, failed, "the server cancelled a statement: "+said, "statement_timeout in the URL gives it more time")
	case "25P03":
		return s.problem(store.ErrUnreachable, failed, "the server ended a transaction, because this process was idle for too long", nextAgain)
	case "57P01", "57P02", "57P03":
		return s.problem(store.ErrUnreachable, failed, "the server is shutting down or starting: "+said, nextWait)
	case "22021":
		return fmt.Errorf("%w: a text is no UTF-8: %w", store.ErrInvalid, failed)
	case "58030":
		return fmt.Errorf("%s: %w: %w", s.name, store.ErrDisk, failed)
	case "XX001", "XX002", "58P01", "22P02", "22003": // the last two: a stored text is no JSON, or no number of this size
		return fmt.Errorf("%s: %w: %w", s.name, store.ErrDamaged, failed)
	}
	switch failed.Code[:min(2, len(failed.Code))] {
	case "08":
		if isOfProxy(failed) {
			return s.proxyProblem(what, failed)
		}
		return fmt.Errorf("%w: %w", store.ErrStatement, failed)
	case "22", "42", "0A":
		if strings.Contains(said, "hot standby") { // where serializable is the default
			return s.readOnlyProblem(what, failed)
		}
		return fmt.Errorf("%w: %w", store.ErrStatement, failed)
	case "54":
		return fmt.Errorf("%w: %w", store.ErrTooLarge, failed)
	}
	return err
}

// isOfProxy reports whether a proxy said it: PgBouncer has one code for nearly all of its
// problems. A server that says so, of values that do not fit the statement, adds which
// of its functions did.
func isOfProxy(failed *pgconn.PgError) bool {
	return strings.HasPrefix(failed.Code, "08") && failed.Routine == ""
}

// proxyProblem is what a proxy says about itself, or passes on from the server behind it
// without the code of that.
func (s *server) proxyProblem(what doing, failed *pgconn.PgError) error {
	said := failed.Message
	switch {
	case strings.Contains(said, "no such database"):
		return s.problem(store.ErrNoDatabase, failed, "the proxy does not know the database: "+said, "add it to [databases] of pgbouncer.ini")
	case strings.Contains(said, "database") && strings.Contains(said, "does not exist"):
		return s.problem(store.ErrNoDatabase, failed, "the server behind the proxy has no such database", "create it there: "+s.createdb())
	case strings.Contains(said, "permission denied"):
		return s.rightsProblem(what, failed)
	case strings.Contains(said, "user"), strings.Contains(said, "password"), strings.Contains(said, "auth"):
		return s.problem(store.ErrLogin, failed, "the proxy refused the login: "+said, "check user and password here, and auth_file or auth_query of PgBouncer")
	case strings.Contains(said, "startup parameter"):
		return s.problem(store.ErrInvalid, failed, "the proxy does not pass a parameter on: "+said, "leave it out of the URL and of PGOPTIONS")
	}
	return s.problem(store.ErrUnreachable, failed, "the proxy cannot reach the server: "+said, "check that the server behind it runs; "+nextWait)
}

// readOnlyProblem tells a server that nobody can write to from a transaction that is
// only for reading.
func (s *server) readOnlyProblem(what doing, failed *pgconn.PgError) error {
	if what == reading {
		return fmt.Errorf("%w: %w", store.ErrReadOnly, failed)
	}
	return s.problem(store.ErrReadOnly, failed, "the server allows reading only: it is a replica, or default_transaction_read_only is on",
		"name the primary in the URL, or all hosts with target_session_attrs=read-write; commands that only read work here")
}

// isLost reports whether the connection broke, or none could be made.
func isLost(err error) bool {
	var attempt *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &attempt):
		_, _, kind := connectReason(attempt)
		return kind == store.ErrUnreachable
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, pgconn.ErrConnClosed),
		errors.Is(err, driver.ErrBadConn), errors.As(err, &network):
		return true
	}
	return pgconn.Timeout(err)
}
