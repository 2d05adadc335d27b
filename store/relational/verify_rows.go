package relational

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/ledger"
	"github.com/lobstrail/lobstrail/store/verify"
)

// scanner scans the columns of a row.
type scanner = func(...any) error

// iterate runs a query over the rows of a table, and maps them. What cannot be read of
// them is a [*fold.RowError]; any other error is a [*verify.EngineError].
func iterate[T any](ctx context.Context, tx Tx, table, query string, args []any, row func(scan scanner) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for scan, err := range tx.Stream(ctx, query, args...) {
			value := none
			if err == nil {
				value, err = row(scan)
			}
			if err != nil {
				err = readError(tx, table, err)
			}
			if !yield(value, err) || err != nil {
				return
			}
		}
	}
}

func readError(tx Tx, table string, err error) error {
	err = tx.Interpret(err)
	if row, ok := errors.AsType[*fold.RowError](err); ok {
		return row
	}
	if errors.Is(err, store.ErrDamaged) {
		return &fold.RowError{Table: table, Problem: err.Error()}
	}
	return &verify.EngineError{Err: err}
}

// rowError says which row cannot be what was written.
func rowError(table, problem, row string, args ...any) error {
	return &fold.RowError{Table: table, Row: fmt.Sprintf(row, args...), Problem: problem}
}

const noEndpoint, noSource = "it has no endpoint that there is", "it has no source that there is"

// RowsOf are all rows of a workspace, for [verify.Check] and [fold.Replay].
func RowsOf(ctx context.Context, tx Tx, ws int64, name string) (verify.Rows, error) {
	r := rowReader{ctx: ctx, tx: tx, ws: ws, name: name, from: everything}
	squids, err := squidNumbers(ctx, tx, ws)
	if err != nil {
		return verify.Rows{}, err
	}
	redacted := map[int64]bool{}
	err = Each(ctx, tx, `SELECT id FROM account WHERE ws = ? AND length(salt) = 0`, []any{ws}, func(scan func(...any) error) error {
		var number int64
		err := scan(&number)
		redacted[number] = true
		return err
	})
	return verify.Rows{
		Name: name, Evidence: r.evidence(squids),
		Entries: r.entries(), Prunes: r.prunes(), Runs: r.runs(), Failures: r.failures(), Versions: r.versions(), Changes: r.changes(), Steps: r.steps(),
		Names: r.names(), Assignments: r.assignments(), Absences: r.absences(), Redacted: redacted, States: r.states(),
	}, err
}

// squidNumbers are the numbers of all squids of a workspace, by id.
func squidNumbers(ctx context.Context, tx Tx, ws int64) (map[string]int64, error) {
	squids := map[string]int64{}
	return squids, Each(ctx, tx, `SELECT id, hash FROM squid WHERE ws = ?`, []any{ws}, func(scan func(...any) error) error {
		var number int64
		var id string
		err := scan(&number, &id)
		squids[id] = number
		return err
	})
}

// rowReader iterates over the rows of a workspace, from a place on.
type rowReader struct {
	ctx  context.Context
	tx   Tx
	ws   int64
	name string // of the workspace
	from rowPlace
}

// rowPlace is where rows begin, of each kind: the first that is read.
type rowPlace struct {
	at      int64 // of a response
	account int64 // number
	lasting int64 // stays that last until this instant, or longer
	entry   int64 // number
}

var everything = rowPlace{math.MinInt64, math.MinInt64, math.MinInt64, math.MinInt64}

func (r rowReader) evidence(squids map[string]int64) fold.Evidence {
	return fold.Evidence{
		Responses: r.responses(), Accounts: r.accounts(), Stays: r.stays(), Facts: r.facts(), Usage: r.usage(),
		Absences: r.evidentAbsences(), Erased: r.erased(), Squids: squids,
	}
}

func of[T any](r rowReader, table, query string, row func(scan scanner) (T, error)) iter.Seq2[T, error] {
	return iterate(r.ctx, r.tx, table, query, []any{r.ws}, row)
}

// since is of, for a query with the bound as its second parameter.
func since[T any](r rowReader, table, query string, bound int64, row func(scan scanner) (T, error)) iter.Seq2[T, error] {
	return iterate(r.ctx, r.tx, table, query, []any{r.ws, bound}, row)
}

