package relational

import (
	"context"
	"encoding/json"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// Platforms reads the platforms of accounts, which are given by their ids, one of each
// type: what one says of its platform, all do. They come by type; accounts that the
// workspace does not know, and those that are gone, are left out.
func (s *Store) Platforms(ctx context.Context, workspace string, accounts []string) (platforms []store.Platform, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, workspace)
		if err != nil {
			return err
		}
		err = Each(ctx, tx, `
			SELECT v.type, b.body
			FROM texts(?2) wanted
			ORDERED JOIN account a ON a.ws = ?1 AND a.hash = wanted.value
			ORDERED JOIN state s ON s.ws = a.ws AND s.account = a.id
			ORDERED JOIN version v ON v.ws = a.ws AND v.account = a.id AND v.until IS NULL
			ORDERED JOIN body b ON b.ws = a.ws AND b.account = a.id AND b.endpoint = s.latest
			ORDER BY v.type, a.hash`, []any{ws, jsonList(accounts)}, func(scan func(...any) error) error {
			var p store.Platform
			var body string
			err := scan(&p.Type, &body)
			p.Document = json.RawMessage(body)
			platforms = append(platforms, p)
			return err
		})
		for i := 0; i < len(platforms) && err == nil; i++ {
			platforms[i].Icon, err = iconOf(ctx, tx, ws, platforms[i].Document)
		}
		return err
	})
	return platforms, err
}

// iconOf reads the icon that a stored document refers to; "" when it has none.
func iconOf(ctx context.Context, tx Tx, ws int64, body json.RawMessage) (text string, err error) {
	reference := document.Value(body, "icon")
	if reference == nil || reference[0] != '"' || string(reference) == `""` {
		return "", nil // null, or no text
	}
	digest, err := document.IconDigest(reference)
	if err != nil {
		return "", Damaged("body", err)
	}
	return iconText(ctx, tx, ws, digest)
}
