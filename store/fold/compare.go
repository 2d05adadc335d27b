package fold

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/document"
)

// step is one account's way from what was known of it to what a response says.
type step struct {
	*folding
	account  *Account // nil until it is made, at first sight
	endpoint Endpoint
	before   Account // as it was
	old, new store.State
	facts    store.Facts
	changes  []store.Change
}

// compare takes an account that may have changed. a is nil at first sight.
func (f *folding) compare(a *Account, seen *Shown) error {
	s := &step{folding: f, account: a, endpoint: seen.Endpoint}
	if a != nil {
		s.before, s.old = *a, a.state()
	}
	var err error
	if s.new, err = s.old.Next(instant(f.at), shapes[s.endpoint], seen.Parts.Body); err != nil {
		f.fail(seen.ID, err)
		return nil
	}
	if s.new.ResetsIn = resetsIn(seen.Parts.Counters); s.new.ResetsIn == nil {
		s.new.ResetsIn = s.remaining()
	}
	if err := s.ask(); err != nil {
		f.fail(seen.ID, err)
		return nil
	}
	if a == nil {
		s.account = f.newAccount(seen)
	}
	if err := s.store(seen); err != nil {
		return err
	}
	f.show(s.account, s.endpoint)
	if s.changed() {
		f.delta.Done.Changed++
	} else {
		f.delta.Done.Unchanged++
	}
	return nil
}

// lose takes an account that was answered with 404, and was not gone before.
func (f *folding) lose(a *Account) error {
	s := &step{folding: f, account: a, endpoint: Detail, before: *a, old: a.state()}
	s.new = store.State{At: instant(f.at), Gone: true, Latest: store.Detail}
	if err := s.ask(); err != nil {
		return err
	}
	if err := s.forget(); err != nil {
		return err
	}
	s.derive()
	a.Said[Detail].Leaf = a.leaf(Detail)
	f.show(a, Detail)
	f.delta.Done.Gone++
	return nil
}

// ask lets the rules read the new state and compare it with the old one. Healths
// are those of the history: the old one may rest on a lock that only the old
// response told of.
func (s *step) ask() (err error) {
	if s.facts, s.changes, err = s.w.Rules.Compare(s.old, s.new); err != nil {
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
	return b.Versions == 0 || len(s.changes) > 0 ||
		b.Username == "" && f.Username != "" || b.Type == "" && f.Type != "" || b.Status == "" && f.Status != "" ||
		b.Info == "" && f.Info != "" || b.Description == "" && f.Description != "" || b.LastSync == "" && f.LastSync != "" ||
		b.SquidCount == 0 && len(f.Squids) > 0
}

// remaining is what is left of a resets_in that an earlier response told of, as the
// instant when it ends: a response without the field says nothing of it, and it counts
// down by itself. nil when there is none, nothing is left, or there is a lock_time, which
// is the more exact of the two.
func (s *step) remaining() json.RawMessage {
	if s.account == nil || isNull(s.old.ResetsIn) || s.before.LockedUntil <= s.at ||
		!isNull(document.Value(s.old.Known, "lock_time")) {
		return nil
	}
	return json.RawMessage(`"` + instant(s.before.LockedUntil).Format(time.RFC3339Nano) + `"`)
}

func (f *folding) newAccount(seen *Shown) *Account {
	a := &Account{Number: f.w.NextAccount, ID: seen.ID, FirstAt: f.at, Salt: seen.Salt, Whole: true}
	f.w.NextAccount++
	f.w.Accounts[a.ID] = a
	f.delta.Accounts = append(f.delta.Accounts, a)
	return a
}

// store takes what the object says into the account's state, and notes what of it
// is new.
func (s *step) store(seen *Shown) error {
	a, said := s.account, &s.account.Said[s.endpoint]
	a.Gone = false
	if !bytes.Equal(said.Body, seen.Parts.Body) {
		if err := s.noteFacts(said, seen.Parts.Body); err != nil {
			return err
		}
		said.Body, said.DocumentAt = bytes.Clone(seen.Parts.Body), s.at
		if icon := seen.Parts.Icon; icon != nil {
			s.delta.Icons = append(s.delta.Icons, icon)
		}
	}
	s.move(a, seen)
	if s.answer.Source != store.Detail && a.AbsentSince > 0 {
		s.delta.Relisted = append(s.delta.Relisted, Absence{a.Number, a.AbsentSince, s.at})
		a.AbsentSince = 0
		s.isNews(a)
	}
	a.Latest, a.Known, a.Outdated = s.endpoint, said.Body, s.new.Outdated
	if !bytes.Equal(s.new.Known, said.Body) { // mostly they are the same: then they share memory
		a.Known = bytes.Clone(s.new.Known)
	}
	said.Leaf = a.leaf(s.endpoint)
	s.derive()
	return nil
}

// noteFacts notes the members that the endpoint says otherwise than before.
func (s *step) noteFacts(said *Said, after []byte) error {
	changed, err := document.Changes(said.Body, after)
	if err != nil {
		return err
	}
	for _, m := range changed {
		s.delta.Facts = append(s.delta.Facts, Fact{s.account.Number, s.endpoint, m, s.at})
		if m.Sub == "" && m.Value == nil {
			s.noteDropped(said, m.Top)
		}
	}
	s.isNews(s.account)
	return nil
}

// noteDropped keeps when a field that the endpoint no longer sends was last told, unless
// another endpoint that no longer sends it has told it later.
func (s *step) noteDropped(said *Said, name string) {
	if d, other := s.account.Dropped[name]; other && d.Sent > said.Sent {
		return
	}
	dropped := maps.Clone(s.account.Dropped)
	if dropped == nil {
		dropped = map[string]Dropped{}
	}
	dropped[name] = Dropped{bytes.Clone(document.Value(said.Body, name)), said.Sent}
	s.account.Dropped = dropped
}

// forget notes that the account is gone: what endpoints said of it no longer holds.
func (s *step) forget() error {
	a := s.account
	for e := range Endpoint(Endpoints) {
		said := &a.Said[e]
		if said.Body != nil {
			known, err := document.Members(said.Body)
			if err != nil {
				return err
			}
			for _, m := range known {
				s.delta.Facts = append(s.delta.Facts, Fact{a.Number, e, document.Member{Key: m.Key}, s.at})
			}
		}
		said.Body, said.Digest, said.DocumentAt = nil, nil, s.at
	}
	a.Gone, a.Latest, a.Known, a.Outdated, a.Dropped = true, Detail, nil, false, nil
	s.isNews(a)
	return nil
}

// lockedUntil is when the state has to be looked at again although nothing else may
// have changed; 0: never.
func (s *step) lockedUntil() int64 {
	if until := s.facts.LockedUntil; !until.IsZero() {
		return until.UnixMilli()
	}
	if until, ok := store.ParseResetsIn(s.new.ResetsIn, s.new.At); ok && !until.IsZero() {
		return until.UnixMilli()
	}
	return 0
}
