package store

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// saveHeads writes what has changed in the rows of the heads.
func saveHeads(ctx context.Context, tx *txn, touched []*head) error {
	var listed, detailed []redigested
	for _, h := range touched {
		if h.changed {
			if err := saveWhole(ctx, tx, h); err != nil {
				return err
			}
			continue
		}
		if h.List.digested {
			listed = append(listed, redigested{h.AccountID, h.List.Digest})
		}
		if h.Detail.digested {
			detailed = append(detailed, redigested{h.AccountID, h.Detail.Digest})
		}
	}
	return errors.Join(saveDigests(ctx, tx, "list_digest", listed), saveDigests(ctx, tx, "detail_digest", detailed))
}

// redigested is an account, and the digest of the object that an endpoint sent last.
type redigested struct {
	account int64
	digest  []byte
}

func saveDigests(ctx context.Context, tx *txn, column string, rows []redigested) error {
	return writeRows(ctx, tx, `UPDATE head SET `+column+` = fresh.column2 FROM (VALUES) fresh WHERE account_id = fresh.column1`,
		nil, rows, func(values []any, r redigested) []any { return append(values, r.account, r.digest) })
}

func saveWhole(ctx context.Context, tx *txn, h *head) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO head (
			account_id, version_id, status_step_id, health, health_after, health_before, gone, locked_until, absence_id,
			list_digest, list_document_id, list_version_id,
			detail_digest, detail_document_id, detail_version_id,
			list_leaf, detail_leaf,
			list_shape_id, detail_shape_id, reduced_shape_id, known, status_outdated
		) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
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
			list_leaf = excluded.list_leaf,
			detail_leaf = excluded.detail_leaf,
			list_shape_id = excluded.list_shape_id,
			detail_shape_id = excluded.detail_shape_id,
			reduced_shape_id = excluded.reduced_shape_id,
			known = excluded.known,
			status_outdated = excluded.status_outdated`,
		h.AccountID, h.VersionID, h.StepID, h.Health, h.SinceAfter, h.SinceBefore, h.Gone, h.LockedUntil, h.AbsenceID,
		h.List.Digest, h.List.Document, h.List.Version,
		h.Detail.Digest, h.Detail.Document, h.Detail.Version,
		h.List.leaf, h.Detail.leaf,
		h.Shapes.List, h.Shapes.Detail, h.Shapes.Reduced, textOrNull(h.Known), h.Outdated)
	return err
}

// standingCounter is a row of table counter.
type standingCounter struct {
	account int64
	*counter
}

// saveCounters writes where the volatile values stand that moved, in key order:
// the last of what one transaction brings of each.
func saveCounters(ctx context.Context, tx *txn, touched []*head) error {
	var rows []standingCounter
	for _, h := range touched {
		slices.SortFunc(h.moved, func(a, b *counter) int { return strings.Compare(a.pointer, b.pointer) })
		for _, c := range h.moved {
			c.moved = false
			rows = append(rows, standingCounter{h.AccountID, c})
		}
		h.moved = h.moved[:0]
	}
	return writeRows(ctx, tx, `INSERT OR REPLACE INTO counter (account_id, pointer, response_id, body, max) VALUES`,
		nil, rows, func(values []any, c standingCounter) []any {
			return append(values, c.account, c.pointer, c.response, string(c.body), textOrNull(c.max))
		})
}
