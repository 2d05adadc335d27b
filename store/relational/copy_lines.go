package relational

import (
	"context"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// run takes the line about a run as it then stood. While it runs, its row has what its
// responses count; when it has ended, the line has all.
func (t *copyTransaction) run(ctx context.Context, line string) error {
	r, err := ledger.ParseRun(line)
	if err != nil {
		return t.damaged("%v", err)
	}
	if r.State == string(store.Running) {
		return t.tx.Exec(ctx, `
			INSERT INTO run (
				ws, id, scope, state, started_at, finished_at, requested, changed, unchanged, gone, failed, requests, warnings, held_ms, pid, rules
			) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, 0, ?, ?)`,
			t.w.id, r.ID, r.Scope, r.State, r.Started, orNull(r.Finished), r.Requested, r.Warnings, r.PID, r.Rules)
	}
	delete(t.counts, r.ID)
	return t.tx.ExecOne(ctx, `
		UPDATE run
		SET scope = ?, state = ?, started_at = ?, finished_at = ?, first_at = ?, last_at = ?, requested = ?, changed = ?, unchanged = ?, gone = ?,
			failed = ?, requests = ?, held_ms = ?, skew_ms = ?, pid = ?, rules = ?, warnings = ?
		WHERE ws = ? AND id = ?`,
		r.Scope, r.State, r.Started, orNull(r.Finished), orNull(r.First), orNull(r.Last), r.Requested, r.Changed, r.Unchanged, r.Gone,
		r.Failed, r.Requests, r.HeldMS, orNull(r.SkewMS), r.PID, r.Rules, r.Warnings, t.w.id, r.ID)
}

func (t *copyTransaction) failure(ctx context.Context) error {
	f := t.b.failures[t.failures]
	t.failures++
	t.countsOf(f.Run).failed++
	if len(f.Salt) == 0 {
		t.emptied = append(t.emptied, f)
	}
	return t.w.insertFailure(ctx, t.tx, f)
}

// absence takes the beginning of an absence. That of an account whose redaction is still
// to come comes with that.
func (t *copyTransaction) absence(ctx context.Context, line string) error {
	parsed, err := ledger.ParseAbsence(line)
	if err != nil {
		return t.damaged("%v", err)
	}
	a := t.w.known.Accounts[parsed.Account]
	if a == nil {
		return t.damaged("an absence is of account %s, which is not known", parsed.Account)
	}
	if t.again.Opaque(a.Number) {
		return nil
	}
	if err := t.w.complete(ctx, t.tx, a); err != nil {
		return err
	}
	a.AbsentSince, t.touched[a] = parsed.Since, true
	return t.tx.Exec(ctx, `INSERT INTO absence (ws, account, since, run) VALUES (?, ?, ?, ?)`, t.w.id, a.Number, parsed.Since, parsed.Run)
}

// prune drops what the source dropped, as far as it is here.
func (t *copyTransaction) prune(ctx context.Context, line string) error {
	p, err := ledger.ParsePrune(line)
	if err != nil {
		return t.damaged("%v", err)
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if err := t.to.db.AllowErasing(ctx, t.tx, true); err != nil {
		return err
	}
	for _, r := range p.Responses {
		if err := t.dropResponses(ctx, r); err != nil {
			return err
		}
	}
	for _, r := range p.Entries {
		if err := t.dropEntries(ctx, r); err != nil {
			return err
		}
	}
	return t.to.db.AllowErasing(ctx, t.tx, false)
}

func (t *copyTransaction) dropResponses(ctx context.Context, r ledger.Range) error {
	n, err := t.tx.ExecCount(ctx, `DELETE FROM response WHERE ws = ? AND at BETWEEN ? AND ?`, t.w.id, r.First, r.Last)
	t.pruned += n
	return err
}

// dropEntries drops the texts of entries, and all responses that they name.
func (t *copyTransaction) dropEntries(ctx context.Context, r ledger.Range) error {
	var texts []string
	err := t.tx.SelectContext(ctx, &texts, `SELECT text FROM entry WHERE ws = ? AND id BETWEEN ? AND ? AND text IS NOT NULL ORDER BY id`, t.w.id, r.First, r.Last)
	if err != nil {
		return err
	}
	for _, text := range texts {
		lines, err := ledger.EntryLines(text)
		if err != nil {
			return Damaged("entry", err)
		}
		for _, line := range lines {
			what, at := ledger.Subject(line)
			if what != "response" {
				return t.damaged("a prune dropped an entry about something else than responses: %.40q", line)
			}
			if err := t.dropResponses(ctx, ledger.Range{First: at, Last: at}); err != nil {
				return err
			}
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return t.tx.Exec(ctx, `UPDATE entry SET text = NULL WHERE ws = ? AND id BETWEEN ? AND ?`, t.w.id, r.First, r.Last)
}
