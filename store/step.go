package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// step is one account's way from the state it was in to the one a response
// shows.
type step struct {
	page     *page
	head     *head // nil, until it is made, at the first sight
	before   standing
	old, new State
	lastBody []byte // the endpoint's last document; nil for none
	// listed and detailed are the last documents of the endpoints before the step.
	listed, detailed sql.NullInt64
	facts            Facts
	changes          []Change
	documentID       int64
	fresh            bool // the endpoint's document is another than its last
}

// standing is what is stored of the state an account is in.
type standing struct {
	ListBody       sql.NullString `db:"list_body"`
	DetailBody     sql.NullString `db:"detail_body"`
	ReducedBody    sql.NullString `db:"reduced_body"`
	LastBody       sql.NullString `db:"last_body"` // of the endpoint
	SquidCount     int            `db:"squid_count"`
	Description    sql.NullString `db:"description"`
	LastSync       sql.NullString `db:"last_sync"`
	Number         int64          `db:"number"`
	Username       string         `db:"username"`
	Type           string         `db:"type"`
	Status         sql.NullString `db:"status"`
	Info           sql.NullString `db:"info"`
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
func (s *step) prepare(ctx context.Context, body []byte, resetsIn json.RawMessage) (err error) {
	if s.head != nil {
		if err := s.loadOld(ctx); err != nil {
			return err
		}
	}
	at := instant(sql.NullInt64{Int64: s.page.received, Valid: true})
	if s.new, err = s.old.Next(at, s.page.source, body); err != nil {
		return err
	}
	if s.new.ResetsIn = resetsIn; resetsIn == nil && !s.new.Gone {
		s.new.ResetsIn = s.remaining()
	}
	return nil
}

// remaining is what is left of a resets_in that an earlier response told of, as the
// instant when it ends: a response without the field says nothing of it, and it counts
// down by itself. Nil when there is none, nothing is left, or there is a lock_time, which
// is the more exact of the two.
func (s *step) remaining() json.RawMessage {
	if s.head == nil || isNull(jsontext.Value(s.old.ResetsIn)) || !isNull(member(s.old.Known, "lock_time")) ||
		s.head.LockedUntil.Int64 <= s.page.received {
		return nil
	}
	return json.RawMessage(`"` + instant(s.head.LockedUntil).Format(time.RFC3339Nano) + `"`)
}

func (s *step) loadOld(ctx context.Context) error {
	h := s.head
	s.listed, s.detailed = h.List.Document, h.Detail.Document
	err := s.page.tx.GetContext(ctx, &s.before, `
		SELECT
			(SELECT body FROM document WHERE id = ?) AS list_body,
			(SELECT body FROM document WHERE id = ?) AS detail_body,
			(SELECT body FROM document WHERE id = ?) AS reduced_body,
			(SELECT body FROM document WHERE id = ?) AS last_body,
			v.number AS number,
			v.username AS username,
			v.type AS type,
			v.status AS status,
			v.status_code_info AS info,
			v.status_code_description AS description,
			v.last_synchronization_time AS last_sync,
			v.squid_count AS squid_count,
			step.health_after AS health_after,
			lr.sent_at AS list_sent,
			lr.received_at AS list_received,
			dr.sent_at AS detail_sent,
			dr.received_at AS detail_received
		FROM version v
		JOIN status_step step ON step.id = ?
		LEFT JOIN response lr ON lr.id = ?
		LEFT JOIN response dr ON dr.id = ?
		WHERE v.id = ?`, h.Shapes.List, h.Shapes.Detail, h.Shapes.Reduced, h.at(s.page.source).Document,
		h.StepID, h.List.Seen, h.Detail.Seen, h.VersionID)
	if err != nil {
		return err
	}
	b := &s.before
	s.old = State{
		At:       instant(sql.NullInt64{Int64: max(b.ListReceived.Int64, b.DetailReceived.Int64), Valid: true}),
		Gone:     h.Gone,
		Known:    h.Known,
		Outdated: h.Outdated,
		List:     rawOrNil(b.ListBody),
		Detail:   rawOrNil(b.DetailBody),
		Reduced:  rawOrNil(b.ReducedBody),
		ResetsIn: h.usageAt("/resets_in"),
	}
	if documents := s.old.documents(); len(documents) == 1 && s.old.Known == nil {
		s.old.Known = documents[0]
	}
	s.lastBody = rawOrNil(b.LastBody)
	return nil
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

// changed reports whether a new version begins: with a change, and when one of the facts
// that a version has was not known before. The latter is no change.
func (s *step) changed() bool {
	b, f := &s.before, &s.facts
	return b.Number == 0 || len(s.changes) > 0 ||
		b.Username == "" && f.Username != "" || b.Type == "" && f.Type != "" ||
		!b.Status.Valid && f.Status != "" || !b.Info.Valid && f.Info != "" ||
		!b.Description.Valid && f.Description != "" || !b.LastSync.Valid && f.LastSync != "" ||
		b.SquidCount == 0 && len(f.Squids) > 0
}

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
		return s.sameShape(ctx)
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	return s.lastTold(ctx, unescapePointer(field))
}

// lastTold is when the last request was sent whose answer had the field. A document
// that lacks a field says nothing about it: only when none has it does the lack itself
// count, and then only that of the shape that now has it.
func (s *step) lastTold(ctx context.Context, field string) (told sql.NullInt64, err error) {
	value := member(s.old.Known, field)
	if value == nil {
		return s.sameShape(ctx)
	}
	lacks := false
	for _, d := range s.toldDocuments() {
		if !hasMember(d.body, field) {
			lacks = true
			continue
		}
		sent, err := s.sentOf(ctx, d.id)
		if err != nil {
			return told, err
		}
		told = laterOf(told, sent)
	}
	if lacks || !told.Valid {
		return s.toldBeforeDropped(ctx, field, value, told)
	}
	return told, nil
}

// toldDocument is the latest document of a shape.
type toldDocument struct {
	id   sql.NullInt64
	body json.RawMessage
}

// toldDocuments are those of the old state.
func (s *step) toldDocuments() (all []toldDocument) {
	h := s.head.Shapes
	for _, d := range []toldDocument{{h.List, s.old.List}, {h.Detail, s.old.Detail}, {h.Reduced, s.old.Reduced}} {
		if d.body != nil {
			all = append(all, d)
		}
	}
	return all
}

// sentOf is when the last request was sent that is known to have been answered with the
// document. Of one that is not the last of its endpoint that is the first such request.
func (s *step) sentOf(ctx context.Context, document sql.NullInt64) (sent sql.NullInt64, err error) {
	switch document {
	case s.listed:
		return s.before.ListSent, nil
	case s.detailed:
		return s.before.DetailSent, nil
	}
	err = s.page.tx.GetContext(ctx, &sent, `
		SELECT r.sent_at FROM document d JOIN response r ON r.id = d.response_id WHERE d.id = ?`, document)
	return sent, err
}

// toldBeforeDropped is when the last request was sent whose answer had the value of
// the field that a document tells of since the instant given (not valid: none does): a
// document of another shape may have told the same later, and then no longer have had
// the field.
func (s *step) toldBeforeDropped(ctx context.Context, field string, value []byte, told sql.NullInt64) (sql.NullInt64, error) {
	var dropped sql.NullInt64
	err := s.page.tx.GetContext(ctx, &dropped, `
		SELECT max(after) FROM change
		WHERE account_id = ? AND before > ? AND kind = 'schema' AND path = ? AND new IS NULL AND json_extract(old, '$') IS json_extract(?, '$')`,
		s.head.AccountID, told.Int64, "/"+escapePointer(field), string(value))
	return laterOf(told, dropped), err
}

// sameShape is when the last request was sent whose answer had the shape of the new
// document; not valid when there was none since the account appeared or returned.
func (s *step) sameShape(ctx context.Context) (sql.NullInt64, error) {
	shapes := s.head.Shapes
	switch id := map[Source]sql.NullInt64{List: shapes.List, Detail: shapes.Detail, Import: shapes.Reduced}[s.new.Latest]; {
	case id.Valid:
		return s.sentOf(ctx, id)
	default:
		return id, nil
	}
}

func laterOf(a, b sql.NullInt64) sql.NullInt64 {
	if !a.Valid || b.Valid && b.Int64 > a.Int64 {
		return b
	}
	return a
}
