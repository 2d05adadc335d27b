package store

import (
	"context"
	"database/sql"
	"encoding/json"
)

// head is where an account stands: what its next snapshot is compared with.
type head struct {
	AccountID   int64         `db:"account_id"`
	Hash        string        `db:"hash"`
	VersionID   int64         `db:"version_id"`
	StepID      int64         `db:"status_step_id"`
	Health      Health        `db:"health"`
	SinceAfter  sql.NullInt64 `db:"health_after"`
	SinceBefore int64         `db:"health_before"`
	Gone        bool          `db:"gone"`
	LockedUntil sql.NullInt64 `db:"locked_until"`
	AbsenceID   sql.NullInt64 `db:"absence_id"`
	List        endpoint      `db:"list"`
	Detail      endpoint      `db:"detail"`
}

// endpoint is what one endpoint last said of an account.
type endpoint struct {
	Digest   []byte        `db:"digest"` // of the object as received; nil when not known
	Document sql.NullInt64 `db:"document_id"`
	Version  sql.NullInt64 `db:"version_id"` // which the document last agreed with
	Seen     sql.NullInt64 `db:"response_id"`
}

// at is the endpoint that a source speaks for. Imports are lists of the past.
func (h *head) at(source Source) *endpoint {
	if source == Detail {
		return &h.Detail
	}
	return &h.List
}

// stands reports whether an object with this digest, received from source at
// the instant, is the state the account is in.
func (h *head) stands(source Source, digest []byte, receivedMS int64) bool {
	e := h.at(source)
	return e.Digest != nil && string(e.Digest) == string(digest) &&
		h.settled(source, e.Document.Int64, receivedMS) &&
		(source == Detail || !h.AbsenceID.Valid)
}

// settled reports whether the document, seen from source at the instant, is the
// state the account is in: it is the endpoint's last, nothing else has been said
// since, and no lock has run out.
func (h *head) settled(source Source, document, receivedMS int64) bool {
	e := h.at(source)
	return !h.Gone && e.Document.Int64 == document && e.Version.Int64 == h.VersionID &&
		(!h.LockedUntil.Valid || h.LockedUntil.Int64 > receivedMS)
}

const headColumns = `
	a.id AS account_id,
	a.hash AS hash,
	h.version_id AS version_id,
	h.status_step_id AS status_step_id,
	h.health AS health,
	h.health_after AS health_after,
	h.health_before AS health_before,
	h.gone AS gone,
	h.locked_until AS locked_until,
	h.absence_id AS absence_id,
	h.list_digest AS "list.digest",
	h.list_document_id AS "list.document_id",
	h.list_version_id AS "list.version_id",
	seen.list_response_id AS "list.response_id",
	h.detail_digest AS "detail.digest",
	h.detail_document_id AS "detail.document_id",
	h.detail_version_id AS "detail.version_id",
	seen.detail_response_id AS "detail.response_id"`

// loadHeads reads the heads of the accounts that are known among ids.
func loadHeads(ctx context.Context, tx *txn, workspaceID int64, ids []string) (map[string]*head, error) {
	wanted, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	var rows []head
	err = tx.SelectContext(ctx, &rows, `
		SELECT `+headColumns+`
		FROM account a
		JOIN head h ON h.account_id = a.id
		JOIN seen ON seen.account_id = a.id
		WHERE a.workspace_id = ? AND a.hash IN (SELECT value FROM json_each(?))
		ORDER BY a.id`, workspaceID, string(wanted))
	heads := make(map[string]*head, len(rows))
	for i := range rows {
		heads[rows[i].Hash] = &rows[i]
	}
	return heads, err
}

// saveHead writes the head, and the usage that goes with it when that is not nil.
func saveHead(ctx context.Context, tx *txn, h *head, usage []byte) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO head (
			account_id, version_id, status_step_id, health, health_after, health_before, gone, locked_until, absence_id,
			list_digest, list_document_id, list_version_id,
			detail_digest, detail_document_id, detail_version_id, usage
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, '{}'))
		ON CONFLICT (account_id) DO UPDATE SET
			version_id = excluded.version_id,
			status_step_id = excluded.status_step_id,
			health = excluded.health,
			health_after = excluded.health_after,
			health_before = excluded.health_before,
			gone = excluded.gone,
			locked_until = excluded.locked_until,
			absence_id = excluded.absence_id,
			list_digest = excluded.list_digest,
			list_document_id = excluded.list_document_id,
			list_version_id = excluded.list_version_id,
			detail_digest = excluded.detail_digest,
			detail_document_id = excluded.detail_document_id,
			detail_version_id = excluded.detail_version_id,
			usage = coalesce(?, usage)`,
		h.AccountID, h.VersionID, h.StepID, h.Health, h.SinceAfter, h.SinceBefore, h.Gone, h.LockedUntil, h.AbsenceID,
		h.List.Digest, h.List.Document, h.List.Version,
		h.Detail.Digest, h.Detail.Document, h.Detail.Version,
		textOrNull(usage), textOrNull(usage))
	return err
}

// textOrNull binds JSON as text; nil is NULL.
func textOrNull(raw []byte) sql.NullString {
	return sql.NullString{String: string(raw), Valid: raw != nil}
}
