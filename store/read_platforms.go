package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Platforms reads the platforms of accounts, which are given by their ids, one of
// each type: what one says of its platform, all do. They come by type; accounts that
// the workspace does not know, and those that are gone, are passed over.
func (s *Store) Platforms(ctx context.Context, workspace string, accounts []string) (platforms []Platform, err error) {
	ids, err := json.Marshal(accounts)
	if err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx *sqlx.Tx) error {
		err := eachOf(ctx, tx, `
			SELECT v.type, d.body
			FROM json_each(?2) wanted
			CROSS JOIN account a ON a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND a.hash = wanted.value
			CROSS JOIN head h ON h.account_id = a.id
			CROSS JOIN version v ON v.id = h.version_id
			CROSS JOIN document d ON d.id = v.document_id
			WHERE d.body IS NOT NULL
			ORDER BY v.type, a.hash`, []any{workspace, string(ids)}, func(scan func(...any) error) error {
			var p Platform
			var body string
			err := scan(&p.Type, &body)
			p.Document = json.RawMessage(body)
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
