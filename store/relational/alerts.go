package relational

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// SaveAlerts stores an evaluation, whole or not at all. See [store.AlertWriter].
func (s *Store) SaveAlerts(ctx context.Context, workspace string, d store.AlertDelta) error {
	return s.updateAlerts(ctx, workspace, func(w *alertWriter) error {
		if err := w.move(ctx, d.From, d.To); err != nil {
			return err
		}
		for _, id := range d.Forget {
			if err := w.forget(ctx, id); err != nil {
				return fmt.Errorf("alert %d: %w", id, err)
			}
		}
		for i := range d.Update {
			if err := w.change(ctx, &d.Update[i]); err != nil {
				return fmt.Errorf("alert %d: %w", d.Update[i].ID, err)
			}
		}
		for i := range d.Begin {
			if err := w.begin(ctx, &d.Begin[i]); err != nil {
				return fmt.Errorf("alert %s: %w", d.Begin[i].Condition, err)
			}
		}
		return w.send(ctx, d.Messages)
	})
}

// alertWriter writes the alerts of one workspace in a transaction.
type alertWriter struct {
	tx    Tx
	ws    int64
	place placeRow
}

// placeRow is a row of table alert_place.
type placeRow struct {
	Run      int64         `db:"run"`
	At       sql.NullInt64 `db:"at"`
	DigestAt sql.NullInt64 `db:"digest_at"`
	Alerts   int64         `db:"alerts"`
	Messages int64         `db:"messages"`
	Silences int64         `db:"silences"`
	Cursors  int64         `db:"cursors"`
}

const placeColumns = ` run, at, digest_at, alerts, messages, silences, cursors `

func (r placeRow) place() store.AlertPlace {
	return store.AlertPlace{Run: r.Run, At: instant(r.At), Digest: instant(r.DigestAt)}
}

// updateAlerts runs fn in a transaction that may change the alerts of the workspace. It
// returns ErrNotFound for a workspace that had no run yet.
func (s *Store) updateAlerts(ctx context.Context, workspace string, fn func(*alertWriter) error) error {
	if err := s.knowsWorkspace(ctx, workspace); err != nil {
		return err
	}
	return s.db.Write(ctx, []string{workspace}, func(tx Tx) error { return withAlerts(ctx, tx, workspace, fn) })
}

// knowsWorkspace returns ErrNotFound for a workspace that had no run yet: nothing is to be
// locked for it. For a store that was opened for reading it is ErrReadOnly.
func (s *Store) knowsWorkspace(ctx context.Context, workspace string) error {
	if err := s.db.CanWrite(); err != nil {
		return err
	}
	return s.db.Read(ctx, func(tx Tx) error {
		ws, err := WorkspaceID(ctx, tx, workspace)
		if err == nil && ws == 0 {
			err = fmt.Errorf("workspace %q: %w", workspace, store.ErrNotFound)
		}
		return err
	})
}

