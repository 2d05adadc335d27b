package fold

import (
	"encoding/json"
	"strings"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// derive notes what follows from the response: a version with its changes, a status
// step, assignments; and where the account stands then.
func (s *step) derive() {
	a := s.account
	if s.changed() {
		a.Versions++
		s.delta.Versions = append(s.delta.Versions, Version{a.Number, a.Versions, s.at, s.endpoint, s.facts})
		for i, c := range s.changes {
			s.delta.Changes = append(s.delta.Changes, Change{a.Number, int64(i + 1), s.at, s.after(c), c})
		}
		f := &s.facts
		a.Username, a.Type, a.Status, a.Info = f.Username, f.Type, f.Status, f.Info
		a.Description, a.LastSync, a.SquidCount = f.Description, f.LastSync, len(f.Squids)
		s.isNews(a)
	}
	s.statusStep()
	s.assign()
	if until := s.lockedUntil(); until != a.LockedUntil {
		a.LockedUntil = until
		s.isNews(a)
	}
	s.touch(a)
}

// statusStep notes a step when a status field or the health changed.
func (s *step) statusStep() {
	a, b := s.account, &s.before
	if !s.statusChanged() {
		return
	}
	after := s.stepAfter()
	if b.Versions == 0 || s.facts.Health != b.Health {
		a.HealthAfter, a.HealthBefore = after, s.at
	}
	a.Health = s.facts.Health
	s.delta.Steps = append(s.delta.Steps, Step{
		a.Number, s.at, after, b.Status, s.facts.Status, b.Info, s.facts.Info, b.Health, a.Health,
	})
	s.isNews(a)
}

// statusChanged reports whether a status field or the health is another than before. A
// status that was not known before, or is out of date, is no change by itself.
func (s *step) statusChanged() bool {
	if s.before.Versions == 0 || s.facts.Health != s.before.Health {
		return true
	}
	for _, c := range s.changes {
		if c.Kind == store.StatusChanged && (c.Path == "/status" || c.Path == "/status_code_info") {
			return true
		}
	}
	return false
}

// stepAfter is the earliest beginning of the windows of the changes that make the
// step. A step without such changes comes from resets_in.
func (s *step) stepAfter() *int64 {
	var earliest *int64
	found := false
	for _, c := range s.changes {
		if c.HealthAfter == "" {
			continue
		}
		after := s.after(c)
		if !found || after == nil || earliest != nil && *after < *earliest {
			earliest, found = after, true
		}
	}
	if !found {
		return s.lastTold("resets_in")
	}
	return earliest
}

// after is when the request of the last snapshot with the old value was sent. nil:
// no snapshot before told of it.
func (s *step) after(c store.Change) *int64 {
	switch c.Kind {
	case store.Appeared:
		return nil
	case store.WentGone:
		return s.lastSent(func(Endpoint) bool { return true })
	case store.Returned:
		return positive(s.before.Said[Detail].Sent)
	case store.SchemaChanged:
		return s.sameEndpoint()
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	return s.lastTold(document.UnescapePointer(field))
}

// lastSent is when the last request was sent to an endpoint that fits.
func (s *step) lastSent(fits func(Endpoint) bool) *int64 {
	last := int64(0)
	for e := range Endpoint(Endpoints) {
		if fits(e) {
			last = max(last, s.before.Said[e].Sent)
		}
	}
	return positive(last)
}

// lastTold is when the last request was sent whose answer had the value that was known of
// the field. A document that lacks a field says nothing about it; an endpoint that no
// longer sends it may have told the value last. Only when the field was not known does
// the lack itself count, and then only that of the endpoint that now has it.
func (s *step) lastTold(field string) *int64 {
	known := document.Value(s.old.Known, field)
	if known == nil {
		return s.sameEndpoint()
	}
	told := s.lastSent(func(e Endpoint) bool { return document.Value(s.before.Said[e].Body, field) != nil })
	if d, dropped := s.before.Dropped[field]; dropped && sameValue(d.Value, known) && (told == nil || d.Sent > *told) {
		return &d.Sent
	}
	return told
}

// sameValue reports whether two JSON values are the same, however they are spelled.
func sameValue(a, b []byte) bool {
	if string(a) == string(b) {
		return true
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	first, _ := json.Marshal(x)
	second, _ := json.Marshal(y)
	return string(first) == string(second)
}

// sameEndpoint is when the last request to the same endpoint was sent; nil when it
// has not spoken since the account appeared or returned.
func (s *step) sameEndpoint() *int64 {
	if said := &s.before.Said[s.endpoint]; said.Body != nil {
		return positive(said.Sent)
	}
	return nil
}

func positive(ms int64) *int64 {
	if ms == 0 {
		return nil
	}
	return &ms
}

// assign begins and ends assignments so that the open ones are those the response
// shows. A response without a squids field says nothing of them.
func (s *step) assign() {
	a := s.account
	if !s.new.Gone && document.Value(*s.new.Last(s.new.Latest), "squids") == nil {
		return
	}
	after := s.assignedAfter()
	open, uses := a.Uses, make([]Use, 0, len(s.facts.Squids))
	for _, squid := range s.facts.Squids { // they are sorted
		for len(open) > 0 && open[0].ID < squid.ID {
			s.end(open[0], after)
			open = open[1:]
		}
		already := len(open) > 0 && open[0].ID == squid.ID
		var use Use
		if already {
			use, open = open[0], open[1:]
		} else {
			use = Use{ID: squid.ID, Squid: s.squid(squid.ID), Since: s.at, Sent: s.delta.Response.Sent}
			s.delta.Assignments = append(s.delta.Assignments, Assignment{
				Squid: use.Squid, Account: a.Number, FromAfter: after, FromBefore: s.at,
			})
		}
		if !already || use.Name != squid.Name {
			use.Name = squid.Name
			s.delta.Names = append(s.delta.Names, SquidName{use.Squid, a.Number, s.at, squid.Name})
		}
		uses = append(uses, use)
	}
	for _, use := range open {
		s.end(use, after)
	}
	a.Uses = uses
}

// end ends an assignment, at the earliest when it was first asked for.
func (s *step) end(use Use, after *int64) {
	ended := Assignment{Squid: use.Squid, Account: s.account.Number, FromBefore: use.Since, ToAfter: use.Sent, ToBefore: s.at}
	if after != nil {
		ended.ToAfter = *after
	}
	s.delta.Ended = append(s.delta.Ended, ended)
}

// squid is the number of a squid, which is given one when it is new.
func (s *step) squid(id string) int64 {
	number, known := s.w.Squids[id]
	if !known {
		number = int64(len(s.w.Squids) + 1)
		s.w.Squids[id] = number
		s.delta.Squids = append(s.delta.Squids, Squid{number, id})
	}
	return number
}

// assignedAfter begins the window in which assignments changed.
func (s *step) assignedAfter() *int64 {
	switch {
	case s.before.Versions == 0:
		return nil
	case s.new.Gone:
		return s.after(store.Change{Kind: store.WentGone})
	case s.before.Gone:
		return s.after(store.Change{Kind: store.Returned})
	}
	return s.lastTold("squids")
}