func (r rowReader) responses() iter.Seq2[fold.Response, error] {
	return since(r, "response", `
		SELECT at, run, source, slot, sent_at, server_at, held_ms, shown, changed, absent, gone, news
		FROM response WHERE ws = ?1 AND at >= ?2 ORDER BY at`, r.from.at, func(scan scanner) (p fold.Response, err error) {
		var source int64
		var server sql.NullInt64
		err = scan(&p.At, &p.Run, &source, &p.Slot, &p.Sent, &server, &p.HeldMS, &p.Shown, &p.Changed, &p.Absent, &p.Gone, &p.News)
		p.Server = pointerTo(server)
		if p.Source, _ = sourceName(source); err == nil && p.Source == "" {
			err = rowError("response", noSource, "%d", p.At)
		}
		return p, err
	})
}

func (r rowReader) accounts() iter.Seq2[*fold.Account, error] {
	return since(r, "account", `
		SELECT id, hash, first_at, salt
		FROM account WHERE ws = ?1 AND id >= ?2 ORDER BY id`, r.from.account, func(scan scanner) (*fold.Account, error) {
		a := &fold.Account{}
		err := scan(&a.Number, &a.ID, &a.FirstAt, (*[]byte)(&a.Salt))
		if n := len(a.Salt); err == nil && n != 0 && n != ledger.SaltSize {
			err = rowError("account", "its salt has another length than salts have", "%d", a.Number)
		}
		return a, err
	})
}

func (r rowReader) stays() iter.Seq2[fold.Stay, error] {
	return since(r, "shown", `
		SELECT account, source, slot, endpoint, first, last
		FROM shown WHERE ws = ?1 AND last >= ?2 ORDER BY first, account`, r.from.lasting,
		func(scan scanner) (s fold.Stay, err error) {
			var source, endpoint int64
			err = scan(&s.Account, &source, &s.Slot, &endpoint, &s.First, &s.Last)
			s.Endpoint = fold.Endpoint(endpoint - 1)
			switch s.Source, _ = sourceName(source); {
			case err != nil:
			case s.Source == "":
				err = rowError("shown", noSource, "account %d from %d", s.Account, s.First)
			case endpoint < 1 || endpoint > fold.Endpoints:
				err = rowError("shown", noEndpoint, "account %d from %d", s.Account, s.First)
			}
			return s, err
		})
}

func (r rowReader) facts() iter.Seq2[fold.Fact, error] {
	changed := "fact f"
	if r.from != everything { // these accounts are few: their facts need not all be read
		changed = `said d
		ORDERED JOIN fact f ON f.ws = d.ws AND f.account = d.account AND f.endpoint = d.endpoint AND d.document_at >= ?2`
	}
	return since(r, "fact", `
		SELECT f.account, f.endpoint, f.at, n.top, n.sub, f.value, f.value_id, v.body
		FROM `+changed+`
		LEFT JOIN name n ON n.ws = f.ws AND n.id = f.name
		LEFT JOIN value v ON v.ws = f.ws AND v.id = f.value_id
		WHERE f.ws = ?1 AND f.at >= ?2
		ORDER BY f.at, f.account, f.endpoint`, r.from.at, func(scan scanner) (f fold.Fact, err error) {
		var endpoint int64
		var top, sub, short, long sql.NullString
		var id sql.NullInt64
		err = scan(&f.Account, &endpoint, &f.At, &top, &sub, &short, &id, &long)
		value := short
		if id.Valid {
			value = long
		}
		switch f.Endpoint, f.Top, f.Sub = fold.Endpoint(endpoint-1), top.String, sub.String; {
		case err != nil:
		case !top.Valid || id.Valid && (!long.Valid || short.Valid || len(long.String) <= shortValue) || len(short.String) > shortValue:
			err = rowError("fact", "its name or its value is missing, or not where it should be", "account %d at %d", f.Account, f.At)
		case endpoint < 1 || endpoint > fold.Endpoints:
			err = rowError("fact", noEndpoint, "account %d at %d", f.Account, f.At)
		case value.Valid:
			f.Value = []byte(value.String)
		}
		return f, err
	})
}

