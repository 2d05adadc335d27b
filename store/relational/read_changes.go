package relational

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// Changes streams the changes in the order in which they were noticed; those noticed
// at once by account, and for one account as the rules returned them.
func (s *Store) Changes(ctx context.Context, q store.ChangeQuery) iter.Seq2[store.AccountChange, error] {
	if err := q.Check(); err != nil {
		return func(yield func(store.AccountChange, error) bool) { yield(store.AccountChange{}, err) }
	}
	where, args := changeConditions(q)
	from := `change c ORDERED JOIN version v ON v.ws = c.ws AND v.account = c.account AND v.at = c.at`
	if q.Account != "" { // the changes of an account are found by its versions
		from = `version v ORDERED JOIN change c ON c.ws = v.ws AND c.account = v.account AND c.at = v.at`
	}
	return rowsOf(ctx, s, `
		SELECT
			v.username AS username,`+changeColumns+`
		FROM `+from+`
		ORDERED JOIN account a ON a.ws = c.ws AND a.id = c.account
		ORDERED JOIN response r ON r.ws = c.ws AND r.at = c.at
		WHERE `+where+`
		ORDER BY c.at, c.account, c.n`, args, changeRow.change)
}

// changeColumns are read from c (the change), a (its account) and r (the response that
// showed it).
const changeColumns = `
			a.hash AS account,
			c.kind AS kind,
			c.path AS path,
			c.old AS old,
			c.new AS new,
			c.health_before AS health_before,
			c.health_after AS health_after,
			c.after AS after,
			c.at AS at,
			r.run AS run`

