package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"
	"strings"
	"sync"

	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// readPragmas are the pragmas that tell something. The value reports whether what is
// given to one is only what to tell about; to all others it would be a new value.
var readPragmas = map[string]bool{
	"application_id": false, "collation_list": false, "compile_options": false, "database_list": false,
	"foreign_key_list": true, "freelist_count": false, "function_list": false, "index_info": true,
	"index_list": true, "index_xinfo": true, "integrity_check": true, "page_count": false, "page_size": false,
	"quick_check": true, "schema_version": false, "table_info": true, "table_list": true, "table_xinfo": true,
	"user_version": false,
}

// allowReading is SQLite's authorizer for the queries of users: it lets a
// statement be compiled only if it reads this database. A read-only connection
// is not enough for that: ATTACH and VACUUM INTO create files on one.
func allowReading(action sqlite.AuthorizerActionCode, name, argument, _, _ string) sqlite.AuthorizerReturnCode {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRead, sqlite.AuthFunction, sqlite.AuthRecursive:
		return sqlite.AuthorizerOK
	case sqlite.AuthPragma:
		if about, known := readPragmas[strings.ToLower(name)]; known && (about || argument == "") {
			return sqlite.AuthorizerOK
		}
	}
	return sqlite.AuthorizerDeny
}

// restrict begins a read transaction on a connection and lets it do nothing but read,
// within limits. release gives the connection back as it was.
func restrict(ctx context.Context, conn *sql.Conn) (release func(), err error) {
	limits := map[int]int{sqlite3.SQLITE_LIMIT_LENGTH: MaxQueryValue, sqlite3.SQLITE_LIMIT_COLUMN: maxQueryColumns}
	before := map[int]int{}
	release = func() {
		err := authorize(conn, nil)
		if err == nil {
			// Also after an interrupt, and when ctx is done.
			_, err = conn.ExecContext(context.Background(), "ROLLBACK")
		}
		for id, limit := range before {
			_, failed := sqlite.Limit(conn, id, limit)
			err = errors.Join(err, failed)
		}
		if err != nil { // it is not what it was, so nobody shall have it
			conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		conn.Close() // which keeps it for the next one, if it is still of use
	}
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return release, err
	}
	for id, limit := range limits {
		if before[id], err = sqlite.Limit(conn, id, limit); err != nil {
			return release, err
		}
	}
	return release, authorize(conn, allowReading)
}

func authorize(conn *sql.Conn, fn sqlite.AuthorizerFn) error {
	return conn.Raw(func(driver any) error {
		return driver.(sqlite.AuthorizerRegisterer).RegisterAuthorizer(fn)
	})
}

// interruptLater interrupts what runs on the connection when ctx is done. The function it
// returns ends that. The driver watches ctx during the first step of a statement only
// (modernc.org/sqlite 1.61), and keeps sqlite3_interrupt to itself: the handle that it
// takes is read from the driver's connection. TestQueriesStop tells when that fails.
func interruptLater(ctx context.Context, conn *sql.Conn) (end func()) {
	var handle uintptr
	conn.Raw(func(driver any) error {
		if field := reflect.Indirect(reflect.ValueOf(driver)).FieldByName("db"); field.Kind() == reflect.Uintptr {
			handle = uintptr(field.Uint())
		}
		return nil
	})
	var running sync.Mutex // held while the connection must not be closed
	ended := false
	stop := context.AfterFunc(ctx, func() {
		running.Lock()
		defer running.Unlock()
		if handle != 0 && !ended {
			tls := libc.NewTLS()
			defer tls.Close()
			sqlite3.Xsqlite3_interrupt(tls, handle)
		}
	})
	return func() {
		stop()
		running.Lock()
		defer running.Unlock()
		ended = true
	}
}