func withAlerts(ctx context.Context, tx Tx, workspace string, fn func(*alertWriter) error) error {
	w := &alertWriter{tx: tx}
	err := tx.GetContext(ctx, &w.ws, `SELECT id FROM workspace WHERE name = ?`, workspace)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("workspace %q: %w", workspace, store.ErrNotFound)
	}
	if err != nil {
		return err
	}
	err = tx.GetContext(ctx, &w.place, `SELECT`+placeColumns+`FROM alert_place WHERE ws = ?`, w.ws)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := fn(w); err != nil {
		return err
	}
	p := w.place
	err = tx.Exec(ctx, `
		INSERT INTO alert_place (ws,`+placeColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (ws) DO UPDATE SET
			run = excluded.run, at = excluded.at, digest_at = excluded.digest_at, alerts = excluded.alerts, messages = excluded.messages,
			silences = excluded.silences, cursors = excluded.cursors`,
		w.ws, p.Run, p.At, p.DigestAt, p.Alerts, p.Messages, p.Silences, p.Cursors)
	return err
}

// move changes the place of the workspace, which must be at from.
func (w *alertWriter) move(ctx context.Context, from, to store.AlertPlace) error {
	was := placeRow{Run: from.Run, At: orNever(from.At), DigestAt: orNever(from.Digest)}
	if is := w.place; is.Run != was.Run || is.At != was.At || is.DigestAt != was.DigestAt {
		return fmt.Errorf("%w: the alerts have been evaluated up to run %d meanwhile", store.ErrConflict, is.Run)
	}
	if to.Run < 0 {
		return fmt.Errorf("%w: a run has no negative number", store.ErrInvalid)
	}
	if err := w.knows(ctx, "run", to.Run); err != nil {
		return err
	}
	w.place.Run, w.place.At, w.place.DigestAt = to.Run, orNever(to.At), orNever(to.Digest)
	return nil
}

func (w *alertWriter) begin(ctx context.Context, a *store.Alert) error {
	if err := a.Check(); err != nil {
		return err
	}
	if err := cmp.Or(w.knows(ctx, "run", a.Run), w.knows(ctx, "account", a.Account), w.knows(ctx, "squid", a.Squid)); err != nil {
		return err
	}
	if err := w.twice(ctx, a, 0); err != nil {
		return err
	}
	w.place.Alerts++
	return w.tx.Exec(ctx, `
		INSERT INTO alert (
			ws, id, condition, account, squid, limit_name, after, before, run, polls, fired_at, told, silenced, reminders, ended_at, detail
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.ws, w.place.Alerts, a.Condition, a.Account, a.Squid, a.Limit, orNever(a.Window.After), before(a.Window), zeroIsNull(a.Run), a.Polls,
		orNever(a.FiredAt), flag(a.Told), flag(a.Silenced), a.Reminders, orNever(a.EndedAt), string(a.Detail))
}

func (w *alertWriter) change(ctx context.Context, a *store.Alert) error {
	if err := a.Check(); err != nil {
		return err
	}
	if err := w.twice(ctx, a, a.ID); err != nil {
		return err
	}
	n, err := w.tx.ExecCount(ctx, `
		UPDATE alert SET polls = ?, fired_at = ?, told = ?, silenced = ?, reminders = ?, ended_at = ?, detail = ?
		WHERE ws = ? AND id = ?`,
		a.Polls, orNever(a.FiredAt), flag(a.Told), flag(a.Silenced), a.Reminders, orNever(a.EndedAt), string(a.Detail), w.ws, a.ID)
	return changedOne(n, err)
}

func (w *alertWriter) forget(ctx context.Context, id int64) error {
	n, err := w.tx.ExecCount(ctx, `DELETE FROM alert WHERE ws = ? AND id = ? AND fired_at IS NULL`, w.ws, id)
	return changedOne(n, err)
}

