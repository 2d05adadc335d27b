package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// SquidLanes is a squid and the accounts that it used, a lane each.
type SquidLanes struct {
	SquidRefJSON
	Lanes []Lane // in the order they came
}

// Lane is a squid using an account for a time.
type Lane struct {
	AccountUseJSON
	Began bool // in the period, and not with the first sight of the account
	// Watched is when the account was last seen: nobody knows whether an assignment
	// that has not ended lasted any longer.
	Watched Time
	End     LaneEnd
	// Next is the account that took over; nil unless End is Replaced.
	Next *AccountRefJSON
}

// LaneEnd says how an assignment ended.
type LaneEnd string

// The ends of assignments.
const (
	Lasting  LaneEnd = ""             // it has not ended
	Replaced LaneEnd = "replaced"     // another account came to the squid in the same window
	LostGone LaneEnd = "account gone" // the account was gone
	Lost     LaneEnd = "lost"         // none of these
)

// Moved reports whether an assignment of the squid began or ended in the period.
func (s SquidLanes) Moved() bool { return slices.ContainsFunc(s.Lanes, Lane.moved) }

func (l Lane) moved() bool { return l.To != nil || l.Began }

// newSquidLanes makes lanes of the assignments of squids.
func newSquidLanes(squids []SquidUsesJSON, accounts []store.AccountState, since time.Time) []SquidLanes {
	watched := make(map[string]Time, len(accounts))
	for _, a := range accounts {
		watched[a.ID] = Time{a.SeenAt}
	}
	all := make([]SquidLanes, 0, len(squids))
	for _, squid := range squids {
		s := SquidLanes{SquidRefJSON: squid.SquidRefJSON}
		for _, use := range squid.Accounts {
			lane := newLane(use, squid.Accounts, since)
			lane.Watched = watched[use.ID]
			s.Lanes = append(s.Lanes, lane)
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b SquidLanes) int { return cmp.Compare(a.rank(), b.rank()) })
	return all
}

// newLane finds out whether an assignment began in the period, and how it ended.
func newLane(use AccountUseJSON, all []AccountUseJSON, since time.Time) Lane {
	l := Lane{AccountUseJSON: use, Began: !use.From.After.IsZero() && !use.From.Before.Before(since)}
	if use.To == nil {
		return l
	}
	l.End = Lost
	for _, other := range all {
		if other.ID != use.ID && !other.From.After.IsZero() && overlap(other.From, *use.To) {
			l.End, l.Next = Replaced, &other.AccountRefJSON
			return l
		}
	}
	if use.Health == store.Gone {
		l.End = LostGone
	}
	return l
}

// overlap reports whether two things may have happened at once.
func overlap(a, b WindowJSON) bool {
	return a.After.Before(b.Before.Time) && b.After.Before(a.Before.Time)
}

// rank puts squids first that lost an account, then those that exchanged one, then
// those that got one.
func (s SquidLanes) rank() int {
	rank := 3
	for _, l := range s.Lanes {
		switch {
		case l.End == Lost || l.End == LostGone:
			rank = 0
		case l.End == Replaced:
			rank = min(rank, 1)
		case l.moved():
			rank = min(rank, 2)
		}
	}
	return rank
}
