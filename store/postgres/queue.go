package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lobstrail/lobstrail/store"
)

// deferred is a statement that waits for the flush.
type deferred struct {
	*spelled
	args []any
	one  bool // it must change exactly one row
}

// group is a sequence of deferred statements that are sent as one statement of SQL:
//
//	WITH w1 AS (INSERT ...), w2 AS (UPDATE ... RETURNING 1) SELECT (SELECT count(*) FROM w2)
//
// All parts of such a statement see the tables as they were before it, and the order in
// which they run is not defined. So no two parts change the same table, and none but the
// first reads a table. Then each does what it would do alone, after the ones before it:
// the schema has no triggers and no foreign keys, by which one could reach another.
type group struct {
	statements []deferred
	tables     map[string]bool
	args       int
}

// A flush is sent when so much waits. The protocol allows 65,535 values a statement.
const (
	maxArgs  = 30_000
	maxBytes = 8 << 20
)

// queue is what waits, in its order.
type queue struct {
	groups      []*group
	args, bytes int
}

// add puts a statement at the end, and reports whether the queue is full.
func (q *queue) add(d deferred) (full bool) {
	var last *group
	if n := len(q.groups); n > 0 {
		last = q.groups[n-1]
	}
	if last == nil || !last.takes(d) {
		last = &group{tables: map[string]bool{}}
		q.groups = append(q.groups, last)
	}
	last.statements = append(last.statements, d)
	last.tables[d.table] = true
	last.args += len(d.args)
	q.args += len(d.args)
	for _, arg := range d.args {
		q.bytes += size(arg)
	}
	return q.args >= maxArgs || q.bytes >= maxBytes
}

// takes reports whether a statement may be sent together with those of the group, after
// them.
func (g *group) takes(d deferred) bool {
	return d.table != "" && !d.reads && !g.tables[d.table] && !g.tables[""] && g.args+len(d.args) <= maxArgs
}

func size(arg any) int {
	switch value := arg.(type) {
	case string:
		return len(value)
	case []byte:
		return len(value)
	case sql.NullString:
		return len(value.String)
	}
	return 8
}

// sql is the statement of a group, and its values.
func (g *group) sql() (text string, args []any) {
	if len(g.statements) == 1 {
		return g.statements[0].text, g.statements[0].args
	}
	var with, counts strings.Builder
	for i, d := range g.statements {
		name := "w" + strconv.Itoa(i+1)
		with.WriteString(", " + name + " AS (" + d.shifted(len(args)))
		if d.one {
			with.WriteString(" RETURNING 1")
			counts.WriteString(", (SELECT count(*) FROM " + name + ")")
		}
		with.WriteString(")")
		args = append(args, d.args...)
	}
	return "WITH " + with.String()[2:] + " SELECT 0" + counts.String(), args
}

// send sends all that waits in one round trip.
func (q *queue) send(ctx context.Context, conn *pgx.Conn) error {
	groups := q.groups
	*q = queue{}
	if len(groups) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for _, g := range groups {
		text, args := g.sql()
		batch.Queue(text, args...)
	}
	results := conn.SendBatch(ctx, batch)
	for _, g := range groups {
		if err := g.check(results); err != nil {
			return errors.Join(err, ignore(results.Close(), err))
		}
	}
	return results.Close()
}

// ignore leaves out an error that has been told.
func ignore(err, told error) error {
	if err != nil && (errors.Is(told, err) || err.Error() == told.Error()) {
		return nil
	}
	return err
}

// check reads the result of the group, and compares it with what it must be.
func (g *group) check(results pgx.BatchResults) error {
	if len(g.statements) == 1 {
		tag, err := results.Exec()
		if err != nil {
			return err
		}
		return g.statements[0].check(tag.RowsAffected())
	}
	var zero int64
	counts := []any{&zero}
	for _, d := range g.statements {
		if d.one {
			counts = append(counts, new(int64))
		}
	}
	if err := results.QueryRow().Scan(counts...); err != nil {
		return err
	}
	for _, d := range g.statements {
		if d.one {
			if err := d.check(*counts[1].(*int64)); err != nil {
				return err
			}
			counts = counts[1:]
		}
	}
	return nil
}

// check returns ErrDamaged when the statement changed another number of rows than it
// must: the store is then not what was written.
func (d deferred) check(n int64) error {
	if d.one && n != 1 {
		return fmt.Errorf("%w: %d rows instead of one: %s %v", store.ErrDamaged, n, strings.TrimSpace(d.text), d.args)
	}
	return nil
}
