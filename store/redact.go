package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/lobstrail/lobstrail/store/ledger"
)

// Redacted is what a redaction erased.
type Redacted struct {
	Account string // id
	Name    string // that stands for the username from now on
	// Documents, Received, Failures and Icons are how many of each were erased; all
	// zero when the account had been redacted before.
	Documents, Received, Failures, Icons int64
	// Warnings are how many runs have a warning that has the username in it. Those
	// are part of the log, and stay.
	Warnings int64
}

// redactedPrefix begins the name of an account that was redacted; digits of the
// commitment to the username follow.
const redactedPrefix = "redacted:"

// Redact erases what is known of an account, in all workspaces that have it: the
// username, the documents, the counters, digests of what was received, the secrets
// of its commitments, messages of failures, icons that nobody else shows, and the
// values of changes. The commitments stay in their place, so that everything else
// still verifies; and the redaction is an entry of the log.
//
// What its history consists of stays, under the id: when it was looked at and
// changed and in which kind, its health, and the codes of its status (what is no
// code, or has the username in it, is erased), its type, and which squids used it.
// Names of squids stay.
//
// The account is withheld from then on: what the API shows of it is not stored any
// more. There is no way back.
//
// It is one transaction. Then the database is written anew and the journal emptied:
// only then is what was erased gone from the disk. When other programs read the
// journal for too long, a [*BusyError] says so; ErrFull, that there is no room. The
// redaction stands, and the same call does the rest. It returns ErrNotFound for an
// account that the workspace does not know.
func (s *Store) Redact(ctx context.Context, workspace, account string) (done Redacted, err error) {
	if s.writer == nil {
		return done, errors.New("store: opened for reading")
	}
	defer s.forgetHeads() // what was known of icons and digests is no longer so
	restore, err := s.secureDelete(ctx)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, restore()) }()
	err = s.update(ctx, func(tx *txn) error {
		var rows []redaction
		err := tx.SelectContext(ctx, &rows, `
			SELECT a.id AS id, a.hash AS hash, a.salt AS salt
			FROM account a
			WHERE a.hash = (
				SELECT k.hash FROM account k JOIN workspace w ON w.id = k.workspace_id WHERE w.name = ? AND k.hash = ?
			)
			ORDER BY a.id`, workspace, account)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return ErrNotFound
		}
		for _, r := range rows {
			r.done = &done
			if err := r.run(ctx, s, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return done, err
	}
	return done, s.scrub(ctx)
}

// secureDelete makes SQLite overwrite what is deleted, also in pages that stay, until
// restore is called: it makes all other writing slower.
func (s *Store) secureDelete(ctx context.Context) (restore func() error, err error) {
	var before int
	if err := s.writer.conn.GetContext(ctx, &before, `PRAGMA secure_delete`); err != nil {
		return nil, s.failure(err)
	}
	if _, err := s.writer.conn.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return nil, s.failure(err)
	}
	return func() error {
		setting := [...]string{"OFF", "ON", "FAST"}[before]
		_, err := s.writer.conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA secure_delete = `+setting)
		return s.failure(err)
	}, nil
}

// scrub leaves nothing in the files but what the database holds.
func (s *Store) scrub(ctx context.Context) error {
	if err := s.vacuum(ctx); err != nil {
		return fmt.Errorf("erased, but not yet from the disk: %w", err)
	}
	var busy, frames, moved int64
	err := s.writer.conn.QueryRowxContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = &BusyError{}
	}
	if err != nil {
		return fmt.Errorf("erased, but not yet from the journal, which others read: %w", s.failure(err))
	}
	return nil
}

// redaction is that of one row of table account.
type redaction struct {
	ID    int64  `db:"id"`
	Hash  string `db:"hash"`
	Salt  []byte `db:"salt"`
	names string // the usernames that it ever had, in lower case, as a JSON list
	done  *Redacted
}

func (r *redaction) run(ctx context.Context, s *Store, tx *txn) error {
	r.done.Account = r.Hash
	var name string
	err := tx.GetContext(ctx, &name, `
		SELECT v.username FROM version v WHERE v.account_id = ? ORDER BY v.number DESC LIMIT 1`, r.ID)
	if err != nil {
		return err
	}
	if len(r.Salt) == 0 { // it was redacted before
		r.done.Name = name
		return nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('redacting', 1)`); err != nil {
		return err
	}
	commitment := ledger.Salt(r.Salt).Message(name)
	r.done.Name = fmt.Sprintf("%s%x", redactedPrefix, commitment[:4])
	line := ledger.Redaction{Row: r.ID, Account: r.Hash, At: floorMS(s.now())}
	for _, step := range []func(context.Context, *txn, *ledger.Redaction) error{
		r.readNames, r.keepName(commitment), r.keepDocuments, r.keepReceived, r.keepFailures, r.eraseIcons,
		r.eraseEvidence, r.eraseDerived,
	} {
		if err := step(ctx, tx, &line); err != nil {
			return err
		}
	}
	if line.Left, err = leftOf(ctx, tx, r.ID); err != nil {
		return err
	}
	tx.log(line.Line())
	r.done.Documents += line.Documents
	r.done.Received += line.Received
	r.done.Failures += line.Failures
	r.done.Icons += line.Icons
	_, err = tx.ExecContext(ctx, `DELETE FROM setting WHERE name = 'redacting'`)
	return err
}

