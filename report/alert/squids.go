package alert

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// squad is a squid with its accounts at the end of the run.
type squad struct {
	id, name string
	members  []*store.AccountState // that it uses and that are not gone
	lost     []lostMember          // those that ceased to work for it in this run
	gone     int                   // of these, how many are gone
	detached bool                  // some were taken from it in this run
}

// lostMember is an account that worked for a squid before the run and no longer does.
type lostMember struct {
	account   string
	condition store.Condition // that tells of it
	window    store.Window
}

// squad returns the squid with the id.
func (e *evaluation) squad(id string) *squad {
	if e.squids == nil {
		e.squids = map[string]*squad{}
		for _, account := range slices.Sorted(maps.Keys(e.Accounts)) {
			state := e.Accounts[account]
			for _, s := range state.Facts.Squids {
				q := e.makeSquad(s.ID, s.Name)
				q.members = append(q.members, &state)
			}
		}
	}
	return e.makeSquad(id, "")
}

func (e *evaluation) makeSquad(id, name string) *squad {
	q := e.squids[id]
	if q == nil {
		q = &squad{id: id}
		e.squids[id] = q
	}
	q.name = cmp.Or(q.name, name)
	return q
}

// count counts the members that work, and those of which it is not known.
func (q *squad) count() (working, unknown int) {
	for _, m := range q.members {
		switch {
		case works(m.Facts.Health):
			working++
		case m.Facts.Health == store.Unknown:
			unknown++
		}
	}
	return working, unknown
}

// total counts the accounts of the squid, with those that this run found to be gone.
func (q *squad) total() int { return len(q.members) + q.gone }

// squadrons evaluates the squids that the run may have changed, and those with an alert.
func (e *evaluation) squadrons() {
	if e.Accounts == nil {
		return
	}
	touched := e.touched()
	for _, t := range e.holding(store.SquidWithoutAccount, store.SquidOnLastAccount) {
		touched[t.Squid] = true
	}
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		q := e.squad(id)
		e.endSquid(q)
		e.beginSquid(q)
	}
}

// touched finds the squids whose accounts changed, and which accounts each of them lost.
func (e *evaluation) touched() map[string]bool {
	touched := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(e.moves)) {
		m := e.moves[id]
		squids := e.Accounts[id].Facts.Squids
		if m.now == store.Gone {
			squids = e.Run.Lost[id]
		}
		for _, s := range squids {
			touched[s.ID] = true
			q := e.squad(s.ID)
			q.name = cmp.Or(q.name, s.Name)
			if m.now == store.Gone && m.was != store.Gone {
				q.gone++
			}
			if isDown(m.now) && !isDown(m.was) {
				q.lost = append(q.lost, lostMember{id, conditionOf[m.now], m.step.Window})
			}
		}
	}
	for _, c := range e.Run.Changes {
		q := e.squad(squidOf(c))
		touched[q.id] = true
		if c.Kind != store.SquidUnassigned {
			continue
		}
		q.detached = true
		if t := e.byKey[key{condition: store.AssignmentLost, account: c.Account, squid: q.id}]; t != nil && q.name == "" {
			q.name = t.Squids[0].Name
		}
		health := e.Accounts[c.Account].Facts.Health
		if m := e.moves[c.Account]; m != nil {
			health = m.was
		}
		if works(health) {
			q.lost = append(q.lost, lostMember{c.Account, store.AssignmentLost, c.Window})
		}
	}
	return touched
}

// beginSquid begins an alert when the squid lost an account and none, or only one of
// several, works now. While something is not known of one, nothing is concluded.
func (e *evaluation) beginSquid(q *squad) {
	working, unknown := q.count()
	if len(q.lost) == 0 || unknown > 0 || q.total() == 0 {
		return
	}
	condition := store.SquidWithoutAccount
	switch {
	case working == 0:
	case working == 1 && q.total() >= 2:
		condition = store.SquidOnLastAccount
	default:
		return
	}
	window := q.lost[0].window
	for _, l := range q.lost {
		if l.window.Before.After(window.Before) {
			window = l.window
		}
	}
	e.begin(store.Alert{Condition: condition, Squid: q.id, Window: window, Run: e.Run.ID}, detail{
		Squids: []squidName{{q.id, q.name}}, Down: e.downOf(q), Causes: q.causes(),
	})
}

// causes are the alerts that tell why the squid lost accounts.
func (q *squad) causes() (all []cause) {
	for _, l := range q.lost {
		all = append(all, cause{l.account, l.condition})
	}
	return all
}

// downOf are the accounts of a squid that do not work, those lost in this run too.
func (e *evaluation) downOf(q *squad) (down []member) {
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			down = append(down, member{id, e.Accounts[id].Facts.Type})
		}
	}
	for _, m := range q.members {
		if isDown(m.Facts.Health) {
			add(m.ID)
		}
	}
	for _, l := range q.lost {
		add(l.account)
	}
	return down
}

// endSquid ends the alerts of a squid that no longer hold.
func (e *evaluation) endSquid(q *squad) {
	working, unknown := q.count()
	if t := e.byKey[key{condition: store.SquidWithoutAccount, squid: q.id}]; t != nil {
		switch {
		case working > 0:
			e.end(t, e.Run.window(), true)
		case len(q.members) == 0 && q.detached: // nobody uses the squid any more
			e.end(t, e.Run.window(), false)
		}
	}
	if t := e.byKey[key{condition: store.SquidOnLastAccount, squid: q.id}]; t != nil {
		switch {
		case working > 1:
			e.end(t, e.Run.window(), true)
		case working == 0 && unknown == 0:
			e.end(t, e.Run.window(), false)
		}
	}
}

// window is the time of the run.
func (r *Noticed) window() store.Window {
	if r.Finished.IsZero() {
		return store.Window{After: r.Started, Before: r.Started}
	}
	return store.Window{After: r.Started, Before: r.Finished}
}
