package relational

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// Fail stores failures that no understood response carried. requests is how many
// requests the run has sent so far.
func (w *RunWriter) Fail(ctx context.Context, requests int, failures ...store.Failure) error {
	return w.update(ctx, func(tx Tx) error {
		lines, err := w.insertFailures(ctx, tx, failures)
		if err != nil {
			return err
		}
		if err := w.count(ctx, tx, store.Appended{Failed: len(failures)}, requests, nil); err != nil {
			return err
		}
		return w.ws.appendEntry(ctx, tx, lines...)
	})
}

// insertFailures writes failures, and returns their lines of the log.
func (w *RunWriter) insertFailures(ctx context.Context, tx Tx, failures []store.Failure) (lines []string, err error) {
	if len(failures) == 0 {
		return nil, nil
	}
	var n int64
	if err := tx.GetContext(ctx, &n, `SELECT coalesce(max(n), 0) FROM failure WHERE ws = ? AND run = ?`, w.ws.id, w.id); err != nil {
		return nil, err
	}
	for _, f := range failures {
		if f.At.IsZero() {
			f.At = w.store.now()
		}
		if w.withheld[f.Account] {
			f.Message = "redacted: nothing of the account is stored any more"
		}
		f.Message = strings.ToValidUTF8(f.Message, "\uFFFD") // PostgreSQL stores nothing else
		n++
		row := failureRow{
			Run: w.id, N: n, Account: textOrNull(f.Account), Kind: string(f.Kind), Message: f.Message, At: ceilMS(f.At), Salt: w.ws.salt(fmt.Sprintf("%d/%d", w.id, n)),
			HTTPStatus: sql.NullInt64{Int64: int64(f.HTTPStatus), Valid: f.HTTPStatus != 0},
		}
		if err := w.ws.insertFailure(ctx, tx, row); err != nil {
			return nil, err
		}
		lines = append(lines, row.line())
	}
	return lines, nil
}

func (w *workspace) insertFailure(ctx context.Context, tx Tx, f failureRow) error {
	return tx.Exec(ctx, `
		INSERT INTO failure (ws, run, n, account, kind, http_status, message, at, salt)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.id, f.Run, f.N, f.Account, f.Kind, f.HTTPStatus, f.Message, f.At, orByte(f.Salt))
}

// failureRow is a row of table failure.
type failureRow struct {
	Run        int64          `db:"run"`
	N          int64          `db:"n"`
	Account    sql.NullString `db:"account"`
	Kind       string         `db:"kind"`
	HTTPStatus sql.NullInt64  `db:"http_status"`
	Message    string         `db:"message"`
	At         int64          `db:"at"`
	Salt       []byte         `db:"salt"`
}

func (f *failureRow) line() string { return f.lineWith(nil) }

// lineWith is the line of a failure of which, unless it is nil, the commitment to the
// message is all that is left.
func (f *failureRow) lineWith(erased []byte) string {
	line := ledger.Failure{
		ID: f.N, Run: f.Run, Kind: f.Kind, HTTPStatus: pointerTo(f.HTTPStatus), At: f.At, Message: ledger.Salt(f.Salt).Message(f.Message),
	}
	if erased != nil {
		copy(line.Message[:], erased)
	}
	if f.Account.Valid {
		line.Account = &f.Account.String
	}
	return line.Line()
}
