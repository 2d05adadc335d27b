package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"
)

// ChangeQuery says which changes to read. A change belongs to a period when it
// was noticed in it: when the Before of its window is after Since and at or
// before Until.
type ChangeQuery struct {
	Workspace    string
	Since, Until time.Time // zero: unbounded
	Account      string    // id; "" for all
	Squid        string    // id: only changes of this squid's assignments and name; "" for all
	Kinds        []Kind    // nil for all
}

// Changes streams the changes in the order in which they were noticed; those
// noticed at once by account, and for one account as the rules answered them.
func (s *Store) Changes(ctx context.Context, q ChangeQuery) iter.Seq2[AccountChange, error] {
	where, args := q.conditions()
	query := `
		SELECT
			v.username AS username,` + changeColumns + `
		FROM change c
		CROSS JOIN account a ON a.id = c.account_id
		CROSS JOIN version v ON v.id = c.version_id
		CROSS JOIN response r ON r.id = v.response_id
		WHERE ` + where + `
		ORDER BY c.before, c.account_id, c.id`
	return rowsOf(ctx, s, query, args, changeRow.change)
}

// changeColumns are read from c (the change), a (its account) and r (the response
// that began its version).
const changeColumns = `
			a.hash AS account,
			c.kind AS kind,
			c.path AS path,
			c.old AS old,
			c.new AS new,
			c.health_before AS health_before,
			c.health_after AS health_after,
			c.after AS after,
			c.before AS before,
			r.run_id AS run`

func (q ChangeQuery) conditions() (where string, args []any) {
	terms := []string{`a.workspace_id = (SELECT id FROM workspace WHERE name = ?)`}
	args = []any{q.Workspace}
	term := func(sql string, arg any) {
		terms, args = append(terms, sql), append(args, arg)
	}
	if !q.Since.IsZero() {
		term(`c.before > ?`, q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		term(`c.before <= ?`, q.Until.UnixMilli())
	}
	if q.Account != "" {
		terms = append(terms, `c.account_id = (
			SELECT x.id FROM account x JOIN workspace y ON y.id = x.workspace_id WHERE y.name = ? AND x.hash = ?
		)`)
		args = append(args, q.Workspace, q.Account)
	}
	if q.Squid != "" {
		term(`c.path = ?`, "/squids/"+escapePointer(q.Squid))
	}
	if q.Kinds != nil {
		kinds, _ := json.Marshal(q.Kinds) // a list of strings
		term(`c.kind IN (SELECT value FROM json_each(?))`, string(kinds))
	}
	return strings.Join(terms, " AND "), args
}

type changeRow struct {
	Account      string         `db:"account"`
	Username     string         `db:"username"`
	Kind         Kind           `db:"kind"`
	Path         string         `db:"path"`
	Old          sql.NullString `db:"old"`
	New          sql.NullString `db:"new"`
	HealthBefore sql.NullString `db:"health_before"`
	HealthAfter  sql.NullString `db:"health_after"`
	After        sql.NullInt64  `db:"after"`
	Before       sql.NullInt64  `db:"before"`
	Run          int64          `db:"run"`
}

func (r changeRow) change() (AccountChange, error) {
	if r.Old.Valid && !json.Valid([]byte(r.Old.String)) || r.New.Valid && !json.Valid([]byte(r.New.String)) {
		return AccountChange{}, fmt.Errorf("%w: a change of account %s is no JSON", ErrDamaged, r.Account)
	}
	return AccountChange{
		Account: r.Account, Username: r.Username, Run: r.Run,
		Window: Window{After: instant(r.After), Before: instant(r.Before)},
		Change: Change{
			Kind: r.Kind, Path: r.Path, Old: rawOrNil(r.Old), New: rawOrNil(r.New),
			HealthBefore: Health(r.HealthBefore.String), HealthAfter: Health(r.HealthAfter.String),
		},
	}, nil
}

// PeriodQuery says which part of the history of which accounts to read.
type PeriodQuery struct {
	Workspace    string
	Since, Until time.Time // zero: unbounded
	Account      string    // id; "" for all
	// Used, of limits, keeps those whose counter moved in the period to this share
	// of the limit at least; 0 keeps all.
	Used float64
}

func (q PeriodQuery) args() []any {
	until := int64(1<<63 - 1)
	if !q.Until.IsZero() {
		until = q.Until.UnixMilli()
	}
	since := int64(0)
	if !q.Since.IsZero() {
		since = q.Since.UnixMilli()
	}
	return []any{q.Workspace, q.Account, since, until}
}

// StatusSteps streams the status steps noticed in the period, and those noticed
// later whose window begins in it, in the order in which they were noticed.
func (s *Store) StatusSteps(ctx context.Context, q PeriodQuery) iter.Seq2[StatusStep, error] {
	return rowsOf(ctx, s, `
		SELECT
			a.hash AS account,
			v.username AS username,
			t.status_before AS status_before,
			t.status_after AS status_after,
			t.info_before AS info_before,
			t.info_after AS info_after,
			t.health_before AS health_before,
			t.health_after AS health_after,
			t.after AS after,
			t.before AS before,
			r.run_id AS run
		FROM status_step t
		CROSS JOIN account a ON a.id = t.account_id
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN version v ON v.id = h.version_id
		CROSS JOIN response r ON r.id = t.response_id
		WHERE t.before > ?3 AND (t.before <= ?4 OR t.after < ?4)
			AND a.workspace_id = (SELECT id FROM workspace WHERE name = ?1) AND (?2 = '' OR a.hash = ?2)
		ORDER BY t.before, t.account_id, t.id`, q.args(), stepRow.step)
}

type stepRow struct {
	Account      string         `db:"account"`
	Username     string         `db:"username"`
	StatusBefore sql.NullString `db:"status_before"`
	StatusAfter  sql.NullString `db:"status_after"`
	InfoBefore   sql.NullString `db:"info_before"`
	InfoAfter    sql.NullString `db:"info_after"`
	HealthBefore sql.NullString `db:"health_before"`
	HealthAfter  Health         `db:"health_after"`
	After        sql.NullInt64  `db:"after"`
	Before       sql.NullInt64  `db:"before"`
	Run          int64          `db:"run"`
}

func (r stepRow) step() (StatusStep, error) {
	return StatusStep{
		Account: r.Account, Username: r.Username, Run: r.Run,
		StatusBefore: r.StatusBefore.String, StatusAfter: r.StatusAfter.String,
		InfoBefore: r.InfoBefore.String, InfoAfter: r.InfoAfter.String,
		HealthBefore: Health(r.HealthBefore.String), HealthAfter: r.HealthAfter,
		Window: Window{After: instant(r.After), Before: instant(r.Before)},
	}, nil
}
