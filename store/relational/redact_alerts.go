package relational

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// eraseAlerts erases what the working state says of the account: its alerts and silences,
// what messages say of it, and texts of people and sinks that have one of its usernames in
// them. A message about other accounts too is kept, for they are still to be told of, unless
// it names the account elsewhere; any other one is erased, and no longer delivered. The
// alerts of squids have ids of accounts, and stay. A body is searched for whole values: a
// short username is part of many words, and of ids.
func (r *redaction) eraseAlerts(ctx context.Context, tx Tx) error {
	if err := r.eraseMessages(ctx, tx); err != nil {
		return err
	}
	var details []struct {
		ID     int64  `db:"id"`
		Detail string `db:"detail"`
	}
	if err := tx.SelectContext(ctx, &details, `SELECT id, detail FROM alert WHERE ws = ? ORDER BY id`, r.WS); err != nil {
		return err
	}
	for _, d := range details {
		if !r.named([]byte(d.Detail)) {
			continue
		}
		if err := tx.Exec(ctx, `UPDATE alert SET detail = '{}' WHERE ws = ? AND id = ?`, r.WS, d.ID); err != nil {
			return err
		}
	}
	const within = ` AND EXISTS (SELECT 1 FROM texts(?3) n WHERE instr(lower(`
	for _, statement := range []string{
		`DELETE FROM alert WHERE ws = ?1 AND account = ?2 AND CAST(?3 AS TEXT) IS NOT NULL`,
		`DELETE FROM silence WHERE ws = ?1 AND account = ?2 AND CAST(?3 AS TEXT) IS NOT NULL`,
		`UPDATE silence SET reason = 'redacted' WHERE ws = ?1 AND CAST(?2 AS TEXT) IS NOT NULL` + within + `reason), n.value) > 0)`,
		`UPDATE delivery SET error = 'redacted' WHERE ws = ?1 AND CAST(?2 AS TEXT) IS NOT NULL AND error <> ''` + within + `error), n.value) > 0)`,
	} {
		if err := tx.Exec(ctx, statement, r.WS, r.Hash, r.names); err != nil {
			return err
		}
	}
	return nil
}

// eraseMessages takes the account out of messages, and erases those that name it still.
func (r *redaction) eraseMessages(ctx context.Context, tx Tx) error {
	var rows []messageRow
	if err := tx.SelectContext(ctx, &rows, `SELECT`+messageColumns+` FROM message m WHERE m.ws = ? ORDER BY m.n`, r.WS); err != nil {
		return err
	}
	for _, row := range rows {
		m, err := row.message()
		if err != nil {
			return err
		}
		about, before := slices.Contains(m.Accounts, r.Hash), len(m.Accounts)
		if body, left := withoutItems(m.Body, r.Hash); about && before > 1 && left > 0 {
			m.Body, about = body, false
			m.Accounts = slices.DeleteFunc(m.Accounts, func(id string) bool { return id == r.Hash })
		}
		switch erased := about || r.named(m.Body); {
		case erased:
			err = r.eraseMessage(ctx, tx, row.N)
		case before != len(m.Accounts):
			err = tx.Exec(ctx, `UPDATE message SET accounts = ?, body = ? WHERE ws = ? AND n = ?`, jsonList(m.Accounts), string(m.Body), r.WS, row.N)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *redaction) eraseMessage(ctx context.Context, tx Tx, n int64) error {
	err := tx.Exec(ctx, `UPDATE message SET accounts = '[]', body = '{}' WHERE ws = ? AND n = ?`, r.WS, n)
	if err != nil {
		return err
	}
	err = tx.Exec(ctx, `UPDATE delivery SET error = 'redacted' WHERE ws = ? AND message = ? AND error <> ''`, r.WS, n)
	if err != nil {
		return err
	}
	return tx.Exec(ctx, `
		UPDATE delivery SET state = ?, next_at = NULL, ended_at = ?, error = 'redacted', pause = 0, asked = 0
		WHERE ws = ? AND message = ? AND next_at IS NOT NULL`, store.Dropped, r.line.At, r.WS, n)
}

// named reports whether a text in the JSON, other than the name of a member, is one of the
// usernames.
func (r *redaction) named(body []byte) bool {
	var names []string
	if json.Unmarshal([]byte(r.names), &names) != nil || len(names) == 0 {
		return false
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return false // the end
		}
		depth := decoder.StackDepth()
		kind, length := decoder.StackIndex(depth)
		isName := kind == '{' && length%2 == 1
		if token.Kind() == '"' && !isName && slices.Contains(names, asciiLower(token.String())) {
			return true
		}
	}
}

// asciiLower is what lower() makes of a text in both engines.
func asciiLower(text string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, text)
}

// withoutItems is the body of a message without the items about an account, and how many
// items are left.
func withoutItems(body []byte, account string) (rest []byte, left int) {
	var members struct {
		Items []json.RawMessage `json:"items"`
	}
	if json.Unmarshal(body, &members) != nil {
		return body, 0
	}
	items := []json.RawMessage{}
	for _, item := range members.Items {
		var about struct {
			Account string `json:"account"`
		}
		if json.Unmarshal(item, &about) != nil || about.Account != account {
			items = append(items, item)
		}
	}
	list := append(append([]byte("["), bytes.Join(asBytes(items), []byte(","))...), ']')
	return replaceMember(body, "items", list), len(items)
}

func asBytes(values []json.RawMessage) [][]byte {
	all := make([][]byte, len(values))
	for i, value := range values {
		all[i] = value
	}
	return all
}

// replaceMember is the JSON object with another value of a member.
func replaceMember(object []byte, name string, value jsontext.Value) []byte {
	var out bytes.Buffer
	decoder, encoder := jsontext.NewDecoder(bytes.NewReader(object)), jsontext.NewEncoder(&out)
	for {
		token, err := decoder.ReadToken()
		if err != nil { // the end
			return bytes.TrimSpace(out.Bytes())
		}
		member := decoder.StackDepth() == 1 && token.Kind() == '"' && token.String() == name
		if err := encoder.WriteToken(token); err != nil || !member {
			continue
		}
		if decoder.SkipValue() != nil || encoder.WriteValue(value) != nil {
			return object
		}
	}
}
