package store

import (
	"context"
	"database/sql"
	"iter"
	"time"
)

// AssignmentQuery says which assignments to read.
type AssignmentQuery struct {
	Workspace string
	Squid     string // id; "" for all
	Account   string // id; "" for all
	// At, unless zero, keeps those that were seen to hold at the moment. That they ended
	// was received later, and is left out.
	At time.Time
	// Since and Until, unless zero, keep those that may have held in the period.
	Since, Until time.Time
	// Moved keeps those that are known to have begun, or to have ended, in the
	// period: not those that were there when their account was first seen.
	Moved bool
	// Open keeps those that hold now.
	Open bool
}

// Assignments streams assignments by squid name and id, then by username, then
// in the order of time. Names are those of the moment asked for, or of now.
func (s *Store) Assignments(ctx context.Context, q AssignmentQuery) iter.Seq2[Assignment, error] {
	if q.Squid == "" && q.Account == "" && !q.Moved {
		return s.allAssignments(ctx, q)
	}
	at, until, since := int64(1<<63-1), int64(1<<63-1), int64(0)
	if !q.At.IsZero() {
		at = q.At.UnixMilli()
	}
	if !q.Until.IsZero() {
		until = q.Until.UnixMilli()
	}
	if !q.Since.IsZero() {
		since = q.Since.UnixMilli()
	}
	return rowsOf(ctx, s, `
		SELECT
			q.hash AS squid,
			coalesce((
				SELECT n.name FROM squid_name n WHERE n.squid_id = q.id AND n.since <= ?4 ORDER BY n.since DESC LIMIT 1
			), '') AS squid_name,
			a.hash AS account,
			v.username AS username,
			(
				SELECT t.health_after FROM status_step t
				WHERE t.account_id = a.id AND t.before <= max(?4, g.from_before)
				ORDER BY t.before DESC, t.id DESC LIMIT 1
			) AS health,
			g.from_after AS from_after,
			g.from_before AS from_before,
			iif(?4 = 9223372036854775807, g.to_after, NULL) AS to_after,
			iif(?4 = 9223372036854775807, g.to_before, NULL) AS to_before
		FROM workspace w
		JOIN squid q ON q.workspace_id = w.id
		JOIN assignment g ON g.squid_id = q.id
		JOIN account a ON a.id = g.account_id
		JOIN version v ON v.account_id = a.id AND v.number = (
			SELECT number FROM version WHERE account_id = a.id AND valid_from <= max(?4, g.from_before)
			ORDER BY valid_from DESC, number DESC LIMIT 1
		)
		WHERE w.name = ?1 AND (?2 = '' OR q.hash = ?2) AND (?3 = '' OR a.hash = ?3)
			AND (?4 = 9223372036854775807 OR g.from_before <= ?4 AND (g.to_before IS NULL OR g.to_before > ?4))
			AND (g.to_before IS NULL OR g.to_before > ?5) AND coalesce(g.from_after, g.from_before) <= ?6
			AND (NOT ?7 OR g.to_before IS NULL)
			AND (NOT ?8 OR g.to_before BETWEEN ?5 AND ?6 OR g.from_after IS NOT NULL AND g.from_before BETWEEN ?5 AND ?6)
		ORDER BY squid_name, q.hash, v.username COLLATE NOCASE, a.hash, g.from_before, g.id`,
		[]any{q.Workspace, q.Squid, q.Account, at, since, until, q.Open, q.Moved}, assignmentRow.assignment)
}

type assignmentRow struct {
	Squid      string        `db:"squid"`
	SquidName  string        `db:"squid_name"`
	Account    string        `db:"account"`
	Username   string        `db:"username"`
	Health     Health        `db:"health"`
	FromAfter  sql.NullInt64 `db:"from_after"`
	FromBefore sql.NullInt64 `db:"from_before"`
	ToAfter    sql.NullInt64 `db:"to_after"`
	ToBefore   sql.NullInt64 `db:"to_before"`
}

func (r assignmentRow) assignment() (Assignment, error) {
	g := Assignment{
		Squid: r.Squid, SquidName: r.SquidName, Account: r.Account, Username: r.Username, Health: r.Health,
		From: Window{After: instant(r.FromAfter), Before: instant(r.FromBefore)},
	}
	if r.ToBefore.Valid {
		g.To = &Window{After: instant(r.ToAfter), Before: instant(r.ToBefore)}
	}
	return g, nil
}

// Squids lists the squids of the workspace that any account has ever named, by
// name. At, unless zero, leaves out those first named later.
func (s *Store) Squids(ctx context.Context, workspace string, at time.Time) iter.Seq2[Name, error] {
	ms := int64(1<<63 - 1)
	if !at.IsZero() {
		ms = at.UnixMilli()
	}
	return rowsOf(ctx, s, `
		SELECT q.hash AS id, n.name AS name
		FROM workspace w
		JOIN squid q ON q.workspace_id = w.id
		JOIN squid_name n ON n.squid_id = q.id AND n.since = (
			SELECT max(since) FROM squid_name WHERE squid_id = q.id AND since <= ?2
		)
		WHERE w.name = ?1
		ORDER BY n.name, q.hash`, []any{workspace, ms}, func(n Name) (Name, error) { return n, nil })
}