func (r rowReader) usage() iter.Seq2[fold.Usage, error] {
	return since(r, "usage", `
		SELECT u.account, u.at, n.top, n.sub, u.body, u.max
		FROM usage u
		LEFT JOIN name n ON n.ws = u.ws AND n.id = u.name
		WHERE u.ws = ?1 AND u.at >= ?2
		ORDER BY u.at, u.account`, r.from.at, func(scan scanner) (u fold.Usage, err error) {
		var top, sub, limit sql.NullString
		if err = scan(&u.Account, &u.At, &top, &sub, &u.Body, &limit); err == nil && !top.Valid {
			err = rowError("usage", "its name is missing", "account %d at %d", u.Account, u.At)
		}
		u.Pointer = "/" + document.EscapePointer(top.String) + sub.String
		u.Max = rawOrNil(limit)
		return u, err
	})
}

func (r rowReader) evidentAbsences() iter.Seq2[fold.Absence, error] {
	return of(r, "absence", `
		SELECT x.account, x.since
		FROM absence x
		JOIN account a ON a.ws = x.ws AND a.id = x.account AND length(a.salt) > 0
		WHERE x.ws = ? ORDER BY x.since, x.account`, func(scan scanner) (a fold.Absence, err error) {
		return a, scan(&a.Account, &a.Since)
	})
}

func (r rowReader) erased() iter.Seq2[fold.Commitment, error] {
	return of(r, "redacted", `
		SELECT account, what, part, at, hash FROM redacted
		WHERE ws = ? AND what IN ('document', 'counters')
		ORDER BY at, account`, func(scan scanner) (c fold.Commitment, err error) {
		var what string
		var part int64
		var hash []byte
		err = scan(&c.Account, &what, &part, &c.At, &hash)
		copy(c.Hash[:], hash)
		if c.Endpoint = fold.Endpoint(part - 1); what == "counters" {
			c.Endpoint = -1
		} else if err == nil && (part < 1 || part > fold.Endpoints) {
			err = rowError("redacted", noEndpoint, "account %d at %d", c.Account, c.At)
		}
		return c, err
	})
}

func (r rowReader) entries() iter.Seq2[verify.Entry, error] {
	return since(r, "entry", `SELECT id, text, hashes FROM entry WHERE ws = ?1 AND id >= ?2 ORDER BY id`, r.from.entry, r.scanEntry)
}

func (r rowReader) prunes() iter.Seq2[verify.Entry, error] {
	return iterate(r.ctx, r.tx, "entry", `SELECT id, text, hashes FROM entry WHERE ws = ? AND instr(text, ?) > 0 ORDER BY id`,
		[]any{r.ws, "\nprune "}, r.scanEntry)
}

func (r rowReader) scanEntry(scan scanner) (e verify.Entry, err error) {
	var text sql.NullString
	var hashes []byte
	err = scan(&e.Number, &text, &hashes)
	if e.Pruned = !text.Valid; !e.Pruned {
		e.Text = ledger.EntryHeader(r.name, e.Number) + text.String
	}
	if err == nil && len(hashes)%tlog.HashSize != 0 {
		err = rowError("entry", "its hashes are none", "%d", e.Number)
	}
	for ; len(hashes) >= tlog.HashSize; hashes = hashes[tlog.HashSize:] {
		e.Hashes = append(e.Hashes, ledger.Hash(hashes[:tlog.HashSize]))
	}
	return e, err
}

func (r rowReader) runs() iter.Seq2[verify.Line, error] {
	return of(r, "run", `SELECT`+runColumns+` FROM run WHERE ws = ? ORDER BY id`, func(scan scanner) (l verify.Line, err error) {
		var run runRow
		err = scan(&run.ID, &run.Scope, &run.State, &run.Started, &run.Finished, &run.First, &run.Last, &run.Requested, &run.Changed,
			&run.Unchanged, &run.Gone, &run.Failed, &run.Requests, &run.Warnings, &run.HeldMS, &run.SkewMS, &run.PID, &run.Rules)
		return verify.Line{Run: run.ID, Text: run.line(), Rules: run.Rules}, err
	})
}

func (r rowReader) failures() iter.Seq2[verify.Line, error] {
	return of(r, "failure", failureRows+` WHERE f.ws = ? ORDER BY f.run, f.n`, func(scan scanner) (l verify.Line, err error) {
		var f failureRow
		var erased []byte
		err = scan(&f.Run, &f.N, &f.Account, &f.Kind, &f.HTTPStatus, &f.Message, &f.At, &f.Salt, &erased)
		return verify.Line{Run: f.Run, N: f.N, Text: f.lineWith(erased)}, err
	})
}
