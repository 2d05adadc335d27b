package relational

import (
	"database/sql"
	"iter"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/fold"
	"github.com/lobstrail/lobstrail/store/verify"
)

func (r rowReader) versions() iter.Seq2[verify.Version, error] {
	return of(r, "version", `
		SELECT account, at, until, number, endpoint, health, status, status_code_info, status_code_description, username, type,
			last_synchronization_time, locked_until, squid_count
		FROM version WHERE ws = ? ORDER BY at, account`, func(scan scanner) (v verify.Version, err error) {
		var until, locked sql.NullInt64
		var endpoint int64
		var status, info, description, sync sql.NullString
		f := &v.Facts
		err = scan(&v.Account, &v.At, &until, &v.Number, &endpoint, &f.Health, &status, &info, &description, &f.Username, &f.Type,
			&sync, &locked, &v.SquidCount)
		v.Until, v.Endpoint = until.Int64, fold.Endpoint(endpoint-1)
		f.Status, f.Info, f.Description, f.LastSync = status.String, info.String, description.String, sync.String
		f.LockedUntil = instant(locked)
		return v, err
	})
}

func (r rowReader) changes() iter.Seq2[fold.Change, error] {
	return of(r, "change", `
		SELECT at, account, n, kind, path, old, new, health_before, health_after, after
		FROM change WHERE ws = ? ORDER BY at, account, n`, func(scan scanner) (c fold.Change, err error) {
		var old, new, before, healthAfter sql.NullString
		var after sql.NullInt64
		err = scan(&c.At, &c.Account, &c.N, &c.Kind, &c.Path, &old, &new, &before, &healthAfter, &after)
		c.Old, c.New, c.After = rawOrNil(old), rawOrNil(new), pointerTo(after)
		c.HealthBefore, c.HealthAfter = store.Health(before.String), store.Health(healthAfter.String)
		return c, err
	})
}

func (r rowReader) steps() iter.Seq2[fold.Step, error] {
	return of(r, "status_step", `
		SELECT account, at, status_before, status_after, info_before, info_after, health_before, health_after, after
		FROM status_step WHERE ws = ? ORDER BY at, account`, func(scan scanner) (s fold.Step, err error) {
		var statusBefore, statusAfter, infoBefore, infoAfter, healthBefore sql.NullString
		var after sql.NullInt64
		err = scan(&s.Account, &s.At, &statusBefore, &statusAfter, &infoBefore, &infoAfter, &healthBefore, &s.HealthAfter, &after)
		s.StatusBefore, s.StatusAfter, s.InfoBefore, s.InfoAfter = statusBefore.String, statusAfter.String, infoBefore.String, infoAfter.String
		s.HealthBefore, s.After = store.Health(healthBefore.String), pointerTo(after)
		return s, err
	})
}

func (r rowReader) names() iter.Seq2[fold.SquidName, error] {
	return of(r, "squid_name", `SELECT squid, account, at, name FROM squid_name WHERE ws = ? ORDER BY at, account, squid`,
		func(scan scanner) (n fold.SquidName, err error) { return n, scan(&n.Squid, &n.Account, &n.At, &n.Name) })
}

func (r rowReader) assignments() iter.Seq2[fold.Assignment, error] {
	return of(r, "assignment", `
		SELECT squid, account, from_after, from_before, to_after, to_before
		FROM assignment WHERE ws = ? ORDER BY from_before, account, squid`, func(scan scanner) (g fold.Assignment, err error) {
		var fromAfter, toAfter, toBefore sql.NullInt64
		err = scan(&g.Squid, &g.Account, &fromAfter, &g.FromBefore, &toAfter, &toBefore)
		g.FromAfter, g.ToAfter, g.ToBefore = pointerTo(fromAfter), toAfter.Int64, toBefore.Int64
		return g, err
	})
}

func (r rowReader) absences() iter.Seq2[verify.Absence, error] {
	return of(r, "absence", `
		SELECT x.account, coalesce(a.hash, ''), x.since, x.run, x.ended
		FROM absence x
		LEFT JOIN account a ON a.ws = x.ws AND a.id = x.account
		WHERE x.ws = ? ORDER BY x.since, x.account`, func(scan scanner) (a verify.Absence, err error) {
		var ended sql.NullInt64
		err = scan(&a.Account, &a.ID, &a.Since, &a.Run, &ended)
		a.Ended = ended.Int64
		return a, err
	})
}
