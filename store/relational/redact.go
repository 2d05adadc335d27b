package relational

import (
	"context"
	"fmt"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/ledger"
)

// redactedPrefix begins the name of an account that was redacted; digits of the
// commitment to the username follow.
const redactedPrefix = "redacted:"

// Redact erases what is known of an account, in all workspaces that have it: the
// username, the documents, the counters, the secrets of its commitments, messages of
// failures, values, icons and names of fields that no other account has, the values of
// changes, and what alerts and their messages say of it. The commitments stay in their
// place, so that everything else still verifies; and the redaction is an entry of the log.
//
// What its history consists of stays, under the id: when it was looked at and changed
// and in which kind, its health, and the codes of its status (what is no code, or has
// the username in it, is erased), its type, and which squids used it. Names of squids
// stay.
//
// The account is withheld from then on: what the API shows of it is not stored any
// more. There is no way back.
//
// It is one transaction. Then the database is written anew and the journal emptied:
// only then is what was erased gone from the disk. When other programs read the journal
// for too long, a [*store.BusyError] says so; ErrFull, that there is no room. The
// redaction stands, and the same call does the rest. It returns ErrNotFound for an
// account that the workspace does not know.
func (s *Store) Redact(ctx context.Context, workspace, account string) (done store.Redacted, err error) {
	if err := s.db.CanWrite(); err != nil {
		return done, err
	}
	defer s.forget() // what was known of values and digests is no longer so
	var having []string
	err = s.db.Read(ctx, func(tx Tx) error {
		return tx.SelectContext(ctx, &having, `
			SELECT w.name FROM account a JOIN workspace w ON w.id = a.ws
			WHERE a.hash = ?2 AND EXISTS (SELECT 1 FROM account k JOIN workspace x ON x.id = k.ws WHERE x.name = ?1 AND k.hash = ?2)
			ORDER BY w.id`, workspace, account)
	})
	if err == nil && len(having) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return done, err
	}
	return done, s.db.Erase(ctx, func() error {
		return s.db.Write(ctx, having, func(tx Tx) error {
			done = store.Redacted{}
			return s.redact(ctx, tx, account, &done)
		})
	})
}

// redact erases the account in all workspaces that have it.
func (s *Store) redact(ctx context.Context, tx Tx, account string, done *store.Redacted) error {
	var rows []redaction
	err := tx.SelectContext(ctx, &rows, `
		SELECT a.ws AS ws, w.name AS workspace, a.id AS id, a.hash AS hash, a.salt AS salt
		FROM account a
		JOIN workspace w ON w.id = a.ws
		WHERE a.hash = ?
		ORDER BY a.ws`, account)
	for _, r := range rows {
		if err == nil {
			r.done = done
			err = r.run(ctx, s, tx)
		}
	}
	return err
}

// redaction is that of one row of table account.
type redaction struct {
	WS        int64  `db:"ws"`
	Workspace string `db:"workspace"`
	ID        int64  `db:"id"`
	Hash      string `db:"hash"`
	Salt      []byte `db:"salt"`
	names     string // the usernames that it ever had, in lower case, as a JSON list
	line      ledger.Redaction
	done      *store.Redacted
}

func (r *redaction) run(ctx context.Context, s *Store, tx Tx) error {
	r.done.Account = r.Hash
	var name string
	err := tx.GetContext(ctx, &name, `
		SELECT username FROM version WHERE ws = ? AND account = ? ORDER BY at DESC LIMIT 1`, r.WS, r.ID)
	if err != nil {
		return err
	}
	if len(r.Salt) == 0 { // it was redacted before
		r.done.Name = name
		return nil
	}
	commitment := ledger.Salt(r.Salt).Message(name)
	r.done.Name = fmt.Sprintf("%s%x", redactedPrefix, commitment[:4])
	r.line = ledger.Redaction{Row: r.ID, Account: r.Hash, At: floorMS(s.now())}
	if err := s.db.AllowErasing(ctx, tx, true); err != nil {
		return err
	}
	if err := r.keep(ctx, tx, "account", 0, 0, commitment); err != nil {
		return err
	}
	for _, step := range []func(context.Context, Tx) error{
		r.readNames, r.eraseAlerts, r.keepDocuments, r.keepFailures, r.eraseEvidence, r.eraseDerived, r.eraseShared,
	} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	if err := s.db.AllowErasing(ctx, tx, false); err != nil {
		return err
	}
	if r.line.Left, err = leftOf(ctx, tx, r.WS, r.ID); err != nil {
		return err
	}
	r.done.Documents += r.line.Documents
	r.done.Received += r.line.Counters
	r.done.Failures += r.line.Failures
	w := &workspace{id: r.WS, name: r.Workspace}
	return w.appendEntry(ctx, tx, r.line.Line())
}

// readNames finds the usernames, and how many runs have a warning with one of them.
func (r *redaction) readNames(ctx context.Context, tx Tx) error {
	// A name of one or two letters stands in nearly every text.
	var names []string
	err := tx.SelectContext(ctx, &names, `
		SELECT DISTINCT lower(username) FROM version WHERE ws = ? AND account = ? AND length(username) > 2`, r.WS, r.ID)
	if err != nil {
		return err
	}
	r.names = jsonList(names)
	var warnings int64
	err = tx.GetContext(ctx, &warnings, `
		SELECT count(*) FROM run
		WHERE EXISTS (SELECT 1 FROM texts(?1) n WHERE instr(lower(run.warnings), n.value) > 0)`, r.names)
	r.done.Warnings = max(r.done.Warnings, warnings)
	return err
}