// readNames finds the usernames, and who else has them for ever.
func (r *redaction) readNames(ctx context.Context, tx *txn, _ *ledger.Redaction) error {
	// A name of one or two letters stands in nearly every text.
	err := tx.GetContext(ctx, &r.names, `
		SELECT json_group_array(DISTINCT lower(username)) FROM version WHERE account_id = ? AND length(username) > 2`, r.ID)
	if err != nil {
		return err
	}
	var warnings int64
	err = tx.GetContext(ctx, &warnings, `
		SELECT count(*) FROM run
		WHERE EXISTS (SELECT 1 FROM json_each(?) n WHERE instr(lower(run.warnings), n.value) > 0)`, r.names)
	r.done.Warnings = max(r.done.Warnings, warnings)
	return err
}

func (r *redaction) keep(ctx context.Context, tx *txn, what string, id int64, hash ledger.Hash) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO redacted (account_id, what, id, hash) VALUES (?, ?, ?, ?)`, r.ID, what, id, hash[:])
	return err
}

func (r *redaction) keepName(commitment ledger.Hash) func(context.Context, *txn, *ledger.Redaction) error {
	return func(ctx context.Context, tx *txn, _ *ledger.Redaction) error {
		return r.keep(ctx, tx, "account", r.ID, commitment)
	}
}

// keepDocuments keeps the commitments to the documents.
func (r *redaction) keepDocuments(ctx context.Context, tx *txn, line *ledger.Redaction) error {
	var ids []int64
	err := tx.SelectContext(ctx, &ids, `SELECT id FROM document WHERE account_id = ? AND body IS NOT NULL ORDER BY id`, r.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var body []byte
		if err := tx.GetContext(ctx, &body, `SELECT body FROM document WHERE id = ?`, id); err != nil {
			return err
		}
		if err := r.keep(ctx, tx, "document", id, ledger.Salt(r.Salt).DocumentBlind(id).Document(body)); err != nil {
			return err
		}
	}
	line.Documents = int64(len(ids))
	return nil
}

// keepReceived keeps the commitments to what else came.
func (r *redaction) keepReceived(ctx context.Context, tx *txn, line *ledger.Redaction) error {
	var rows []struct {
		Response int64  `db:"response_id"`
		Digest   []byte `db:"digest"`
	}
	err := tx.SelectContext(ctx, &rows, `SELECT response_id, digest FROM received WHERE account_id = ? ORDER BY response_id`, r.ID)
	if err != nil {
		return err
	}
	for _, row := range rows {
		var moved []ledger.Counters
		err := tx.each(ctx, func(scan func(...any) error) error {
			var c ledger.Counters
			err := scan(&c.Pointer, &c.Body, &c.Max)
			moved = append(moved, c)
			return err
		}, `SELECT pointer, body, max FROM usage WHERE response_id = ? AND account_id = ? ORDER BY pointer`, row.Response, r.ID)
		if err != nil {
			return err
		}
		hash := ledger.Salt(r.Salt).ReceivedBlind(row.Response).Received(row.Digest, moved)
		if err := r.keep(ctx, tx, "received", row.Response, hash); err != nil {
			return err
		}
	}
	line.Received = int64(len(rows))
	return nil
}

// keepFailures keeps the commitments to the messages of failures that are about
// the account, or name it.
func (r *redaction) keepFailures(ctx context.Context, tx *txn, line *ledger.Redaction) error {
	var rows []struct {
		ID      int64  `db:"id"`
		Message string `db:"message"`
		Salt    []byte `db:"salt"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT id, message, salt FROM failure
		WHERE length(salt) > 0 AND (
			account = ? OR EXISTS (SELECT 1 FROM json_each(?) n WHERE instr(lower(message), n.value) > 0)
		)
		ORDER BY id`, r.Hash, r.names)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := r.keep(ctx, tx, "failure", row.ID, ledger.Salt(row.Salt).Message(row.Message)); err != nil {
			return err
		}
	}
	line.Failures = int64(len(rows))
	return nil
}

// placeholder is the document that stands for those that were erased.
func placeholder(account, name string) string {
	return fmt.Sprintf(`{"id":"%s","username":"%s"}`, account, name)
}

// Withheld are the ids of the accounts of a workspace that were redacted: nothing
// of them is stored any more.
func (s *Store) Withheld(ctx context.Context, workspace string) (ids map[string]bool, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		var id int64
		if err := tx.GetContext(ctx, &id, `SELECT coalesce(max(id), 0) FROM workspace WHERE name = ?`, workspace); err != nil {
			return err
		}
		ids, err = withheld(ctx, tx, id)
		return err
	})
	return ids, err
}

// withheld are the ids of the accounts of a workspace that were redacted.
func withheld(ctx context.Context, tx querier, workspace int64) (map[string]bool, error) {
	var ids []string
	err := tx.SelectContext(ctx, &ids, `
		SELECT a.hash
		FROM redacted x
		JOIN account a ON a.id = x.account_id
		WHERE x.what = 'account' AND a.workspace_id = ?`, workspace)
	all := make(map[string]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all, err
}
