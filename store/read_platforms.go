package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// mostPlatforms bounds what is read of them: there are a few dozen in truth, and
// a type is any text.
const mostPlatforms = 100

// Platforms reads the types of the accounts of a workspace that are not gone, by
// name, a hundred at most.
func (s *Store) Platforms(ctx context.Context, workspace string) (platforms []Platform, err error) {
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		err := eachOf(ctx, tx, `
			SELECT v.type, d.body
			FROM (
				SELECT max(h.version_id) AS newest
				FROM workspace w
				CROSS JOIN account a ON a.workspace_id = w.id
				CROSS JOIN head h ON h.account_id = a.id AND h.gone = 0
				CROSS JOIN version v ON v.id = h.version_id
				WHERE w.name = ?
				GROUP BY v.type
			)
			CROSS JOIN version v ON v.id = newest
			CROSS JOIN document d ON d.id = v.document_id
			ORDER BY v.type LIMIT ?`, []any{workspace, mostPlatforms}, func(scan func(...any) error) error {
			var p Platform
			var body sql.NullString
			err := scan(&p.Type, &body)
			p.Document = rawOrNil(body)
			platforms = append(platforms, p)
			return err
		})
		for i := 0; i < len(platforms) && err == nil; i++ {
			platforms[i].Icon, err = iconOf(ctx, tx, platforms[i].Document)
		}
		return err
	})
	return platforms, err
}

// iconOf reads the icon that a stored document refers to; "" when it has none.
func iconOf(ctx context.Context, tx *sqlx.Tx, document json.RawMessage) (text string, err error) {
	var fields struct {
		Icon json.RawMessage `json:"icon"`
	}
	if document == nil {
		return "", nil
	}
	if err := json.Unmarshal(document, &fields); err != nil {
		return "", fmt.Errorf("%w: document: %w", ErrDamaged, err)
	}
	digest := ""
	if json.Unmarshal(fields.Icon, &digest) != nil || digest == "" {
		return "", nil // null, or no text
	}
	if len(digest) < len(iconPrefix) || digest[:len(iconPrefix)] != iconPrefix {
		return "", fmt.Errorf("%w: document: icon is no reference", ErrDamaged)
	}
	err = tx.GetContext(ctx, &text, `SELECT body FROM icon WHERE digest = unhex(?)`, digest[len(iconPrefix):])
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: icon %s is missing", ErrDamaged, digest)
	}
	return text, err
}
