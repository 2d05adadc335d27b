package report

import (
	"cmp"
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// Picture is a report arranged to be looked at: what matters comes first, and what
// belongs together stands together. It has no figure that the report has not.
// Renderers draw it; what they draw is decided here.
type Picture struct {
	Report    Report
	Platforms []PlatformRows // the timeline; those with the worst accounts first
	Squids    []SquidLanes   // the assignments; those in which something moved first
	Limits    []LimitChart   // the notable ones first
	Events    []Event        // the changes, newest first
}

// PlatformRows are the accounts of one platform.
type PlatformRows struct {
	Platform
	Rows []AccountRow // what matters first: see [store.Healths], but for gone ones, which come last
	// Steady are the accounts that were healthy for as long as they were watched and
	// in which nothing changed (but for a synchronisation), by username.
	Steady []AccountRow
}

// AccountRow is the timeline of one account.
type AccountRow struct {
	AccountTimeJSON
	Marks []Mark // oldest first
}

// Mark is where something changed that is no matter of health.
type Mark struct {
	Window WindowJSON
	Kinds  []store.Kind
}

// Event is what changed in one account within one window.
type Event struct {
	Account  string
	Username Text
	Window   WindowJSON
	Run      int64
	Changes  []ChangeJSON // at least one
}

// NewPicture arranges the report that was built of the input. Sections that the
// report lacks are empty.
func NewPicture(in Input, r Report) Picture {
	p := Picture{Report: r, Events: newEvents(r.Changes)}
	if r.Status != nil {
		p.Platforms = newPlatformRows(r.Status.Accounts, in.platforms(), p.Events)
	}
	if r.Squids != nil {
		p.Squids = newSquidLanes(r.Squids.BySquid, in.Accounts, in.Since)
	}
	if r.Limits != nil {
		p.Limits = newLimitCharts(r.Limits.Limits, in, r.Changes)
	}
	return p
}

// newEvents puts changes together that were noticed of one account at once.
func newEvents(changes []ChangeJSON) []Event {
	var events []Event
	for _, c := range changes {
		n := len(events)
		if n == 0 || events[n-1].Account != c.Account || !events[n-1].Window.Before.Equal(c.Before.Time) ||
			!events[n-1].Window.After.Equal(c.After.Time) {
			events = append(events, Event{Account: c.Account, Username: c.Username, Run: c.Run,
				Window: WindowJSON{After: c.After, Before: c.Before}})
			n++
		}
		events[n-1].Changes = append(events[n-1].Changes, c)
	}
	slices.Reverse(events)
	return events
}

// statusKinds are the changes that a timeline shows by its colours.
var statusKinds = []store.Kind{store.StatusChanged, store.LockBegan, store.LockEnded, store.WentGone, store.Returned, store.Appeared}

// newMarks are the marks of each account, oldest first.
func newMarks(events []Event) map[string][]Mark {
	marks := map[string][]Mark{}
	for _, e := range slices.Backward(events) {
		m := Mark{Window: e.Window}
		for _, c := range e.Changes {
			if !slices.Contains(statusKinds, c.Kind) && !slices.Contains(m.Kinds, c.Kind) {
				m.Kinds = append(m.Kinds, c.Kind)
			}
		}
		if m.Kinds != nil {
			marks[e.Account] = append(marks[e.Account], m)
		}
	}
	return marks
}

// newPlatformRows parts accounts, which are sorted by username, by their types.
func newPlatformRows(accounts []AccountTimeJSON, platforms map[string]Platform, events []Event) []PlatformRows {
	marks, byType := newMarks(events), map[Text]*PlatformRows{}
	for _, a := range accounts {
		rows := byType[a.Type]
		if rows == nil {
			rows = &PlatformRows{Platform: platforms[string(a.Type)]}
			rows.Type = a.Type
			byType[a.Type] = rows
		}
		row := AccountRow{AccountTimeJSON: a, Marks: marks[a.ID]}
		if row.steady() {
			rows.Steady = append(rows.Steady, row)
		} else {
			rows.Rows = append(rows.Rows, row)
		}
	}
	all := make([]PlatformRows, 0, len(byType))
	for _, rows := range byType {
		slices.SortStableFunc(rows.Rows, compareRows)
		all = append(all, *rows)
	}
	slices.SortFunc(all, func(a, b PlatformRows) int {
		return cmp.Or(cmp.Compare(a.worst(), b.worst()), cmp.Compare(a.Type, b.Type))
	})
	return all
}

// steady reports whether there is nothing to see.
func (r AccountRow) steady() bool {
	for _, t := range r.Times {
		if t.Health != store.Healthy {
			return false
		}
	}
	for _, m := range r.Marks {
		if len(m.Kinds) > 1 || m.Kinds[0] != store.Synced {
			return false
		}
	}
	return r.Health == store.Healthy
}

// urgency orders healths by what is to be done about them; nothing can be done
// about an account that is gone.
func urgency(h store.Health) int {
	if h == store.Gone {
		return len(store.Healths) + 1
	}
	return badness(h)
}

// worst is the urgency of the most urgent account.
func (p PlatformRows) worst() int {
	if len(p.Rows) == 0 {
		return urgency(store.Healthy)
	}
	return urgency(p.Rows[0].Health)
}

// compareRows orders by urgency, then by the time that an account may have been
// in another health than healthy, the longest first.
func compareRows(a, b AccountRow) int {
	return cmp.Or(cmp.Compare(urgency(a.Health), urgency(b.Health)), cmp.Compare(b.troubled(), a.troubled()))
}

// troubled is the most time that the account may have spent unhealthy, but for the
// time after it was gone.
func (r AccountRow) troubled() (sum Seconds) {
	for _, t := range r.Times {
		if t.Health != store.Healthy && t.Health != store.Gone {
			sum += t.Max
		}
	}
	return sum
}
