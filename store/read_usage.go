package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Usage streams the movements of limits' counters seen in the period and, for
// each account and limit, the one before, which says where the period began; the
// latter first. Those of one limit come in the order of time. What the movements
// before the period cost to find does not grow with their number but with that
// of the limits.
func (s *Store) Usage(ctx context.Context, q PeriodQuery) iter.Seq2[Use, error] {
	return func(yield func(Use, error) bool) {
		err := s.view(ctx, func(tx *sqlx.Tx) error {
			r, err := newUsageReader(ctx, tx, q)
			if err != nil {
				return err
			}
			for _, query := range []string{usesStanding, usesCarried, usesMoved} {
				if more, err := r.read(query, yield); err != nil || !more {
					return err
				}
			}
			return nil
		})
		if err != nil {
			yield(Use{}, err)
		}
	}
}

// Settings streams the documents, as they are stored, of the versions that held at
// the end of the period, of those accounts only that may have news of a limit since
// its counter last moved, which [Use] cannot tell.
func (s *Store) Settings(ctx context.Context, q PeriodQuery) iter.Seq2[Setting, error] {
	return rowsOf(ctx, s, `
		WITH scope AS (
			SELECT w.id AS workspace_id, `+lastResponse(4)+` AS last FROM workspace w WHERE w.name = ?1 AND ?3 = ?3
		)
		SELECT a.hash AS account, d.body AS document
		FROM scope
		CROSS JOIN account a ON a.workspace_id = scope.workspace_id
		CROSS JOIN version v ON v.id = (
			SELECT id FROM version WHERE account_id = a.id AND valid_from <= ?4
			ORDER BY valid_from DESC, id DESC LIMIT 1
		)
		CROSS JOIN document d ON d.id = v.document_id
		WHERE (?2 = '' OR a.hash = ?2) AND d.body IS NOT NULL AND EXISTS (
			SELECT 1
			FROM counter c
			CROSS JOIN response r ON r.id = CASE WHEN c.response_id <= scope.last
				THEN c.response_id
				ELSE (
					SELECT max(response_id) FROM usage
					WHERE account_id = c.account_id AND pointer = c.pointer AND response_id <= scope.last
				) END
			WHERE c.account_id = a.id AND (c.max IS NULL OR v.response_id > r.id AND EXISTS (
				SELECT 1 FROM change g
				WHERE g.account_id = a.id AND g.before BETWEEN r.received_at AND ?4
					AND g.kind IN ('limit', 'schema', 'returned')
			))
		)`, q.args(), settingRow.setting)
}

// Setting is the document of an account.
type Setting struct {
	Account  string // id
	Document json.RawMessage
}

type settingRow struct {
	Account  string `db:"account"`
	Document string `db:"document"`
}

func (r settingRow) setting() (Setting, error) {
	return Setting{Account: r.Account, Document: json.RawMessage(r.Document)}, nil
}

// lastResponse is the number of the last response of workspace w that was received
// by the instant that parameter n holds; 0 for none.
func lastResponse(n int) string {
	return `coalesce((
		SELECT id FROM response WHERE workspace_id = w.id AND received_at <= ?` + strconv.Itoa(n) + `
		ORDER BY received_at DESC, id DESC LIMIT 1
	), 0)`
}

// The period as the queries below know it: the responses after ?1 and up to ?2.
const (
	// usesStanding are the counters that have not moved since the period began.
	usesStanding = `
		SELECT c.account_id, c.pointer, c.body, c.max, r.received_at
		FROM counter c
		CROSS JOIN response r ON r.id = c.response_id
		WHERE c.response_id <= ?1 AND (?3 = 0 OR c.account_id = ?3)`
	// usesCarried is what those that have moved were before.
	usesCarried = `
		SELECT u.account_id, u.pointer, u.body, u.max, r.received_at
		FROM counter c
		CROSS JOIN usage u ON u.account_id = c.account_id AND u.pointer = c.pointer AND u.response_id = (
			SELECT max(response_id) FROM usage
			WHERE account_id = c.account_id AND pointer = c.pointer AND response_id <= ?1
		)
		CROSS JOIN response r ON r.id = u.response_id
		WHERE c.response_id > ?1 AND (?3 = 0 OR c.account_id = ?3)`
	// usesMoved is read from the index alone.
	usesMoved = `
		SELECT u.account_id, u.pointer, u.body, u.max, r.received_at
		FROM usage u INDEXED BY usage_by_response
		CROSS JOIN response r ON r.id = u.response_id
		WHERE u.response_id > ?1 AND u.response_id <= ?2 AND (?3 = 0 OR u.account_id = ?3)
			AND u.pointer >= '/params/user/' AND u.pointer < '/params/user0'
		ORDER BY u.response_id`
)

