package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// load reads of those ids that are known accounts what tells whether an object is
// the one before: of the head only the endpoint that the source speaks for, and its
// digest only if it is that of the state the account is in (see stands). complete
// reads the rest. This is the hot path: an unchanged account needs no more. At the
// first page it reads that of all accounts; see loadAll.
func (hs *heads) load(ctx context.Context, tx *txn, source Source, ids []string) error {
	if max(len(hs.known), len(hs.squids), len(hs.icons)) > maxHeads {
		if err := hs.save(ctx, tx); err != nil {
			return err
		}
		hs.forget()
	}
	if err := hs.loadAll(ctx, tx, source, ids); err != nil {
		return err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return hs.known[id] != nil })
	if len(ids) == 0 {
		return nil
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return hs.loadRows(ctx, tx, source, `
		FROM json_each(?3) wanted
		CROSS JOIN account a ON a.workspace_id = ?2 AND a.hash = wanted.value`, string(wanted))
}

// aPage is how many accounts are asked for at least when it is likely that most of
// the workspace will be.
const aPage = 50

// loadAll reads the heads of all accounts when the first page is asked for: in the
// order in which they stand nothing has to be looked for. It leaves it when there are
// too many of them, or of others between them. Damage of one that no page shows is
// found too.
func (hs *heads) loadAll(ctx context.Context, tx *txn, source Source, ids []string) error {
	if hs.paged || len(ids) < aPage {
		return nil
	}
	hs.paged = true
	var worth bool
	err := tx.GetContext(ctx, &worth, `
		SELECT count(*) BETWEEN coalesce((SELECT max(id) FROM account), 0) / 4 AND ? FROM account WHERE workspace_id = ?`,
		maxHeads, hs.workspaceID)
	if err != nil || !worth {
		return err
	}
	return hs.loadRows(ctx, tx, source, `
		FROM account a NOT INDEXED`)
}

// loadRows reads the heads of accounts, which more parameters may name. Those at hand
// stay as they are.
func (hs *heads) loadRows(ctx context.Context, tx *txn, source Source, accounts string, more ...any) error {
	var row string
	return tx.each(ctx, func(scan func(...any) error) error {
		if err := scan(&row); err != nil {
			return err
		}
		h, err := unpackHead(row, source)
		if err == nil && hs.known[h.Hash] == nil {
			hs.known[h.Hash] = h
		}
		return err
	}, headRows+accounts+`
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN seen ON seen.account_id = a.id
		WHERE a.workspace_id = ?2`, append([]any{source == Detail, hs.workspaceID}, more...)...)
}

var headRows = `
	SELECT a.hash || ` + packed(`a.id`, `seen.list_response_id`, `seen.detail_response_id`, `h.locked_until`,
	`iif(?1, h.detail_document_id, h.list_document_id)`,
	`CASE
		WHEN h.gone THEN NULL
		WHEN ?1 AND h.detail_version_id = h.version_id THEN h.detail_digest
		WHEN NOT ?1 AND h.list_version_id = h.version_id AND h.absence_id IS NULL THEN h.list_digest
	END, iif(?1, h.detail_leaf, h.list_leaf)`)

// accountIDLength is that of an account id: see [IsAccountID].
const accountIDLength = 32

// unpackHead reads a row of headRows: the account id, numbers, and then, without a
// mark between, the digest, if it counts, and the leaf, if there is a document.
func unpackHead(row string, source Source) (*head, error) {
	h := &head{}
	if len(row) < accountIDLength {
		return h, damagedRow("head", errors.New("of an account without an id"))
	}
	h.Hash = row[:accountIDLength]
	f, e := unpack(row[accountIDLength:]), h.at(source)
	h.AccountID, h.List.Seen, h.Detail.Seen = f.number().Int64, f.number(), f.number()
	h.LockedUntil, e.Document = f.number(), f.number()
	hashes := []byte(f.rest)
	if f.wrong || f.over || len(hashes)%tlog.HashSize != 0 || e.Document.Valid != (len(hashes) > 0) || len(hashes) > 2*tlog.HashSize {
		return h, damagedRow("head", fmt.Errorf("of account number %d", h.AccountID))
	}
	if len(hashes) > tlog.HashSize {
		e.Digest = hashes[:tlog.HashSize:tlog.HashSize]
	}
	if e.Document.Valid {
		e.leaf = hashes[len(hashes)-tlog.HashSize:]
	}
	return h, nil
}

// complete reads what load left out. nil is nobody.
func (hs *heads) complete(ctx context.Context, tx *txn, h *head) error {
	if h == nil || h.whole {
		return nil
	}
	statement, err := tx.writer.statement(ctx, `
		SELECT
			version_id,
			status_step_id,
			health,
			health_after,
			health_before,
			gone,
			absence_id,
			list_digest,
			list_document_id,
			list_version_id,
			(SELECT body FROM document WHERE id = list_document_id),
			detail_digest,
			detail_document_id,
			detail_version_id,
			(SELECT body FROM document WHERE id = detail_document_id),
			list_leaf,
			detail_leaf,
			list_shape_id,
			detail_shape_id,
			reduced_shape_id,
			known,
			status_outdated,
			(SELECT salt FROM account WHERE id = account_id)
		FROM head
		WHERE account_id = ?`)
	if err != nil {
		return err
	}
	var list, detail sql.RawBytes
	rows, err := statement.Stmt.QueryContext(ctx, h.AccountID)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	err = rows.Scan(&h.VersionID, &h.StepID, &h.Health, &h.SinceAfter, &h.SinceBefore, &h.Gone, &h.AbsenceID,
		&h.List.Digest, &h.List.Document, &h.List.Version, &list,
		&h.Detail.Digest, &h.Detail.Document, &h.Detail.Version, &detail, &h.List.leaf, &h.Detail.leaf,
		&h.Shapes.List, &h.Shapes.Detail, &h.Shapes.Reduced, &h.Known, &h.Outdated, &h.Salt)
	if err != nil {
		return err
	}
	h.List.body, h.Detail.body = digestOf(list), digestOf(detail)
	h.List.commits, h.Detail.commits = h.commitment(h.List.Document.Int64, list), h.commitment(h.Detail.Document.Int64, detail)
	h.whole = true
	if err := rows.Close(); err != nil {
		return err
	}
	return h.readCounters(ctx, tx)
}

// readCounters reads where the volatile values stand.
func (h *head) readCounters(ctx context.Context, tx *txn) error {
	statement, err := tx.writer.statement(ctx, `SELECT pointer, body FROM counter WHERE account_id = ?`)
	if err != nil {
		return err
	}
	rows, err := statement.Stmt.QueryContext(ctx, h.AccountID)
	if err != nil {
		return err
	}
	defer rows.Close()
	h.Usage = map[string]*counter{}
	for rows.Next() {
		c := &counter{}
		if err := rows.Scan(&c.pointer, (*[]byte)(&c.body)); err != nil {
			return err
		}
		h.Usage[c.pointer] = c
	}
	return rows.Err()
}

func digestOf(body []byte) []byte {
	digest := sha256.Sum256(body)
	return digest[:]
}

// number is an integer of a table, as the driver has it. database/sql takes longer
// over it than SQLite.
type number int64

func (n *number) Scan(value any) (err error) {
	i, ok := value.(int64)
	if *n = number(i); !ok {
		err = fmt.Errorf("%w: %T where a number belongs", ErrDamaged, value)
	}
	return err
}
