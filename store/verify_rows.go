package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// lineOf is a line of an entry.
type lineOf struct {
	entry   int64
	run     int64 // that the entry is about
	subject int64 // the number of what the line is about
	text    string
}

// evidenceRows are the rows that lines are about, in their order.
type evidenceRows struct {
	responses *cursor[loggedResponse]
	shown     *shownRows
	failures  *cursor[loggedFailure]
	absences  *cursor[absenceRow]
	total     int64 // of responses
}

// absenceRow is a row of table absence.
type absenceRow struct {
	ledger.Absence
	account sql.NullString // id
}

// open begins behind what was named so far.
func (r *evidenceRows) open(ctx context.Context, c *logCheck) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if err = c.tx.GetContext(ctx, &r.total, `SELECT coalesce(max(id), 0) FROM response`); err != nil {
		return err
	}
	r.responses, err = newCursor(ctx, c.tx, scanResponse, loggedResponses+` WHERE id > ? ORDER BY id`, c.named["response"])
	if err != nil {
		return err
	}
	if r.shown, err = newShownRows(ctx, c.tx.Tx, c.named["response"]+1, noMore); err != nil {
		return err
	}
	r.shown.stray = func(table string, at spot) {
		c.find(table, at, "belongs to no snapshot of a response that an entry names")
	}
	r.failures, err = newCursor(ctx, c.tx, func(rows *sql.Rows, f *loggedFailure) error {
		return rows.Scan(&f.ID, &f.Run, &f.Account, &f.Kind, &f.HTTPStatus, &f.Message, &f.At, &f.Salt, &f.Erased)
	}, `SELECT `+failureColumns+` FROM failure WHERE id > ? ORDER BY id`, c.named["failure"])
	if err != nil {
		return err
	}
	r.absences, err = newCursor(ctx, c.tx, func(rows *sql.Rows, a *absenceRow) error {
		err := rows.Scan(&a.ID, &a.Run, &a.account, &a.Since)
		a.Account = a.account.String
		return err
	}, `
		SELECT x.id, x.run_id, a.hash, x.since
		FROM absence x
		LEFT JOIN account a ON a.id = x.account_id
		WHERE x.id > ?
		ORDER BY x.id`, c.named["absence"])
	return err
}

func scanResponse(rows *sql.Rows, r *loggedResponse) error {
	return rows.Scan(&r.ID, &r.Workspace, &r.Run, &r.Source, &r.Sent, &r.Received, &r.HeldMS, &r.Server, &r.AccountMin, &r.AccountMax)
}

func (r *evidenceRows) close() error {
	var shown error
	if r.shown != nil {
		shown = r.shown.close()
	}
	return errors.Join(r.responses.close(), shown, r.failures.close(), r.absences.close())
}

func (r loggedResponse) number() int64 { return r.ID }
func (f loggedFailure) number() int64  { return f.ID }
func (a absenceRow) number() int64     { return a.ID }

// rowOf is the row that the line is about; nil when it is missing. Rows before it
// are named by no line.
func rowOf[Row interface{ number() int64 }](c *logCheck, rows *cursor[Row], table string, l lineOf) (*Row, error) {
	if last := c.named[table]; l.subject != last+1 {
		c.find("entry", l.entry, "names %s %d after %d", table, l.subject, last)
	}
	c.named[table] = max(c.named[table], l.subject)
	for rows.ok && rows.next.number() < l.subject {
		c.find(table, rows.next.number(), "is named by no entry")
		if err := rows.advance(); err != nil {
			return nil, err
		}
	}
	if !rows.ok || rows.next.number() > l.subject {
		c.find(table, l.subject, "is missing: entry %d names it", l.entry)
		return nil, nil
	}
	row := rows.next
	return &row, rows.advance()
}

// line checks what a line is about.
func (c *logCheck) line(ctx context.Context, l lineOf, what string) error {
	switch what {
	case "run":
		return c.runs.line(ctx, c, l)
	case "response":
		row, err := rowOf(c, c.rows.responses, what, l)
		if err != nil || row == nil {
			return err
		}
		c.advance(logProgress, row.ID, c.rows.total)
		return c.response(ctx, l, row)
	case "failure":
		row, err := rowOf(c, c.rows.failures, what, l)
		if err == nil && row != nil {
			c.compare(what, l, row.Run, row.line())
		}
		return err
	case "absence":
		row, err := rowOf(c, c.rows.absences, what, l)
		if err == nil && row != nil {
			c.compare(what, l, row.Run, row.Line())
		}
		return err
	}
	switch what {
	case "thinned":
		return c.thinning(ctx, l, c.before)
	case "redaction":
		return c.redaction(ctx, l)
	}
	c.plain(l)
	return nil
}

// compare compares a line with the one made again from its row.
func (c *logCheck) compare(table string, l lineOf, run int64, line string) {
	if line != l.text {
		c.find(table, l.subject, "does not match entry %d: the entry says %q, the row %q", l.entry, l.text, line)
	}
	if run != l.run {
		c.find(table, l.subject, "belongs to run %d, but to run %d according to entry %d", run, l.run, l.entry)
	}
}

// end looks for rows that no line was about.
func (r *evidenceRows) end(ctx context.Context, c *logCheck) error {
	err := errors.Join(unnamed(c, r.responses, "response"), unnamed(c, r.failures, "failure"), unnamed(c, r.absences, "absence"))
	if err != nil {
		return err
	}
	if err := r.shown.end(); err != nil {
		return err
	}
	return c.findRows(ctx, c.tx, "account",
		`SELECT id, 'was never shown' FROM account WHERE id > ? ORDER BY id`, c.accounts)
}

func unnamed[Row interface{ number() int64 }](c *logCheck, rows *cursor[Row], table string) error {
	for rows.ok {
		c.find(table, rows.next.number(), "is named by no entry")
		if err := rows.advance(); err != nil {
			return err
		}
	}
	return nil
}

// runLines are what entries say of runs. The last line about each is its row.
type runLines struct {
	open map[int64]string // lines that are not the row's: later ones follow
	id   int64            // the run at hand
	row  string           // its row's line; "" when there is none
}

func (r *runLines) line(ctx context.Context, c *logCheck, l lineOf) error {
	if l.subject > c.named["run"] {
		if l.subject != c.named["run"]+1 {
			c.find("entry", l.entry, "names run %d after %d", l.subject, c.named["run"])
		}
		c.named["run"] = l.subject
	}
	if err := r.read(ctx, c, l.subject); err != nil {
		return err
	}
	if delete(r.open, l.subject); l.text != r.row {
		r.open[l.subject] = l.text
	}
	return nil
}

// read reads the row of a run.
func (r *runLines) read(ctx context.Context, c *logCheck, id int64) error {
	if r.id == id {
		return nil
	}
	var row loggedRun
	err := c.tx.GetContext(ctx, &row, loggedRuns+` WHERE r.id = ?`, id)
	if r.id, r.row = id, row.line(); errors.Is(err, sql.ErrNoRows) {
		r.row, err = "", nil
	}
	return err
}

// end compares the runs of which the last line is not the row's.
func (r *runLines) end(ctx context.Context, c *logCheck) error {
	for id, text := range r.open {
		if err := r.read(ctx, c, id); err != nil {
			return err
		}
		if r.row == "" {
			c.find("run", id, "is missing: entries name it")
			continue
		}
		c.find("run", id, "does not match the last entry about it: the entry says %q, the row %q", text, r.row)
	}
	return c.findRows(ctx, c.tx, "run",
		`SELECT id, 'is named by no entry' FROM run WHERE id > ? ORDER BY id`, c.named["run"])
}
