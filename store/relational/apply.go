package relational

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/store/document"
	"github.com/lobstrail/lobstrail/store/fold"
)

// apply writes what responses change, but for the states of accounts, which save
// writes once for all responses of a transaction.
func (w *workspace) apply(ctx context.Context, tx Tx, d *fold.Delta) error {
	if err := w.insertResponses(ctx, tx, d.Response); err != nil {
		return err
	}
	return w.applyRest(ctx, tx, d)
}

// applyRest is apply but for the row of the response: the Delta may be that of several.
func (w *workspace) applyRest(ctx context.Context, tx Tx, d *fold.Delta) error {
	for _, write := range []func(context.Context, Tx, *fold.Delta) error{
		w.insertAccounts, w.turnPage, w.insertDocuments, w.insertUsage, w.insertHistory, w.insertAssignments,
	} {
		if err := write(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}

func (w *workspace) insertResponses(ctx context.Context, tx Tx, rows ...fold.Response) error {
	return insertRows(ctx, tx, `
		INSERT INTO response (ws, at, run, source, slot, sent_at, server_at, held_ms, shown, changed, absent, gone, news) VALUES`, rows,
		func(values []any, r fold.Response) []any {
			return append(values, w.id, r.At, r.Run, sourceID(r.Source), r.Slot, r.Sent, orNull(r.Server), r.HeldMS, r.Shown, r.Changed, r.Absent,
				r.Gone, r.News)
		})
}

func (w *workspace) insertAccounts(ctx context.Context, tx Tx, d *fold.Delta) error {
	return insertRows(ctx, tx, `INSERT INTO account (ws, id, hash, first_at, salt) VALUES`, d.Accounts,
		func(values []any, a *fold.Account) []any {
			return append(values, w.id, a.Number, a.ID, a.FirstAt, orByte(a.Salt))
		})
}

// turnPage begins stays before it ends others: a stay that cannot be ended is
// noticed.
func (w *workspace) turnPage(ctx context.Context, tx Tx, d *fold.Delta) error {
	err := insertRows(ctx, tx, `INSERT INTO shown (ws, account, source, slot, endpoint, first, last) VALUES`, d.Entered,
		func(values []any, s fold.Stay) []any {
			return append(values, w.id, s.Account, sourceID(s.Source), s.Slot, int64(s.Endpoint)+1, s.First, int64(still))
		})
	for _, s := range d.Left {
		if err == nil {
			err = tx.ExecOne(ctx, `UPDATE shown SET last = ? WHERE ws = ? AND account = ? AND source = ? AND first = ? AND last = ?`,
				s.Last, w.id, s.Account, sourceID(s.Source), s.First, int64(still))
		}
	}
	return err
}

// shortValue is the length up to which a value stands in the row of its fact.
const shortValue = 48

func (w *workspace) insertDocuments(ctx context.Context, tx Tx, d *fold.Delta) error {
	for _, icon := range d.Icons {
		if err := w.insertIcon(ctx, tx, icon); err != nil {
			return err
		}
	}
	type row struct {
		fold.Fact
		name, id int64
	}
	rows := make([]row, len(d.Facts))
	for i, f := range d.Facts {
		rows[i].Fact = f
		var err error
		if rows[i].name, err = w.nameID(ctx, tx, f.Top, f.Sub); err != nil {
			return err
		}
		if len(f.Value) > shortValue {
			if rows[i].id, err = w.value(ctx, tx, f.Value); err != nil {
				return err
			}
		}
	}
	return insertRows(ctx, tx, `INSERT INTO fact (ws, account, endpoint, name, at, value, value_id) VALUES`, rows,
		func(values []any, f row) []any {
			values = append(values, w.id, f.Account, int64(f.Endpoint)+1, f.name, f.At)
			if f.id > 0 {
				return append(values, nil, f.id)
			}
			return append(values, jsonOrNull(f.Value), nil)
		})
}

func (w *workspace) insertIcon(ctx context.Context, tx Tx, icon *document.Icon) error {
	if w.icons[icon.Digest] {
		return nil
	}
	w.icons[icon.Digest] = true
	err := tx.Exec(ctx, `INSERT INTO icon (ws, digest, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		w.id, icon.Digest[:], icon.Text)
	return err
}

// nameID is the number of a name.
func (w *workspace) nameID(ctx context.Context, tx Tx, top, sub string) (int64, error) {
	text := nameText(top, sub)
	if id := w.names.ids[text]; id > 0 {
		return id, nil
	}
	id := w.names.next
	w.names.ids[text], w.names.next = id, id+1
	err := tx.Exec(ctx, `INSERT INTO name (ws, id, top, sub) VALUES (?, ?, ?, ?)`, w.id, id, top, sub)
	return id, err
}

// maxTexts bounds how many long values are remembered, at about a hundred bytes
// each.
const maxTexts = 1 << 15

// value is the number of a long value.
func (w *workspace) value(ctx context.Context, tx Tx, body []byte) (id int64, err error) {
	digest := sha256.Sum256(body)
	if id := w.texts.ids[string(digest[:])]; id > 0 {
		return id, nil
	}
	if len(w.texts.ids) >= maxTexts {
		clear(w.texts.ids)
	}
	err = Each(ctx, tx, `SELECT id FROM value WHERE ws = ? AND digest = ?`, []any{w.id, digest[:]}, func(scan func(...any) error) error { return scan(&id) })
	if err == nil && id == 0 {
		id = w.texts.next
		w.texts.next++
		err = tx.Exec(ctx, `INSERT INTO value (ws, id, digest, body) VALUES (?, ?, ?, ?)`, w.id, id, digest[:], string(body))
	}
	w.texts.ids[string(digest[:])] = id
	return id, err
}

func (w *workspace) insertUsage(ctx context.Context, tx Tx, d *fold.Delta) error {
	names := make([]int64, len(d.Usage))
	for i, u := range d.Usage {
		var err error
		if names[i], err = w.pointer(ctx, tx, u.Pointer); err != nil {
			return err
		}
	}
	i := 0
	return insertRows(ctx, tx, `INSERT INTO usage (ws, at, account, name, body, max) VALUES`, d.Usage,
		func(values []any, u fold.Usage) []any {
			i++
			return append(values, w.id, u.At, u.Account, names[i-1], string(u.Body), jsonOrNull(u.Max))
		})
}

// pointer is the number of the name that a counter has by its pointer.
func (w *workspace) pointer(ctx context.Context, tx Tx, pointer string) (int64, error) {
	top, sub := pointer[1:], ""
	if i := strings.IndexByte(top, '/'); i >= 0 {
		top, sub = top[:i], top[i:]
	}
	return w.nameID(ctx, tx, top, sub)
}

func (w *workspace) insertHistory(ctx context.Context, tx Tx, d *fold.Delta) error {
	if err := w.insertVersions(ctx, tx, d.Versions); err != nil {
		return err
	}
	err := insertRows(ctx, tx, `
		INSERT INTO change (ws, at, account, n, kind, path, old, new, health_before, health_after, after) VALUES`, d.Changes,
		func(values []any, c fold.Change) []any {
			return append(values, w.id, c.At, c.Account, c.N, string(c.Kind), c.Path, jsonOrNull(c.Old), jsonOrNull(c.New),
				textOrNull(string(c.HealthBefore)), textOrNull(string(c.HealthAfter)), orNull(c.After))
		})
	if err != nil {
		return err
	}
	return insertRows(ctx, tx, `
		INSERT INTO status_step (ws, account, at, status_before, status_after, info_before, info_after, health_before, health_after, after)
		VALUES`, d.Steps, func(values []any, s fold.Step) []any {
		return append(values, w.id, s.Account, s.At, textOrNull(s.StatusBefore), textOrNull(s.StatusAfter), textOrNull(s.InfoBefore),
			textOrNull(s.InfoAfter), textOrNull(string(s.HealthBefore)), string(s.HealthAfter), orNull(s.After))
	})
}

// insertVersions inserts versions, each after those before it of its account, which it
// ends.
func (w *workspace) insertVersions(ctx context.Context, tx Tx, versions []fold.Version) error {
	type row struct {
		fold.Version
		until int64
	}
	rows, last := make([]row, len(versions)), make(map[int64]int, len(versions)) // by account
	for i, v := range versions {
		rows[i].Version = v
		if before, begun := last[v.Account]; begun {
			rows[before].until = v.At
		} else if v.Number > 1 {
			err := tx.ExecOne(ctx, `UPDATE version SET until = ? WHERE ws = ? AND account = ? AND until IS NULL`, v.At, w.id, v.Account)
			if err != nil {
				return err
			}
		}
		last[v.Account] = i
	}
	return insertRows(ctx, tx, `
		INSERT INTO version (
			ws, account, at, until, number, endpoint, health, status, status_code_info, status_code_description, username, type,
			last_synchronization_time, locked_until, squid_count
		) VALUES`, rows, func(values []any, v row) []any {
		f := &v.Facts
		locked := sql.NullInt64{Int64: f.LockedUntil.UnixMilli(), Valid: !f.LockedUntil.IsZero()}
		return append(values, w.id, v.Account, v.At, zeroIsNull(v.until), v.Number, int64(v.Endpoint)+1, string(f.Health), textOrNull(f.Status),
			textOrNull(f.Info), textOrNull(f.Description), f.Username, f.Type, textOrNull(f.LastSync), locked, len(f.Squids))
	})
}

func (w *workspace) insertAssignments(ctx context.Context, tx Tx, d *fold.Delta) error {
	if err := w.insertSquids(ctx, tx, d.Squids); err != nil {
		return err
	}
	err := insertRows(ctx, tx, `INSERT INTO assignment (ws, squid, account, from_before, from_after) VALUES`, d.Assignments,
		func(values []any, g fold.Assignment) []any {
			return append(values, w.id, g.Squid, g.Account, g.FromBefore, orNull(g.FromAfter))
		})
	if err != nil {
		return err
	}
	err = insertRows(ctx, tx, `INSERT INTO squid_name (ws, squid, account, at, name) VALUES`, d.Names,
		func(values []any, n fold.SquidName) []any {
			return append(values, w.id, n.Squid, n.Account, n.At, n.Name)
		})
	for _, g := range d.Ended {
		if err == nil {
			err = tx.ExecOne(ctx, `
				UPDATE assignment SET to_after = ?, to_before = ?
				WHERE ws = ? AND squid = ? AND account = ? AND from_before = ? AND to_before IS NULL`,
				g.ToAfter, g.ToBefore, w.id, g.Squid, g.Account, g.FromBefore)
		}
	}
	for _, a := range d.Relisted {
		if err == nil {
			err = tx.ExecOne(ctx, `UPDATE absence SET ended = ? WHERE ws = ? AND account = ? AND since = ?`, a.Ended, w.id, a.Account, a.Since)
		}
	}
	return err
}

func (w *workspace) insertSquids(ctx context.Context, tx Tx, squids []fold.Squid) error {
	return insertRows(ctx, tx, `INSERT INTO squid (ws, id, hash) VALUES`, squids,
		func(values []any, q fold.Squid) []any { return append(values, w.id, q.Number, q.ID) })
}

// save writes where accounts stand after a transaction, whose first response has
// that instant.
func (w *workspace) save(ctx context.Context, tx Tx, since int64, touched map[*fold.Account]bool, moved []fold.Usage) error {
	accounts := slices.SortedFunc(maps.Keys(touched), func(a, b *fold.Account) int { return int(a.Number - b.Number) })
	for _, a := range accounts {
		if err := w.saveState(ctx, tx, since, a); err != nil {
			return err
		}
	}
	return w.saveCounters(ctx, tx, moved)
}

func (w *workspace) saveState(ctx context.Context, tx Tx, since int64, a *fold.Account) error {
	var dropped sql.NullString
	if len(a.Dropped) > 0 {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false) // the values stay spelled as they are
		if err := encoder.Encode(a.Dropped); err != nil {
			return err
		}
		dropped = jsonOrNull(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	}
	known := jsonOrNull(a.Known)
	if bytes.Equal(a.Known, a.Said[a.Latest].Body) {
		known.Valid = false
	}
	err := tx.Exec(ctx, `
		INSERT INTO state (
			ws, account, latest, gone, health, health_after, health_before, locked_until, absent_since, known, outdated, dropped
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (ws, account) DO UPDATE SET
			latest = excluded.latest, gone = excluded.gone, health = excluded.health, health_after = excluded.health_after,
			health_before = excluded.health_before, locked_until = excluded.locked_until, absent_since = excluded.absent_since,
			known = excluded.known, outdated = excluded.outdated, dropped = excluded.dropped`,
		w.id, a.Number, int64(a.Latest)+1, flag(a.Gone), string(a.Health), orNull(a.HealthAfter), a.HealthBefore, zeroIsNull(a.LockedUntil),
		zeroIsNull(a.AbsentSince), known, flag(a.Outdated), dropped)
	for e := range fold.Endpoint(fold.Endpoints) {
		if err == nil {
			err = w.saveSaid(ctx, tx, since, a, e)
		}
	}
	return err
}

func (w *workspace) saveSaid(ctx context.Context, tx Tx, since int64, a *fold.Account, e fold.Endpoint) error {
	s := &a.Said[e]
	if s.Received < since && s.DocumentAt < since {
		return nil
	}
	err := tx.Exec(ctx, `
		INSERT INTO said (ws, account, endpoint, digest, leaf, document_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (ws, account, endpoint) DO UPDATE SET
			digest = excluded.digest, leaf = excluded.leaf, document_at = excluded.document_at`,
		w.id, a.Number, int64(e)+1, s.Digest, s.Leaf[:], s.DocumentAt)
	switch {
	case err != nil || s.DocumentAt < since:
	case s.Body == nil:
		err = tx.Exec(ctx, `DELETE FROM body WHERE ws = ? AND account = ? AND endpoint = ?`, w.id, a.Number, int64(e)+1)
	default:
		err = tx.Exec(ctx, `
			INSERT INTO body (ws, account, endpoint, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (ws, account, endpoint) DO UPDATE SET body = excluded.body`, w.id, a.Number, int64(e)+1, string(s.Body))
	}
	return err
}

// saveCounters writes where the volatile values stand that moved: the last of what
// a transaction brings of each.
func (w *workspace) saveCounters(ctx context.Context, tx Tx, moved []fold.Usage) error {
	type key struct{ account, name int64 }
	last := map[key]fold.Usage{}
	for _, u := range moved {
		name, err := w.pointer(ctx, tx, u.Pointer)
		if err != nil {
			return err
		}
		last[key{u.Account, name}] = u
	}
	keys := slices.SortedFunc(maps.Keys(last), func(a, b key) int {
		if a.account != b.account {
			return int(a.account - b.account)
		}
		return int(a.name - b.name)
	})
	return insertRows(ctx, tx, `
		INSERT INTO counter (ws, account, name, at, body, max) VALUES
		ON CONFLICT (ws, account, name) DO UPDATE SET at = excluded.at, body = excluded.body, max = excluded.max`, keys,
		func(values []any, k key) []any {
			u := last[k]
			return append(values, w.id, k.account, k.name, u.At, string(u.Body), jsonOrNull(u.Max))
		})
}
