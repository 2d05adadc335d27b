package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"strconv"
	"time"
)

// AssignmentQuery says which assignments to read.
type AssignmentQuery struct {
	Workspace string
	Squid     string // id; "" for all
	Account   string // id; "" for all
	// At, unless zero, keeps those that were seen to hold at the moment.
	At time.Time
	// Since and Until, unless zero, keep those that may have held in the period.
	Since, Until time.Time
	// Open keeps those that hold now.
	Open bool
}

// Assignments streams assignments by squid name and id, then by username, then
// in the order of time. Names are those of the moment asked for, or of now.
func (s *Store) Assignments(ctx context.Context, q AssignmentQuery) iter.Seq2[Assignment, error] {
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
			g.to_after AS to_after,
			g.to_before AS to_before
		FROM workspace w
		JOIN squid q ON q.workspace_id = w.id
		JOIN assignment g ON g.squid_id = q.id
		JOIN account a ON a.id = g.account_id
		JOIN version v ON v.account_id = a.id AND v.number = (
			SELECT max(number) FROM version WHERE account_id = a.id AND valid_from <= max(?4, g.from_before)
		)
		WHERE w.name = ?1 AND (?2 = '' OR q.hash = ?2) AND (?3 = '' OR a.hash = ?3)
			AND (?4 = 9223372036854775807 OR g.from_before <= ?4 AND (g.to_before IS NULL OR g.to_before > ?4))
			AND (g.to_before IS NULL OR g.to_before > ?5) AND coalesce(g.from_after, g.from_before) <= ?6
			AND (NOT ?7 OR g.to_before IS NULL)
		ORDER BY squid_name, q.hash, v.username COLLATE NOCASE, a.hash, g.from_before, g.id`,
		[]any{q.Workspace, q.Squid, q.Account, at, since, until, q.Open}, assignmentRow.assignment)
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

// Usage streams the movements of limits' counters seen in the period and, for
// each account and limit, the one before, which says where the period began; the
// latter first, each in the order of time. What the movements before the period
// cost to find does not grow with their number but with that of the limits.
func (s *Store) Usage(ctx context.Context, q PeriodQuery) iter.Seq2[Use, error] {
	return rowsOf(ctx, s, `
		WITH RECURSIVE
		scope AS (
			SELECT
				w.id AS workspace_id,
				coalesce((
					SELECT id FROM response WHERE workspace_id = w.id AND received_at <= ?3
					ORDER BY received_at DESC, id DESC LIMIT 1
				), 0) AS first,
				coalesce((
					SELECT id FROM response WHERE workspace_id = w.id AND received_at <= ?4
					ORDER BY received_at DESC, id DESC LIMIT 1
				), 0) AS last
			FROM workspace w WHERE w.name = ?1
		),
		-- The limits of each account, found by leaping from one to the next.
		limits (account_id, pointer) AS (
			SELECT a.id, (SELECT min(pointer) FROM usage WHERE account_id = a.id AND pointer >= '/params/user/')
			FROM scope CROSS JOIN account a ON a.workspace_id = scope.workspace_id
			WHERE (?2 = '' OR a.hash = ?2)
			UNION ALL
			SELECT account_id, (
				SELECT min(u.pointer) FROM usage u WHERE u.account_id = limits.account_id AND u.pointer > limits.pointer
			)
			FROM limits WHERE pointer IS NOT NULL
		),
		uses (account_id, pointer, response_id) AS (
			SELECT account_id, pointer, (
				SELECT max(u.response_id) FROM usage u
				WHERE u.account_id = limits.account_id AND u.pointer = limits.pointer AND u.response_id <= scope.first
			)
			FROM limits CROSS JOIN scope WHERE pointer LIKE '/params/user/%'
			UNION ALL
			SELECT u.account_id, u.pointer, u.response_id
			FROM scope CROSS JOIN usage u ON u.response_id > scope.first AND u.response_id <= scope.last
			WHERE u.pointer LIKE '/params/user/%'
		)
		SELECT
			a.hash AS account,
			v.username AS username,
			u.pointer AS pointer,
			u.body AS body,
			u.max AS max,
			r.received_at AS seen_at
		FROM uses
		CROSS JOIN usage u ON u.account_id = uses.account_id AND u.pointer = uses.pointer
			AND u.response_id = uses.response_id
		CROSS JOIN account a ON a.id = u.account_id
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN version v ON v.id = h.version_id
		CROSS JOIN response r ON r.id = u.response_id
		WHERE a.workspace_id = (SELECT workspace_id FROM scope) AND (?2 = '' OR a.hash = ?2)`, q.args(), useRow.use)
}

type useRow struct {
	Account  string         `db:"account"`
	Username string         `db:"username"`
	Pointer  string         `db:"pointer"`
	Body     string         `db:"body"`
	Max      sql.NullString `db:"max"`
	SeenAt   sql.NullInt64  `db:"seen_at"`
}

func (r useRow) use() (Use, error) {
	use := Use{
		Account: r.Account, Username: r.Username, Limit: unescapePointer(r.Pointer[len("/params/user/"):]),
		Max: rawOrNil(r.Max), SeenAt: instant(r.SeenAt),
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.Body), &members); err != nil {
		return Use{}, damagedRow("usage of account "+r.Account, err)
	}
	if use.Value = members["value"]; use.Value == nil || string(use.Value) == "null" {
		use.Value = members["current"]
	}
	use.ResetsAt = unixTime(members["timestamp"])
	return use, nil
}

// unixTime reads Unix seconds; anything else is no time, and the zero one.
func unixTime(raw json.RawMessage) time.Time {
	const latest = 1 << 37 // some time in the year 6325: beyond it, RFC 3339 ends soon
	seconds, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || seconds <= 0 || seconds > latest {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
