package relational

import (
	"context"
	"fmt"
	"strings"
)

// tableRows are rows of a table that are read and written as they are.
type tableRows struct {
	table   string
	columns string // without the workspace
	key     string // of these, those that identify a row
}

// The tables of what is derived, and of what has no place in the log, without columns that
// two copies need not have in common: the digest of what was received.
var (
	accountTable = tableRows{"account", "id, hash, first_at, salt", "id"}
	squidTable   = tableRows{"squid", "id, hash", "id"}
	runTable     = tableRows{"run", strings.TrimSpace(runColumns), "id"}
	failureTable = tableRows{"failure", "run, n, account, kind, http_status, message, at, salt", "run, n"}
	// leftTables are those of what is left of an account that was redacted.
	leftTables = []tableRows{
		{"redacted", "account, what, part, at, hash", "account, what, part, at"},
		{"version", `account, at, until, number, endpoint, health, status, status_code_info, status_code_description, username, type,
			last_synchronization_time, locked_until, squid_count`, "account, at"},
		{"change", "account, at, n, kind, path, old, new, health_before, health_after, after", "at, account, n"},
		{"status_step", `account, at, status_before, status_after, info_before, info_after, health_before, health_after, after`, "account, at"},
		{"squid_name", "account, squid, at, name", "squid, account, at"},
		{"assignment", "account, squid, from_before, from_after, to_after, to_before", "squid, account, from_before"},
		{"absence", "account, since, run, ended", "account, since"},
		{"state", `account, latest, gone, health, health_after, health_before, locked_until, absent_since, known, outdated, dropped`, "account"},
		{"said", "account, endpoint, leaf, document_at", "account, endpoint"},
	}
	responseTable = tableRows{"response", `at, run, source, slot, sent_at, server_at, held_ms, shown, changed, absent, gone, news`, "at"}
	shownTable    = tableRows{"shown", "account, source, slot, first, last, endpoint", "account, source, first"}
	bodyTable     = tableRows{"body", "account, endpoint, body", "account, endpoint"}
	// workingTables are those of the working state of alerts.
	workingTables = []tableRows{
		{"alert_place", "run, at, digest_at, alerts, messages, silences, cursors", "run"},
		{"alert", `id, condition, account, squid, limit_name, after, before, run, polls, fired_at, told, silenced, reminders, ended_at,
			detail`, "id"},
		{"message", "n, id, event, condition, run, at, accounts, sinks, body", "n"},
		{"delivery", "message, sink, state, attempts, next_at, ended_at, error, pause, asked", "message, sink"},
		{"silence", "id, account, type, squid, reason, from_at, until_at", "id"},
		{"cursor", "consumer, run", "consumer"},
	}
)

// each calls fn with the values of the rows of a workspace, in the order of their keys. The
// condition, unless it is empty, begins with AND, and its parameters are ?2 and so on.
func (t tableRows) each(ctx context.Context, tx Tx, ws int64, fn func(values []any) error, condition string, args ...any) error {
	rows, err := tx.QueryxContext(ctx, `SELECT `+t.columns+` FROM `+t.table+` WHERE ws = ?1 `+condition+` ORDER BY `+t.key, append([]any{ws}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.SliceScan()
		if err == nil {
			err = fn(values)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// insert inserts rows as each has them.
func (t tableRows) insert(ctx context.Context, tx Tx, ws int64, rows [][]any) error {
	return insertRows(ctx, tx, `INSERT INTO `+t.table+` (ws, `+t.columns+`) VALUES`, rows, func(bound []any, values []any) []any {
		return append(append(bound, ws), values...)
	})
}

// name names a row by its key.
func (t tableRows) name(values []any) string {
	var names []string
	columns := strings.Split(t.columns, ",")
	for key := range strings.SplitSeq(t.key, ", ") {
		for i, column := range columns {
			if strings.TrimSpace(column) == key {
				names = append(names, fmt.Sprintf("%s %v", key, text(values[i])))
			}
		}
	}
	return strings.Join(names, ", ")
}

// text is a value, of which bytes are a text: the engines differ in which they return.
func text(value any) any {
	if raw, ok := value.([]byte); ok {
		return string(raw)
	}
	return value
}

// copyRows copies all rows of a workspace.
func (t tableRows) copyRows(ctx context.Context, from, to Tx, fromWS, toWS int64) error {
	const most = 500
	var rows [][]any
	err := t.each(ctx, from, fromWS, func(values []any) error {
		if rows = append(rows, values); len(rows) < most {
			return nil
		}
		err := t.insert(ctx, to, toWS, rows)
		rows = rows[:0]
		return err
	}, "")
	if err != nil {
		return err
	}
	return t.insert(ctx, to, toWS, rows)
}