func changeConditions(q store.ChangeQuery) (where string, args []any) {
	terms := []string{`c.ws = (SELECT id FROM workspace WHERE name = ?)`}
	args = []any{q.Workspace}
	term := func(sql string, values ...any) {
		terms, args = append(terms, sql), append(args, values...)
	}
	if !q.Since.IsZero() {
		term(`c.at > ?`, q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		term(`c.at <= ?`, q.Until.UnixMilli())
	}
	if q.Account != "" {
		term(`c.account = (SELECT x.id FROM account x JOIN workspace y ON y.id = x.ws WHERE y.name = ? AND x.hash = ?)`,
			q.Workspace, q.Account)
	}
	if q.Run != 0 {
		const run = `FROM run x JOIN workspace y ON y.id = x.ws WHERE y.name = ? AND x.id = ?`
		term(`r.run = ? AND c.at BETWEEN (SELECT x.first_at `+run+`) AND (SELECT x.last_at `+run+`)`,
			q.Run, q.Workspace, q.Run, q.Workspace, q.Run)
	}
	// The responses of a workspace follow one another as its runs do.
	const last = `coalesce((
		SELECT x.last_at FROM run x JOIN workspace y ON y.id = x.ws
		WHERE y.name = ? AND x.id <= ? AND x.last_at IS NOT NULL
		ORDER BY x.id DESC LIMIT 1), 0)`
	if q.AfterRun != 0 {
		term(`c.at > `+last, q.Workspace, q.AfterRun)
	}
	if q.UpToRun != 0 {
		term(`c.at <= `+last, q.Workspace, q.UpToRun)
	}
	if q.Became != nil {
		healths, _ := json.Marshal(q.Became) // a list of strings
		term(`c.health_before IS DISTINCT FROM c.health_after AND c.health_after IN (SELECT value FROM texts(?))`, string(healths))
	}
	if q.Squid != "" {
		term(`c.path = ?`, "/squids/"+document.EscapePointer(q.Squid))
	}
	if q.Kinds != nil {
		kinds, _ := json.Marshal(q.Kinds) // a list of strings
		term(`c.kind IN (SELECT value FROM texts(?))`, string(kinds))
	}
	return strings.Join(terms, " AND "), args
}

type changeRow struct {
	Account      string         `db:"account"`
	Username     string         `db:"username"`
	Kind         store.Kind     `db:"kind"`
	Path         string         `db:"path"`
	Old          sql.NullString `db:"old"`
	New          sql.NullString `db:"new"`
	HealthBefore sql.NullString `db:"health_before"`
	HealthAfter  sql.NullString `db:"health_after"`
	After        sql.NullInt64  `db:"after"`
	At           sql.NullInt64  `db:"at"`
	Run          int64          `db:"run"`
}

func (r changeRow) change() (store.AccountChange, error) {
	if r.Old.Valid && !json.Valid([]byte(r.Old.String)) || r.New.Valid && !json.Valid([]byte(r.New.String)) {
		return store.AccountChange{}, fmt.Errorf("%w: a change of account %s is not JSON", store.ErrDamaged, r.Account)
	}
	return store.AccountChange{
		Account: r.Account, Username: r.Username, Run: r.Run,
		Window: store.Window{After: instant(r.After), Before: instant(r.At)},
		Change: store.Change{
			Kind: r.Kind, Path: r.Path, Old: rawOrNil(r.Old), New: rawOrNil(r.New),
			HealthBefore: store.Health(r.HealthBefore.String), HealthAfter: store.Health(r.HealthAfter.String),
		},
	}, nil
}

func rawOrNil(s sql.NullString) json.RawMessage {
	if !s.Valid {
		return nil
	}
	return json.RawMessage(s.String)
}

// periodArgs are the workspace, the account and the ends of a period.
func periodArgs(q store.PeriodQuery) []any {
	since, until := int64(0), int64(math.MaxInt64)
	if !q.Since.IsZero() {
		since = q.Since.UnixMilli()
	}
	if !q.Until.IsZero() {
		until = q.Until.UnixMilli()
	}
	return []any{q.Workspace, q.Account, since, until}
}

// stepsOf finds the status steps noticed in a period, and those noticed later whose
// window begins in it.
const stepsOf = `
		FROM status_step t
		ORDERED JOIN account a ON a.ws = t.ws AND a.id = t.account
		WHERE t.ws = (SELECT id FROM workspace WHERE name = ?1) AND (t.at <= ?4 OR t.after < ?4)
			AND t.at > greatest(?3, coalesce((SELECT first_at - 1 FROM run WHERE ws = (SELECT id FROM workspace WHERE name = ?1) AND id = ?5), 0))
			AND (?2 = '' OR a.hash = ?2)
			AND (?5 = 0 OR EXISTS (SELECT 1 FROM response WHERE ws = t.ws AND at = t.at AND run = ?5))`

// StatusSteps streams the status steps noticed in the period, and those noticed later
// whose window begins in it, in the order in which they were noticed.
func (s *Store) StatusSteps(ctx context.Context, q store.PeriodQuery) iter.Seq2[store.StatusStep, error] {
	return rowsOf(ctx, s, `
		SELECT
			a.hash AS account,
			(SELECT username FROM version WHERE ws = t.ws AND account = t.account AND until IS NULL ORDER BY at DESC LIMIT 1) AS username,
			t.status_before AS status_before,
			t.status_after AS status_after,
			t.info_before AS info_before,
			t.info_after AS info_after,
			t.health_before AS health_before,
			t.health_after AS health_after,
			t.after AS after,
			t.at AS at,
			(SELECT run FROM response WHERE ws = t.ws AND at = t.at) AS run`+stepsOf+`
		ORDER BY t.at, t.account`, append(periodArgs(q), q.Run), stepRow.step)
}

type stepRow struct {
	Account      string         `db:"account"`
	Username     string         `db:"username"`
	StatusBefore sql.NullString `db:"status_before"`
	StatusAfter  sql.NullString `db:"status_after"`
	InfoBefore   sql.NullString `db:"info_before"`
	InfoAfter    sql.NullString `db:"info_after"`
	HealthBefore sql.NullString `db:"health_before"`
	HealthAfter  store.Health   `db:"health_after"`
	After        sql.NullInt64  `db:"after"`
	At           sql.NullInt64  `db:"at"`
	Run          int64          `db:"run"`
}

func (r stepRow) step() (store.StatusStep, error) {
	return store.StatusStep{
		Account: r.Account, Username: r.Username, Run: r.Run,
		StatusBefore: r.StatusBefore.String, StatusAfter: r.StatusAfter.String,
		InfoBefore: r.InfoBefore.String, InfoAfter: r.InfoAfter.String,
		HealthBefore: store.Health(r.HealthBefore.String), HealthAfter: r.HealthAfter,
		Window: store.Window{After: instant(r.After), Before: instant(r.At)},
	}, nil
}

// HealthSteps reads what [Store.StatusSteps] streams of the steps in which the health
// of an account changed, first sights left out, by account: the healths and the window
// only. It is for many accounts at once.
func (s *Store) HealthSteps(ctx context.Context, q store.PeriodQuery) (steps map[string][]store.StatusStep, err error) {
	steps = map[string][]store.StatusStep{}
	err = s.db.Read(ctx, func(tx Tx) error {
		return Each(ctx, tx, `
			SELECT a.hash, t.health_before, t.health_after, t.after, t.at`+stepsOf+` AND t.health_before <> t.health_after
			ORDER BY t.at, t.account`, append(periodArgs(q), q.Run), func(scan func(...any) error) error {
			var step store.StatusStep
			var after, at sql.NullInt64
			err := scan(&step.Account, &step.HealthBefore, &step.HealthAfter, &after, &at)
			step.Window = store.Window{After: instant(after), Before: instant(at)}
			steps[step.Account] = append(steps[step.Account], step)
			return err
		})
	})
	return steps, err
}
