package relational

import (
	"context"
	"fmt"
	"slices"
)

// alertTables hold working state: nothing says what their values must be. What is checked
// is that each row has the form of one that the store writes, and is about something that
// the workspace has.
var alertTables = []string{"alert_place", "alert", "message", "delivery", "silence", "cursor"}

// alertChecks find rows of the workspace ?1, each with its problem.
var alertChecks = []struct{ table, query string }{
	{"alert_place", `
		SELECT 'place', 'there is no run ' || run FROM alert_place
		WHERE ws = ?1 AND run <> 0 AND run NOT IN (SELECT id FROM run WHERE ws = ?1)`},
	{"alert", ungiven("alert", "id", "alerts")},
	{"alert", `
		SELECT id, 'there is no run ' || run FROM alert
		WHERE ws = ?1 AND run NOT IN (SELECT id FROM run WHERE ws = ?1)
		ORDER BY id`},
	{"alert", unknown("alert", "id")},
	{"message", ungiven("message", "n", "messages")},
	{"message", `
		SELECT n, 'there is no run ' || run FROM message
		WHERE ws = ?1 AND run NOT IN (SELECT id FROM run WHERE ws = ?1)
		ORDER BY n`},
	{"silence", ungiven("silence", "id", "silences")},
	{"silence", unknown("silence", "id")},
	{"cursor", `
		SELECT 'cursors', 'there are ' || n || ' instead of ' || want
		FROM (
			SELECT
				(SELECT count(*) FROM cursor WHERE ws = ?1) AS n,
				coalesce((SELECT cursors FROM alert_place WHERE ws = ?1), 0) AS want
		) x
		WHERE n <> want`},
	{"cursor", `
		SELECT consumer, 'there is no run ' || run FROM cursor
		WHERE ws = ?1 AND (run < 0 OR consumer = '' OR run <> 0 AND run NOT IN (SELECT id FROM run WHERE ws = ?1))
		ORDER BY consumer`},
}

// ungiven finds the rows whose number was never given.
func ungiven(table, number, given string) string {
	return `
		SELECT ` + number + `, 'no row was given this number' FROM ` + table + `
		WHERE ws = ?1 AND ` + number + ` NOT BETWEEN 1 AND coalesce((SELECT ` + given + ` FROM alert_place WHERE ws = ?1), 0)
		ORDER BY ` + number
}

// unknown finds the rows about an account or a squid that the workspace does not know.
func unknown(table, number string) string {
	return `
		SELECT ` + number + `, 'the workspace does not know what it is about' FROM ` + table + `
		WHERE ws = ?1 AND (
			account <> '' AND account NOT IN (SELECT hash FROM account WHERE ws = ?1)
			OR squid <> '' AND squid NOT IN (SELECT hash FROM squid WHERE ws = ?1)
		)
		ORDER BY ` + number
}

// checkAlerts checks the working state of a workspace.
func (v *verifier) checkAlerts(ctx context.Context, tx Tx, w workspaceRow) error {
	for _, check := range alertChecks {
		if err := v.findOwn(ctx, tx, w, check.table, check.query); err != nil {
			return err
		}
	}
	err := checkForms(ctx, v, tx, w, "alert", `SELECT`+alertColumns+` FROM alert WHERE ws = ? ORDER BY id`,
		func(r alertRow) (row any, err error) {
			alert, err := r.alert()
			if err == nil {
				err = alert.Check()
			}
			return r.ID, err
		})
	if err != nil {
		return err
	}
	err = checkForms(ctx, v, tx, w, "message", `
		SELECT`+messageColumns+` FROM message m WHERE m.ws = ? ORDER BY m.n`,
		func(r messageRow) (row any, err error) {
			message, err := r.message()
			if err == nil {
				err = message.Check()
			}
			return r.N, err
		})
	if err != nil {
		return err
	}
	if err := v.checkMessages(ctx, tx, w); err != nil {
		return err
	}
	err = checkForms(ctx, v, tx, w, "delivery", `
		SELECT message AS n, sink, state, attempts, next_at, ended_at, error, pause, asked FROM delivery WHERE ws = ? ORDER BY message, sink`,
		func(r deliveryRow) (row any, err error) {
			d := r.standing()
			return fmt.Sprintf("message %d, sink %s", r.N, r.Sink), d.Check()
		})
	if err != nil {
		return err
	}
	return checkForms(ctx, v, tx, w, "silence", `SELECT`+silenceColumns+`FROM silence WHERE ws = ? ORDER BY id`,
		func(r silenceRow) (row any, err error) {
			silence := r.silence()
			return r.ID, silence.Check()
		})
}

// checkMessages: each message names accounts that the workspace has, and has a delivery to
// each of its sinks and no other.
func (v *verifier) checkMessages(ctx context.Context, tx Tx, w workspaceRow) error {
	var known []string
	if err := tx.SelectContext(ctx, &known, `SELECT hash FROM account WHERE ws = ?`, w.ID); err != nil {
		return err
	}
	slices.Sort(known)
	var deliveries []deliveryRow
	if err := tx.SelectContext(ctx, &deliveries, `SELECT message AS n, sink FROM delivery WHERE ws = ? ORDER BY message, sink`, w.ID); err != nil {
		return err
	}
	sent := map[int64][]string{}
	for _, d := range deliveries {
		sent[d.N] = append(sent[d.N], d.Sink)
	}
	var messages []messageRow
	if err := tx.SelectContext(ctx, &messages, `SELECT`+messageColumns+` FROM message m WHERE m.ws = ? ORDER BY m.n`, w.ID); err != nil {
		return err
	}
	for _, row := range messages {
		m, err := row.message()
		if err != nil {
			continue // its form is wrong, which is found
		}
		for _, account := range m.Accounts {
			if _, found := slices.BinarySearch(known, account); !found {
				v.find("message", v.rowIn(w.Name, row.N), "there is no account %q", account)
			}
		}
		for _, sink := range m.Sinks {
			if !slices.Contains(sent[row.N], sink) {
				v.find("message", v.rowIn(w.Name, row.N), "it has no delivery to %q", sink)
			}
		}
		sent[row.N] = slices.DeleteFunc(sent[row.N], func(sink string) bool { return slices.Contains(m.Sinks, sink) })
	}
	for _, d := range deliveries {
		if slices.Contains(sent[d.N], d.Sink) {
			v.find("delivery", v.rowIn(w.Name, fmt.Sprintf("message %d, sink %s", d.N, d.Sink)), "no message is to be delivered so")
		}
	}
	return nil
}

// checkForms finds the rows that cannot be read, or that check refuses. check also
// returns what identifies the row.
func checkForms[Row any](ctx context.Context, v *verifier, tx Tx, w workspaceRow, table, query string, check func(Row) (row any, err error)) error {
	rows, err := tx.QueryxContext(ctx, query, w.ID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var one Row
		if err := rows.StructScan(&one); err != nil { // a flag that is neither 0 nor 1
			v.find(table, v.rowIn(w.Name, ""), "cannot be read: %v", err)
			continue
		}
		if row, err := check(one); err != nil {
			v.find(table, v.rowIn(w.Name, row), "%v", err)
		}
	}
	return rows.Err()
}
