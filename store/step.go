package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// step is one account's way from the state it was in to the one a response
// shows.
type step struct {
	page       *page
	head       *head // nil, until it is made, at the first sight
	before     standing
	old, new   State
	lastBody   []byte // the endpoint's last document; nil for none
	facts      Facts
	changes    []Change
	documentID int64
	fresh      bool // the endpoint's document is another than its last
}

// standing is what is stored of the state an account is in.
type standing struct {
	ListBody       sql.NullString `db:"list_body"`
	DetailBody     sql.NullString `db:"detail_body"`
	Number         int64          `db:"number"`
	Username       string         `db:"username"`
	Type           string         `db:"type"`
	Status         sql.NullString `db:"status_after"`
	Info           sql.NullString `db:"info_after"`
	Health         Health         `db:"health_after"`
	ListSent       sql.NullInt64  `db:"list_sent"`
	ListReceived   sql.NullInt64  `db:"list_received"`
	DetailSent     sql.NullInt64  `db:"detail_sent"`
	DetailReceived sql.NullInt64  `db:"detail_received"`
}

func (p *page) step(h *head) *step {
	return &step{page: p, head: h}
}

// prepare sets up the two states to compare. A nil body is a 404.
func (s *step) prepare(ctx context.Context, body []byte, resetsIn json.RawMessage) error {
	if s.head != nil {
		if err := s.loadOld(ctx); err != nil {
			return err
		}
	}
	s.new = State{
		At: instant(sql.NullInt64{Int64: s.page.received, Valid: true}), Gone: body == nil, Latest: s.page.source,
	}
	if s.new.Gone {
		return nil
	}
	if s.new.ResetsIn = resetsIn; resetsIn == nil {
		s.new.ResetsIn = s.remaining()
	}
	if s.page.source == Detail {
		s.new.List, s.new.Detail = s.old.List, body
	} else {
		s.new.List, s.new.Detail, s.new.Latest = body, s.old.Detail, List
	}
	return nil
}

// remaining is how many seconds are left of a resets_in that an earlier response told
// of: a response without the field says nothing of it, and it counts down by itself.
// Nil when there is none, nothing is left, or there is a lock_time, which is the more
// exact of the two.
func (s *step) remaining() json.RawMessage {
	if s.head == nil || resetSeconds(s.old.ResetsIn) == 0 ||
		!isNull(member(s.old.List, "lock_time")) || !isNull(member(s.old.Detail, "lock_time")) {
		return nil
	}
	left := s.head.LockedUntil.Int64 - s.page.received
	if left <= 0 {
		return nil
	}
	return strconv.AppendFloat(nil, float64(left)/1000, 'f', 3, 64)
}

// resetSeconds reads a resets_in. What is no positive number of seconds, or
// longer than a century, is 0.
func resetSeconds(raw json.RawMessage) float64 {
	const century = 100 * 366 * 24 * 3600
	seconds, err := strconv.ParseFloat(strings.Trim(string(raw), `"`), 64)
	if err != nil || !(seconds > 0 && seconds < century) {
		return 0
	}
	return seconds
}

func (s *step) loadOld(ctx context.Context) error {
	h := s.head
	err := s.page.tx.GetContext(ctx, &s.before, `
		SELECT
			(SELECT body FROM document WHERE id = ?) AS list_body,
			(SELECT body FROM document WHERE id = ?) AS detail_body,
			v.number AS number,
			v.username AS username,
			v.type AS type,
			step.status_after AS status_after,
			step.info_after AS info_after,
			step.health_after AS health_after,
			lr.sent_at AS list_sent,
			lr.received_at AS list_received,
			dr.sent_at AS detail_sent,
			dr.received_at AS detail_received
		FROM version v
		JOIN status_step step ON step.id = ?
		LEFT JOIN response lr ON lr.id = ?
		LEFT JOIN response dr ON dr.id = ?
		WHERE v.id = ?`, h.List.Document, h.Detail.Document, h.StepID, h.List.Seen, h.Detail.Seen, h.VersionID)
	if err != nil {
		return err
	}
	b := &s.before
	s.old = State{
		At:       instant(sql.NullInt64{Int64: max(b.ListReceived.Int64, b.DetailReceived.Int64), Valid: true}),
		Gone:     h.Gone,
		List:     rawOrNil(b.ListBody),
		Detail:   rawOrNil(b.DetailBody),
		Latest:   h.latest(),
		ResetsIn: h.usageAt("/resets_in"),
	}
	if s.lastBody = s.old.List; s.page.source == Detail {
		s.lastBody = s.old.Detail
	}
	return nil
}