func (r *redaction) keep(ctx context.Context, tx Tx, what string, part, at int64, hash ledger.Hash) error {
	err := tx.Exec(ctx, `INSERT INTO redacted (ws, account, what, part, at, hash) VALUES (?, ?, ?, ?, ?, ?)`,
		r.WS, r.ID, what, part, at, hash[:])
	return err
}

// keepDocuments keeps the commitments to each document, and to the counters as they
// stood after each movement.
func (r *redaction) keepDocuments(ctx context.Context, tx Tx) error {
	var documents []struct {
		Endpoint int64 `db:"endpoint"`
		At       int64 `db:"at"`
	}
	err := tx.SelectContext(ctx, &documents, `
		SELECT DISTINCT endpoint, at FROM fact WHERE ws = ? AND account = ? ORDER BY at, endpoint`, r.WS, r.ID)
	if err != nil {
		return err
	}
	for _, d := range documents {
		bodies, err := documentsAt(ctx, tx, r.WS, r.ID, d.At)
		if err != nil {
			return err
		}
		var hash ledger.Hash // of zero: it ended
		if body := bodies[d.Endpoint-1]; body != nil {
			hash = ledger.Salt(r.Salt).DocumentBlind(d.At).Document(body)
			r.line.Documents++
		}
		if err := r.keep(ctx, tx, "document", d.Endpoint, d.At, hash); err != nil {
			return err
		}
	}
	var moved []int64
	err = tx.SelectContext(ctx, &moved, `SELECT DISTINCT at FROM usage WHERE ws = ? AND account = ? ORDER BY at`, r.WS, r.ID)
	for _, at := range moved {
		if err != nil {
			return err
		}
		var counters []ledger.Counter
		if counters, err = loggedCounters(ctx, tx, r.WS, r.ID, at); err == nil {
			err = r.keep(ctx, tx, "counters", 0, at, ledger.Salt(r.Salt).CountersBlind(at).Counters(counters))
		}
	}
	r.line.Counters = int64(len(moved))
	return err
}

// keepFailures keeps the commitments to the messages of failures that are about the
// account, or name it.
func (r *redaction) keepFailures(ctx context.Context, tx Tx) error {
	var rows []failureRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT run, n, message, salt FROM failure
		WHERE ws = ?1 AND length(salt) > 0 AND (
			account = ?2 OR EXISTS (SELECT 1 FROM texts(?3) x WHERE instr(lower(message), x.value) > 0)
		)
		ORDER BY run, n`, r.WS, r.Hash, r.names)
	for _, row := range rows {
		if err == nil {
			err = r.keep(ctx, tx, "failure", row.Run, row.N, ledger.Salt(row.Salt).Message(row.Message))
		}
	}
	r.line.Failures = int64(len(rows))
	return err
}

// eraseEvidence erases what commitments stand for now.
func (r *redaction) eraseEvidence(ctx context.Context, tx Tx) error {
	for _, statement := range []string{
		`DELETE FROM fact WHERE ws = ?1 AND account = ?2`,
		`DELETE FROM usage WHERE ws = ?1 AND account = ?2`,
		`UPDATE failure SET message = 'redacted', salt = substr(salt, 1, 0)
			WHERE ws = ?1 AND (run, n) IN (SELECT part, at FROM redacted WHERE ws = ?1 AND account = ?2 AND what = 'failure')`,
		`UPDATE account SET salt = substr(salt, 1, 0) WHERE ws = ?1 AND id = ?2`,
		`DELETE FROM body WHERE ws = ?1 AND account = ?2`,
		`DELETE FROM counter WHERE ws = ?1 AND account = ?2`,
		`UPDATE said SET digest = NULL WHERE ws = ?1 AND account = ?2`,
		`UPDATE state SET known = NULL, outdated = 0, dropped = NULL WHERE ws = ?1 AND account = ?2`,
	} {
		if err := tx.Exec(ctx, statement, r.WS, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// eraseShared erases the values, icons and names of members that no other account has.
func (r *redaction) eraseShared(ctx context.Context, tx Tx) error {
	for _, erase := range []struct {
		statement string
		count     *int64
	}{
		{`DELETE FROM value WHERE ws = ?1 AND id NOT IN (SELECT value_id FROM fact WHERE ws = ?1 AND value_id IS NOT NULL)`, &r.line.Values},
		// The fact of an icon is its digest, in hex digits.
		{`DELETE FROM icon WHERE ws = ?1 AND '"sha256:' || lowerhex(digest) || '"' NOT IN (
			SELECT body FROM value WHERE ws = ?1 AND length(body) = 73
		)`, &r.done.Icons},
		{`DELETE FROM name WHERE ws = ?1 AND id NOT IN (SELECT name FROM fact WHERE ws = ?1 UNION SELECT name FROM usage WHERE ws = ?1)`, new(int64)},
	} {
		n, err := tx.ExecCount(ctx, erase.statement, r.WS)
		if err != nil {
			return err
		}
		*erase.count += n
	}
	return nil
}

// Withheld are the ids of the accounts of a workspace that were redacted: nothing of
// them is stored any more.
func (s *Store) Withheld(ctx context.Context, workspace string) (ids map[string]bool, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, workspace)
		if err != nil {
			return err
		}
		ids, err = withheld(ctx, tx, ws)
		return err
	})
	return ids, err
}

// withheld are the ids of the accounts of a workspace that were redacted.
func withheld(ctx context.Context, tx Tx, ws int64) (map[string]bool, error) {
	var ids []string
	err := tx.SelectContext(ctx, &ids, `SELECT hash FROM account WHERE ws = ? AND length(salt) = 0 ORDER BY id`, ws)
	all := make(map[string]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all, err
}
