package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// cursor reads the rows of a query in order, with the next one at hand.
type cursor[Row any] struct {
	rows *sql.Rows
	scan func(*sql.Rows, *Row) error
	next Row
	ok   bool // there is a next row
}

// reader is a transaction that rows are read from.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func newCursor[Row any](ctx context.Context, tx reader, scan func(*sql.Rows, *Row) error, query string, args ...any,
) (*cursor[Row], error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	c := &cursor[Row]{rows: rows, scan: scan}
	return c, c.advance()
}

func (c *cursor[Row]) advance() error {
	var row Row
	if c.next, c.ok = row, c.rows.Next(); !c.ok {
		return c.rows.Err()
	}
	return c.scan(c.rows, &c.next)
}

func (c *cursor[Row]) close() error {
	if c == nil {
		return nil
	}
	return c.rows.Close()
}

// shown is a snapshot of a response as it is stored.
type shown struct {
	account, document int64
	received          bool   // something came with it: the digest, or what moved
	digest            []byte // of the object as received; nil: not kept
	moved             []ledger.Counters
	erased            ledger.Hash // the commitment to what came with it; zero: it is there
}

// shownRows reads what responses showed, in their order: a cursor for each table.
type shownRows struct {
	snapshots *cursor[snapshotRow]
	received  *cursor[receivedRow]
	usages    *cursor[usageRow]
	all       []shown // of the response at hand
	// stray, unless nil, is told of rows that belong to no snapshot.
	stray func(table string, at spot)
}

// spot is a snapshot's, by row numbers.
type spot struct{ response, account int64 }

func (p spot) where() spot { return p }

type (
	snapshotRow struct {
		spot
		document int64
	}
	receivedRow struct {
		spot
		digest, erased []byte
	}
	usageRow struct {
		spot
		counters ledger.Counters
	}
)

// newShownRows reads what the responses from the first to the last number showed.
func newShownRows(ctx context.Context, tx reader, first, last int64) (s *shownRows, err error) {
	s = &shownRows{}
	s.snapshots, err = newCursor(ctx, tx, func(rows *sql.Rows, r *snapshotRow) error {
		return rows.Scan((*number)(&r.response), (*number)(&r.account), (*number)(&r.document))
	}, `
		SELECT response_id, account_id, document_id
		FROM snapshot
		WHERE response_id BETWEEN ? AND ?
		ORDER BY response_id, account_id`, first, last)
	if err == nil {
		s.received, err = newCursor(ctx, tx, func(rows *sql.Rows, r *receivedRow) error {
			return rows.Scan((*number)(&r.response), (*number)(&r.account), &r.digest, &r.erased)
		}, `
			SELECT
				response_id,
				account_id,
				digest,
				iif(digest IS NULL, (
					SELECT hash FROM redacted x
					WHERE x.account_id = received.account_id AND x.what = 'received' AND x.id = received.response_id
				), NULL)
			FROM received
			WHERE response_id BETWEEN ? AND ?
			ORDER BY response_id, account_id`, first, last)
	}
	if err == nil {
		s.usages, err = newCursor(ctx, tx, func(rows *sql.Rows, r *usageRow) error {
			return rows.Scan((*number)(&r.response), (*number)(&r.account), &r.counters.Pointer, &r.counters.Body, &r.counters.Max)
		}, `
			SELECT response_id, account_id, pointer, body, max
			FROM usage
			WHERE response_id BETWEEN ? AND ?
			ORDER BY response_id, account_id, pointer`, first, last)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *shownRows) close() error {
	return errors.Join(s.snapshots.close(), s.received.close(), s.usages.close())
}

// of reads what the response showed, by account. Responses are asked for in their
// order; the answer holds until the next one.
func (s *shownRows) of(response int64) ([]shown, error) {
	s.all = s.all[:0]
	err := upTo(s.snapshots, response, func(row *snapshotRow) {
		if row.response < response {
			s.tell("snapshot", row.spot)
			return
		}
		s.all = append(s.all, shown{account: row.account, document: row.document})
	})
	if err != nil {
		return nil, err
	}
	at := 0
	err = upTo(s.received, response, func(row *receivedRow) {
		if one := s.find(&at, "received", row.spot, response); one != nil {
			one.received, one.digest = true, row.digest
			copy(one.erased[:], row.erased)
		}
	})
	if err != nil {
		return nil, err
	}
	at = 0
	err = upTo(s.usages, response, func(row *usageRow) {
		if one := s.find(&at, "usage", row.spot, response); one != nil {
			one.moved = append(one.moved, row.counters)
		}
	})
	return s.all, err
}

// end tells of the rows behind the last response that was asked for.
func (s *shownRows) end() error {
	return errors.Join(
		upTo(s.snapshots, noMore, func(row *snapshotRow) { s.tell("snapshot", row.spot) }),
		upTo(s.received, noMore, func(row *receivedRow) { s.tell("received", row.spot) }),
		upTo(s.usages, noMore, func(row *usageRow) { s.tell("usage", row.spot) }),
	)
}

// upTo calls fn with the rows up to those of the response.
func upTo[Row interface{ where() spot }](c *cursor[Row], response int64, fn func(*Row)) error {
	for c.ok && c.next.where().response <= response {
		fn(&c.next)
		if err := c.advance(); err != nil {
			return err
		}
	}
	return nil
}

// find is the snapshot of the response to which a row belongs, from number at on,
// which it moves; nil when there is none.
func (s *shownRows) find(at *int, table string, row spot, response int64) *shown {
	for row.response == response && *at < len(s.all) && s.all[*at].account < row.account {
		*at++
	}
	if row.response != response || *at == len(s.all) || s.all[*at].account != row.account {
		s.tell(table, row)
		return nil
	}
	return &s.all[*at]
}

func (s *shownRows) tell(table string, row spot) {
	if s.stray != nil {
		s.stray(table, row)
	}
}

// shownBy reads what one response showed, by account.
func shownBy(ctx context.Context, tx *txn, response int64) ([]shown, error) {
	s, err := newShownRows(ctx, tx, response, response)
	if err != nil {
		return nil, err
	}
	all, err := s.of(response)
	return all, errors.Join(err, s.close())
}
