package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// AlertPlace is how far the alerts of the workspace were evaluated; the zero value if
// they never were.
func (s *Store) AlertPlace(ctx context.Context, workspace string) (place store.AlertPlace, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		var row placeRow
		err := tx.GetContext(ctx, &row, `
			SELECT`+placeColumns+`FROM alert_place WHERE ws = (SELECT id FROM workspace WHERE name = ?)`, workspace)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		place = row.place()
		return err
	})
	return place, err
}

// alertRow is a row of table alert.
type alertRow struct {
	ID        int64         `db:"id"`
	Condition string        `db:"condition"`
	Account   string        `db:"account"`
	Squid     string        `db:"squid"`
	LimitName string        `db:"limit_name"`
	After     sql.NullInt64 `db:"after"`
	Before    sql.NullInt64 `db:"before"`
	Run       sql.NullInt64 `db:"run"`
	Polls     int           `db:"polls"`
	FiredAt   sql.NullInt64 `db:"fired_at"`
	Told      bool          `db:"told"`
	Silenced  bool          `db:"silenced"`
	Reminders int           `db:"reminders"`
	EndedAt   sql.NullInt64 `db:"ended_at"`
	Detail    string        `db:"detail"`
}

const alertColumns = `
	id, condition, account, squid, limit_name, after, before, run, polls, fired_at, told, silenced, reminders, ended_at, detail`

func (r alertRow) alert() (store.Alert, error) {
	return store.Alert{
		ID: r.ID, Condition: store.Condition(r.Condition), Account: r.Account, Squid: r.Squid, Limit: r.LimitName,
		Window: store.Window{After: instant(r.After), Before: instant(r.Before)}, Run: r.Run.Int64, Polls: r.Polls,
		FiredAt: instant(r.FiredAt), Told: r.Told, Silenced: r.Silenced, Reminders: r.Reminders, EndedAt: instant(r.EndedAt),
		Detail: json.RawMessage(r.Detail),
	}, nil
}

// Alerts streams the alerts of a workspace by number.
func (s *Store) Alerts(ctx context.Context, q store.AlertQuery) iter.Seq2[store.Alert, error] {
	query, args := `
		SELECT`+alertColumns+`
		FROM alert
		WHERE ws = (SELECT id FROM workspace WHERE name = ?)`, []any{q.Workspace}
	switch {
	case !q.Over:
		query += ` AND ended_at IS NULL`
	case !q.Since.IsZero():
		query += ` AND (ended_at IS NULL OR ended_at > ?)`
		args = append(args, floorMS(q.Since))
	}
	return rowsOf(ctx, s, query+` ORDER BY id`, args, alertRow.alert)
}

// silenceRow is a row of table silence.
type silenceRow struct {
	ID      int64  `db:"id"`
	Account string `db:"account"`
	Type    string `db:"type"`
	Squid   string `db:"squid"`
	Reason  string `db:"reason"`
	FromAt  int64  `db:"from_at"`
	UntilAt int64  `db:"until_at"`
}

const silenceColumns = ` id, account, type, squid, reason, from_at, until_at `

func (r silenceRow) silence() store.Silence {
	return store.Silence{
		ID: r.ID, Account: r.Account, Type: r.Type, Squid: r.Squid, Reason: r.Reason,
		From: time.UnixMilli(r.FromAt).UTC(), Until: time.UnixMilli(r.UntilAt).UTC(),
	}
}

// Silences are those of a workspace that end after the moment, by number.
func (s *Store) Silences(ctx context.Context, workspace string, after time.Time) (silences []store.Silence, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		var rows []silenceRow
		err := tx.SelectContext(ctx, &rows, `
			SELECT`+silenceColumns+`
			FROM silence
			WHERE ws = (SELECT id FROM workspace WHERE name = ?) AND until_at > ?
			ORDER BY id`, workspace, floorMS(after))
		for _, row := range rows {
			silences = append(silences, row.silence())
		}
		return err
	})
	return silences, err
}

// Deliveries streams deliveries, the oldest message first, and by sink.
func (s *Store) Deliveries(ctx context.Context, q store.DeliveryQuery) iter.Seq2[store.Delivery, error] {
	query := `
		SELECT` + messageColumns + `, w.name AS workspace, d.sink, d.state, d.attempts, d.next_at, d.ended_at, d.error, d.pause, d.asked
		FROM delivery d
		JOIN message m ON m.ws = d.ws AND m.n = d.message
		JOIN workspace w ON w.id = d.ws
		WHERE true`
	var args []any
	if q.Workspace != "" {
		query += ` AND w.name = ?`
		args = append(args, q.Workspace)
	}
	if !q.DueAt.IsZero() {
		query += ` AND d.next_at <= ?`
		args = append(args, floorMS(q.DueAt))
	}
	if !q.Since.IsZero() {
		query += ` AND (d.ended_at IS NULL OR d.ended_at > ?)`
		args = append(args, floorMS(q.Since))
	}
	return rowsOf(ctx, s, query+` ORDER BY m.at, m.ws, m.n, d.sink`, args, deliveryRow.delivery)
}

// Cursor is the run up to which the consumer has seen the changes of a workspace; 0 for
// none yet.
func (s *Store) Cursor(ctx context.Context, workspace, consumer string) (run int64, err error) {
	err = s.db.Read(ctx, func(tx Tx) error {
		return tx.GetContext(ctx, &run, `
			SELECT coalesce((SELECT run FROM cursor WHERE ws = (SELECT id FROM workspace WHERE name = ?) AND consumer = ?), 0)`,
			workspace, consumer)
	})
	return run, err
}