// usageReader maps rows of usage. It holds what is looked up once rather than for
// each row.
type usageReader struct {
	ctx         context.Context
	tx          *sqlx.Tx
	first, last int64 // responses
	account     int64 // 0 for all
	names       map[int64]Name
}

func newUsageReader(ctx context.Context, tx *sqlx.Tx, q PeriodQuery) (*usageReader, error) {
	r := &usageReader{ctx: ctx, tx: tx, names: map[int64]Name{}}
	err := tx.QueryRowContext(ctx, `
		SELECT `+lastResponse(3)+`, `+lastResponse(4)+` FROM workspace w WHERE w.name = ?1 AND ?2 = ?2`, q.args()...).Scan(&r.first, &r.last)
	if err == sql.ErrNoRows {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	err = eachOf(ctx, tx, `
		SELECT a.id, a.hash, v.username
		FROM workspace w
		CROSS JOIN account a ON a.workspace_id = w.id
		CROSS JOIN head h ON h.account_id = a.id
		CROSS JOIN version v ON v.id = h.version_id
		WHERE w.name = ?1 AND (?2 = '' OR a.hash = ?2)`, q.args(), func(scan func(...any) error) error {
		var name Name
		err := scan(&r.account, &name.ID, &name.Name)
		r.names[r.account] = name
		return err
	})
	if q.Account == "" {
		r.account = 0
	}
	return r, err
}

// read yields the rows of one query and reports whether more are wanted. Rows of
// other workspaces are passed over.
func (r *usageReader) read(query string, yield func(Use, error) bool) (more bool, err error) {
	if len(r.names) == 0 {
		return false, nil
	}
	rows, err := r.tx.QueryContext(r.ctx, query, r.first, r.last, r.account)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var row useRow
		if err := rows.Scan(&row.Account, &row.Pointer, &row.Body, &row.Max, &row.SeenAt); err != nil {
			return false, err
		}
		name, known := r.names[row.Account]
		if !known {
			continue
		}
		use, err := row.use(name)
		if err != nil {
			return false, err
		}
		if !yield(use, nil) {
			return false, nil
		}
	}
	return true, rows.Err()
}

type useRow struct {
	Account int64
	Pointer string
	Body    string
	Max     sql.NullString
	SeenAt  sql.NullInt64
}

func (r *useRow) use(account Name) (Use, error) {
	use := Use{
		Account: account.ID, Username: account.Name, Limit: r.Pointer[len("/params/user/"):],
		Max: rawOrNil(r.Max), SeenAt: instant(r.SeenAt),
	}
	if strings.ContainsRune(use.Limit, '~') {
		use.Limit = unescapePointer(use.Limit)
	}
	members, err := membersOf(r.Body)
	if err != nil {
		return Use{}, damagedRow("usage of account "+account.ID, err)
	}
	if use.Value = members.value; use.Value == nil || string(use.Value) == "null" {
		use.Value = members.current
	}
	use.ResetsAt = unixTime(members.timestamp)
	return use, nil
}

// counterMembers are those that say something of a limit; nil where they are
// missing.
type counterMembers struct{ value, current, timestamp json.RawMessage }

// membersOf reads the body of a usage row.
func membersOf(body string) (m counterMembers, err error) {
	if m, plain := plainMembers(body); plain {
		return m, nil
	}
	var members map[string]json.RawMessage
	err = json.Unmarshal([]byte(body), &members)
	return counterMembers{members["value"], members["current"], members["timestamp"]}, err
}

// plainMembers reads bodies as almost all of them are, numbers and nulls without
// a space between, many times as fast as any parser. It reports whether the body
// is such a one.
func plainMembers(body string) (m counterMembers, plain bool) {
	rest, plain := strings.CutPrefix(body, "{")
	for plain {
		var name, value string
		if rest, plain = strings.CutPrefix(rest, `"`); !plain {
			break
		}
		if name, rest, plain = strings.Cut(rest, `":`); !plain || strings.ContainsAny(name, `"\`) {
			break
		}
		end := strings.IndexAny(rest, ",}")
		if end < 0 {
			break
		}
		if value = rest[:end]; value != "null" && !isPlainNumber(value) {
			break
		}
		switch name {
		case "value":
			m.value = json.RawMessage(value)
		case "current":
			m.current = json.RawMessage(value)
		case "timestamp":
			m.timestamp = json.RawMessage(value)
		}
		if rest[end] == '}' {
			return m, rest[end:] == "}"
		}
		rest = rest[end+1:]
	}
	return counterMembers{}, false
}

// isPlainNumber reports whether text is an integer of a usual size.
func isPlainNumber(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return 0 < len(text) && len(text) < 19 && (text[0] != '0' || len(text) == 1)
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