// knows returns ErrNotFound unless the workspace has the thing. "" and 0 are none.
func (w *alertWriter) knows(ctx context.Context, what string, key any) error {
	if key == "" || key == int64(0) {
		return nil
	}
	column := "hash"
	if what == "run" {
		column = "id"
	}
	var known bool
	err := w.tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM `+what+` WHERE ws = ? AND `+column+` = ?)`, w.ws, key)
	if err == nil && !known {
		return fmt.Errorf("%s %v: %w", what, key, store.ErrNotFound)
	}
	return err
}

// changedOne returns ErrNotFound unless one row was changed.
func changedOne(n int64, err error) error {
	if err == nil && n == 0 {
		return store.ErrNotFound
	}
	return err
}

// twice returns ErrInvalid if another alert than that of the number holds that is about the
// same.
func (w *alertWriter) twice(ctx context.Context, a *store.Alert, number int64) error {
	if !a.EndedAt.IsZero() {
		return nil
	}
	key, args := `condition = ? AND account = ? AND squid = ? AND limit_name = ?`, []any{w.ws, number, a.Condition, a.Account, a.Squid, a.Limit}
	if number > 0 { // what it is about does not change
		key = `(condition, account, squid, limit_name) = (SELECT condition, account, squid, limit_name FROM alert WHERE ws = ? AND id = ?)`
		args = []any{w.ws, number, w.ws, number}
	}
	var held bool
	err := w.tx.GetContext(ctx, &held, `
		SELECT EXISTS (SELECT 1 FROM alert WHERE ws = ? AND id <> ? AND ended_at IS NULL AND `+key+`)`, args...)
	if err == nil && held {
		err = fmt.Errorf("%w: another alert about the same holds", store.ErrInvalid)
	}
	return err
}

// orNever binds an instant; the zero time is NULL.
func orNever(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: floorMS(t), Valid: true}
}

// before binds the end of a window.
func before(w store.Window) sql.NullInt64 {
	return sql.NullInt64{Int64: ceilMS(w.Before), Valid: !w.Before.IsZero()}
}

// ForgetAlerts deletes what is over since before the moment, in all workspaces.
func (s *Store) ForgetAlerts(ctx context.Context, moment time.Time) error {
	if err := s.db.CanWrite(); err != nil {
		return err
	}
	names, err := s.Workspaces(ctx)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, names, func(tx Tx) error {
		for _, statement := range []string{
			`DELETE FROM alert WHERE ended_at < ?`,
			`DELETE FROM silence WHERE until_at < ?`,
			`DELETE FROM message WHERE NOT EXISTS (
				SELECT 1 FROM delivery d WHERE d.ws = message.ws AND d.message = message.n AND (d.ended_at IS NULL OR d.ended_at >= ?)
			)`,
		} {
			if err := tx.Exec(ctx, statement, floorMS(moment)); err != nil {
				return err
			}
		}
		return tx.Exec(ctx, `
			DELETE FROM delivery
			WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.ws = delivery.ws AND m.n = delivery.message)`)
	})
}

// SaveCursor stores up to which run the consumer has seen the changes.
func (s *Store) SaveCursor(ctx context.Context, workspace, consumer string, run int64) error {
	if consumer == "" || run < 0 {
		return fmt.Errorf("%w: a cursor needs a name, and a run that is not negative", store.ErrInvalid)
	}
	return s.updateAlerts(ctx, workspace, func(w *alertWriter) error {
		if err := w.knows(ctx, "run", run); err != nil {
			return err
		}
		n, err := w.tx.ExecCount(ctx, `UPDATE cursor SET run = ? WHERE ws = ? AND consumer = ?`, run, w.ws, consumer)
		if err = changedOne(n, err); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		w.place.Cursors++
		err = w.tx.Exec(ctx, `INSERT INTO cursor (ws, consumer, run) VALUES (?, ?, ?)`, w.ws, consumer, run)
		return err
	})
}

// AddSilence stores a silence, gives it a number, and returns that.
func (s *Store) AddSilence(ctx context.Context, workspace string, silence store.Silence) (id int64, err error) {
	if err := silence.Check(); err != nil {
		return 0, err
	}
	err = s.updateAlerts(ctx, workspace, func(w *alertWriter) error {
		if err := cmp.Or(w.knows(ctx, "account", silence.Account), w.knows(ctx, "squid", silence.Squid)); err != nil {
			return err
		}
		w.place.Silences++
		id = w.place.Silences
		err := w.tx.Exec(ctx, `
			INSERT INTO silence (ws, id, account, type, squid, reason, from_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			w.ws, id, silence.Account, silence.Type, silence.Squid, silence.Reason, floorMS(silence.From), ceilMS(silence.Until))
		return err
	})
	return id, err
}

// EndSilence ends a silence at the moment.
func (s *Store) EndSilence(ctx context.Context, workspace string, id int64, at time.Time) error {
	return s.updateAlerts(ctx, workspace, func(w *alertWriter) error {
		n, err := w.tx.ExecCount(ctx, `
			UPDATE silence SET until_at = greatest(from_at, ?1) WHERE ws = ?2 AND id = ?3 AND until_at > ?1`, floorMS(at), w.ws, id)
		return changedOne(n, err)
	})
}
