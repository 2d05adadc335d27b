package postgres

import (
	"context"
	"database/sql"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// server is a database on a server, and a pool of connections to it.
type server struct {
	*sqlx.DB
	name     string // what messages call it
	config   *pgx.ConnConfig
	maxConns int
	times    timeouts
}

// timeouts end what takes too long. They hold for one transaction each: a session may
// belong to others when a proxy keeps the connections.
type timeouts struct {
	// read and write are for a statement of a transaction that reads, or writes. Negative:
	// what the server has set for the user. 0: none.
	read, write time.Duration
	// lock is for the wait of a statement for a lock. 0: none.
	lock time.Duration
	// lease is how long a lease holds. A transaction that writes may wait as long for its
	// next statement: it keeps others from the lease, and its process may be paused.
	lease time.Duration
	// silence is how long the server may take to send the next bytes that it owes. 0: for
	// ever.
	silence time.Duration
}

const (
	defaultConnect   = 10 * time.Second
	defaultStatement = 10 * time.Minute
	// answerTime is what a server has, beyond the limit of a statement, to say that the
	// limit was exceeded.
	answerTime = 10 * time.Second
)

// connect opens the pool. It makes one connection, to see that it can; it returns a
// [*store.ServerError] if it cannot. It neither waits for a server that is down, nor
// looks at what is in the database.
func connect(ctx context.Context, url string) (*server, error) {
	a, err := parse(url)
	if err != nil {
		return nil, err
	}
	s := &server{name: a.name, config: a.config, maxConns: a.maxConns, times: a.timeouts()}
	a.configure(s.times.silence)
	s.DB = sqlx.NewDb(sql.OpenDB(texts{stdlib.GetConnector(*s.config)}), "pgx")
	s.SetMaxOpenConns(a.maxConns)
	s.SetMaxIdleConns(a.maxConns)
	s.SetConnMaxLifetime(a.lifetime)
	s.SetConnMaxIdleTime(a.idle)
	// Not Ping, which hides what a proxy says about the server behind it.
	if err := s.read(ctx, func(*txn) error { return nil }); err != nil {
		s.DB.Close() // nothing was written
		return nil, err
	}
	return s, nil
}

func (a *address) timeouts() timeouts {
	t := timeouts{read: a.statement, write: a.statement, lock: a.lock, lease: a.lease}
	if a.statement < 0 {
		t.write = defaultStatement
	}
	if t.write > 0 {
		t.silence = t.write + answerTime
	}
	return t
}

// configure makes connections of pgx what this package needs.
//
// Statements run in mode exec: one round trip each, with the unnamed statement, and
// values as text whose types the server finds. Nothing is kept in the session, nothing
// is remembered here that a migration could make wrong, and the long statements of a
// page, of which hardly two are alike, fill no cache. (Mode cache_describe asks for the
// types of each new statement first, which is a round trip, and keeps its text.)
func (a *address) configure(silence time.Duration) {
	config := a.config
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = defaultConnect
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "lobstrail"
	}
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["datestyle"] = "ISO" // the form in which pgx reads times
	dialer := &net.Dialer{Timeout: config.ConnectTimeout, KeepAliveConfig: a.keepAlive}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil || silence == 0 {
			return conn, err
		}
		return newTimedConn(conn, silence), nil
	}
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler { return &canceller{conn: conn} }
}
