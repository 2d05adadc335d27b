package relational

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
)

// documentsAt are the documents of an account at a moment, by endpoint, as they are
// stored: volatile values are null, the icon is a reference. A document of nil: the
// endpoint had said nothing, or the account was gone.
func documentsAt(ctx context.Context, tx Tx, ws, account, at int64) (bodies [fold.Endpoints][]byte, err error) {
	var members [fold.Endpoints][]document.Member
	err = Each(ctx, tx, `
		SELECT f.endpoint, n.top, n.sub, coalesce(f.value, v.body)
		FROM (SELECT 1 AS endpoint UNION ALL SELECT 2 UNION ALL SELECT 3) e
		ORDERED JOIN name n ON n.ws = ?1 AND EXISTS (SELECT 1 FROM fact WHERE ws = ?1 AND account = ?2 AND endpoint = e.endpoint)
		ORDERED JOIN fact f ON f.ws = n.ws AND f.account = ?2 AND f.endpoint = e.endpoint AND f.name = n.id AND f.at = (
			SELECT at FROM fact
			WHERE ws = n.ws AND account = ?2 AND endpoint = e.endpoint AND name = n.id AND at <= ?3
			ORDER BY at DESC LIMIT 1
		)
		LEFT JOIN value v ON v.ws = f.ws AND v.id = f.value_id`, []any{ws, account, at}, func(scan func(...any) error) error {
		var endpoint int64
		var m document.Member
		var value []byte
		if err := scan(&endpoint, &m.Top, &m.Sub, &value); err != nil {
			return err
		}
		if m.Value = value; value != nil {
			members[endpoint-1] = append(members[endpoint-1], m)
		}
		return nil
	})
	for e, all := range members {
		if err != nil || all == nil {
			continue
		}
		slices.SortFunc(all, func(a, b document.Member) int { return a.Compare(b.Key) })
		if bodies[e], err = document.FromMembers(all); err != nil {
			err = Damaged("fact", err)
		}
	}
	return bodies, err
}

// seenAt finds when each endpoint last showed an account, at or before a moment; 0:
// it did not.
func seenAt(ctx context.Context, tx Tx, ws, account, at int64) (seen [fold.Endpoints]int64, err error) {
	err = Each(ctx, tx, `
		SELECT s.endpoint, max((
			SELECT max(at) FROM response
			WHERE ws = s.ws AND source = s.source AND slot = s.slot AND at BETWEEN s.first AND least(s.last, ?3)
		))
		FROM shown s
		WHERE s.ws = ?1 AND s.account = ?2 AND s.first <= ?3
		GROUP BY s.endpoint`, []any{ws, account, at}, func(scan func(...any) error) error {
		var endpoint int64
		var last sql.NullInt64
		if err := scan(&endpoint, &last); err != nil {
			return err
		}
		if endpoint < 1 || endpoint > fold.Endpoints {
			return Damaged("shown", errNoEndpoint)
		}
		seen[endpoint-1] = last.Int64
		return nil
	})
	return seen, err
}

// latest is the endpoint that spoke last, and when; 0: none has.
func latest(seen [fold.Endpoints]int64) (e fold.Endpoint, at int64) {
	for i, last := range seen {
		if last > at {
			e, at = fold.Endpoint(i), last
		}
	}
	return e, at
}

// Document reads the account object as the API last gave it at the moment, with the
// volatile values of that moment. The icon is left out unless asked for. It returns
// ErrNotFound for an account not known then, and nil for one that was gone, or redacted.
func (s *Store) Document(ctx context.Context, q store.AccountQuery, withIcon bool) (whole json.RawMessage, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		ws, account, err := findAccount(ctx, tx, q.Workspace, q.Account)
		if err != nil {
			return err
		}
		seen, err := seenAt(ctx, tx, ws, account, moment(q.At))
		if err != nil {
			return err
		}
		endpoint, at := latest(seen)
		if at == 0 {
			return store.ErrNotFound
		}
		bodies, err := documentsAt(ctx, tx, ws, account, at)
		if err != nil || bodies[endpoint] == nil {
			return err
		}
		counters, err := countersAt(ctx, tx, ws, account, at)
		if err != nil {
			return err
		}
		var icon func(string) (string, error)
		if withIcon {
			icon = func(digest string) (string, error) { return iconText(ctx, tx, ws, digest) }
		}
		if whole, err = document.Join(bodies[endpoint], counters, icon); err != nil {
			err = Damaged("document of account "+q.Account, err)
		}
		return err
	})
	return whole, err
}

// documentAt is what the endpoint that spoke last said of an account, at a moment; nil
// when it was gone, or not known.
func documentAt(ctx context.Context, tx Tx, ws, account, at int64) ([]byte, error) {
	seen, err := seenAt(ctx, tx, ws, account, at)
	if err != nil {
		return nil, err
	}
	endpoint, last := latest(seen)
	if last == 0 {
		return nil, nil
	}
	bodies, err := documentsAt(ctx, tx, ws, account, at)
	return bodies[endpoint], err
}

// findAccount returns the numbers of a workspace and an account, or ErrNotFound.
func findAccount(ctx context.Context, tx Tx, workspace, id string) (ws, account int64, err error) {
	if ws, err = WorkspaceID(ctx, tx, workspace); err != nil {
		return 0, 0, err
	}
	account, err = accountNumber(ctx, tx, ws, id)
	if err == nil && account == 0 {
		err = store.ErrNotFound
	}
	return ws, account, err
}

// iconText reads the icon with the digest, in hex digits. It returns ErrDamaged when
// it is missing.
func iconText(ctx context.Context, tx Tx, ws int64, digest string) (text string, err error) {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		return "", Damaged("icon", err)
	}
	if err = tx.GetContext(ctx, &text, `SELECT body FROM icon WHERE ws = ? AND digest = ?`, ws, raw); err != nil {
		err = Damaged("icon "+digest, err)
	}
	return text, err
}

// countersAt reads the last volatile values up to a moment, by pointer.
func countersAt(ctx context.Context, tx Tx, ws, account, at int64) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	return values, Each(ctx, tx, `
		SELECT n.top, n.sub, u.body
		FROM counter c
		ORDERED JOIN name n ON n.ws = c.ws AND n.id = c.name
		ORDERED JOIN usage u ON u.ws = c.ws AND u.account = c.account AND u.name = c.name AND u.at = (
			SELECT at FROM usage WHERE ws = c.ws AND account = c.account AND name = c.name AND at <= ?3 ORDER BY at DESC LIMIT 1
		)
		WHERE c.ws = ?1 AND c.account = ?2`, []any{ws, account, at}, func(scan func(...any) error) error {
		var top, sub, body string
		err := scan(&top, &sub, &body)
		values["/"+document.EscapePointer(top)+sub] = json.RawMessage(body)
		return err
	})
}
