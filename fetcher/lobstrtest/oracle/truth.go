// Package oracle says what truly happened in a world of package lobstrtest, and
// makes random worlds. Only tests import it.
//
// Between a look at an account evaluated at a and a later one evaluated at b lie the
// truths with a < At <= b ([Between]). What the two looks must differ in is [Net],
// which leaves out what was undone in between. A client that saw the looks in [sent,
// received] windows must report each difference with windows such that After < At <=
// Before: none missing, none invented.
//
// A truth is what an event really changed: expiring an expired account is none.
// Kind, Path, Old and New are those of the store's changes:
//
//   - appeared, gone, returned: path "", no values. An account that was added
//     rather than created has no appeared. Nothing else is told about an account
//     at the instant it appears or returns, or while it is gone.
//   - status: one for each of /status, /status_code_info and
//     /status_code_description.
//   - locked, unlocked: path /lock_time, with its values as served. When a lock
//     ends because its time passed, the truth is at that instant, and Old and
//     New are the same. Lock times that are over and null are the same. A lock
//     that is moved while it lasts is a field.
//   - synced: /last_synchronization_time moved forward; other changes of it are
//     a field.
//   - squid_assigned, squid_unassigned, squid_renamed: path /squids/ID; Old and
//     New are the squid's name as JSON, or nil.
//   - limit: one for each leaf under /params that is no counter; nil where there
//     was or is none.
//   - username, cookies (as a set, without values), icon (values as by
//     [IconDigest]).
//   - schema: a field of the account came, went (nil), or has another JSON type,
//     null being none. A status that goes from "200" to 200 is a schema and no
//     status; one that goes from "200" to 401 would be both. When a field comes or
//     goes, nothing is told of what is in it.
//   - field: any other leaf. Lists count as a whole.
//
// An instant, number or text in another spelling is no difference, nor is the order
// of squids, cookies and members. Counters and resets_in never are. The truth is
// that of the complete object, which the list shows; who sees a view that hides
// fields ([lobstrtest.World.Hide]) must leave those out of account.
package oracle

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// The kinds of truths.
const (
	Appeared        = "appeared"
	Gone            = "gone"
	Returned        = "returned"
	Status          = "status"
	Locked          = "locked"
	Unlocked        = "unlocked"
	Synced          = "synced"
	SquidAssigned   = "squid_assigned"
	SquidUnassigned = "squid_unassigned"
	SquidRenamed    = "squid_renamed"
	LimitChanged    = "limit"
	Username        = "username"
	CookiesChanged  = "cookies"
	IconChanged     = "icon"
	FieldChanged    = "field"
	SchemaChanged   = "schema"
)

// Truth is something that truly happened to an account.
type Truth struct {
	At       time.Time
	Account  string
	Kind     string
	Path     string
	Old, New json.RawMessage // nil: no such value
}

// Between returns what happened to the account ("": to any) after the one instant
// and up to the other, oldest first. It may look into the future.
func Between(w *lobstrtest.World, account string, after, until time.Time) []Truth {
	var truths []Truth
	var before lobstrtest.Version
	for _, v := range w.History(account, until) {
		seen := before.Account == v.Account
		if !seen {
			before = lobstrtest.Version{}
		}
		if v.At.After(after) {
			truths = append(truths, step(before, v, seen)...)
		}
		before = v
	}
	slices.SortStableFunc(truths, func(a, b Truth) int { return a.At.Compare(b.At) })
	return truths
}

// step says what changed when a version began. Just before it the old version held,
// with the lock that was live then.
func step(old, new lobstrtest.Version, seen bool) []Truth {
	justBefore := new.At.Add(-1)
	if old.At.Equal(new.At) {
		justBefore = old.At
	}
	truths := differences(old, new, justBefore, new.At, seen)
	for i := range truths {
		truths[i].At, truths[i].Account = new.At, new.Account
	}
	return truths
}

// Net returns the differences that two looks at the complete account, at the one
// instant and at a later one, must show: no more, no less, sorted by path and kind.
// At is the instant of the last truth that had a part in it. Of A -> B -> A it shows
// nothing.
func Net(w *lobstrtest.World, account string, earlier, later time.Time) []Truth {
	var old, new lobstrtest.Version
	seen := false
	history := w.History(account, later)
	for _, v := range history {
		if new = v; !v.At.After(earlier) {
			old, seen = v, true
		}
	}
	net := differences(old, new, earlier, later, seen)
	if len(net) == 0 {
		return nil
	}
	events := Between(w, account, earlier, later)
	for i := range net {
		net[i].Account, net[i].At = account, lastOf(events, net[i])
	}
	return net
}

// lastOf finds the last truth about the same path. There is one unless a whole
// subtree came or went.
func lastOf(events []Truth, net Truth) time.Time {
	for _, t := range slices.Backward(events) {
		if t.Path == net.Path {
			return t.At
		}
	}
	if len(events) > 0 {
		return events[len(events)-1].At
	}
	return time.Time{}
}