// latest is the endpoint whose document holds where both have a field: the one
// that agreed with the latest version.
func (h *head) latest() Source {
	if h.Detail.Document.Valid && h.Detail.Version.Int64 > h.List.Version.Int64 || !h.List.Document.Valid {
		return Detail
	}
	return List
}

func rawOrNil(s sql.NullString) json.RawMessage {
	if !s.Valid {
		return nil
	}
	return json.RawMessage(s.String)
}

// compare asks the rules what the new state means and how it differs. Healths
// are those of the history: the old one may rest on a lock that only the old
// response told of.
func (s *step) compare() (err error) {
	if s.facts, s.changes, err = s.page.w.store.rules.Compare(s.old, s.new); err != nil {
		return err
	}
	if s.new.Gone {
		s.facts.Username, s.facts.Type = s.before.Username, s.before.Type
	}
	for i := range s.changes {
		if c := &s.changes[i]; c.HealthAfter != "" {
			c.HealthBefore, c.HealthAfter = s.before.Health, s.facts.Health
		}
	}
	return nil
}

// changed reports whether a new version begins.
func (s *step) changed() bool { return s.before.Number == 0 || len(s.changes) > 0 }

// after is when the request of the last snapshot with the old value was sent,
// in Unix milliseconds. NULL means that no snapshot before told of it.
func (s *step) after(ctx context.Context, c Change) (sql.NullInt64, error) {
	switch c.Kind {
	case Appeared:
		return sql.NullInt64{}, nil
	case WentGone:
		return laterOf(s.before.ListSent, s.before.DetailSent), nil
	case Returned:
		return s.before.DetailSent, nil
	case SchemaChanged:
		return s.sameEndpoint(), nil
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	return s.lastTold(ctx, unescapePointer(field))
}

// lastTold is when the last request was sent whose answer had the field. An
// endpoint that lacks a field says nothing about it: only when both lack it does
// the lack itself count, and then only that of the endpoint that now has it.
func (s *step) lastTold(ctx context.Context, field string) (sql.NullInt64, error) {
	list, detail := member(s.old.List, field), member(s.old.Detail, field)
	switch {
	case list != nil && detail != nil:
		return laterOf(s.before.ListSent, s.before.DetailSent), nil
	case list != nil && s.old.Detail == nil:
		return s.before.ListSent, nil
	case detail != nil && s.old.List == nil:
		return s.before.DetailSent, nil
	case list != nil:
		return s.toldBeforeDropped(ctx, field, list, s.before.ListSent)
	case detail != nil:
		return s.toldBeforeDropped(ctx, field, detail, s.before.DetailSent)
	}
	return s.sameEndpoint(), nil
}

// toldBeforeDropped is when the last request was sent whose answer had the value of
// the field that one endpoint told of last: the other one may have told the same
// later, and then no longer have sent the field.
func (s *step) toldBeforeDropped(ctx context.Context, field string, value []byte, told sql.NullInt64) (sql.NullInt64, error) {
	var dropped sql.NullInt64
	err := s.page.tx.GetContext(ctx, &dropped, `
		SELECT max(after) FROM change
		WHERE account_id = ? AND before > ? AND kind = 'schema' AND path = ? AND new IS NULL AND json_extract(old, '$') IS json_extract(?, '$')`,
		s.head.AccountID, told, "/"+escapePointer(field), string(value))
	return laterOf(told, dropped), err
}

// sameEndpoint is when the last request to the same endpoint was sent; NULL when
// it has not spoken since the account appeared or returned.
func (s *step) sameEndpoint() sql.NullInt64 {
	switch {
	case s.page.source == Detail && s.old.Detail != nil:
		return s.before.DetailSent
	case s.page.source != Detail && s.old.List != nil:
		return s.before.ListSent
	}
	return sql.NullInt64{}
}

func laterOf(a, b sql.NullInt64) sql.NullInt64 {
	if !a.Valid || b.Valid && b.Int64 > a.Int64 {
		return b
	}
	return a
}

// hasMember reports whether the JSON object has the member.
func hasMember(object []byte, name string) bool { return member(object, name) != nil }

// member is the value of a member of a JSON object; nil when it has none.
func member(object []byte, name string) jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := dec.ReadToken(); err != nil {
		return nil
	}
	for dec.PeekKind() == '"' {
		key, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		found := key.String() == name
		value, err := dec.ReadValue()
		if err != nil {
			return nil
		}
		if found {
			return value
		}
	}
	return nil
}

// isNull reports whether a value is null or not there.
func isNull(value jsontext.Value) bool { return value == nil || value.Kind() == 'n' }
