package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AccountQuery says which accounts to read, and as of when.
type AccountQuery struct {
	Workspace string
	Account   string    // id; "" for all
	At        time.Time // zero: now
}

// ChangeQuery says which changes to read. A change belongs to a period when it
// was noticed in it: when the Before of its window is after Since and at or
// before Until.
type ChangeQuery struct {
	Workspace    string
	Since, Until time.Time // zero: unbounded
	Account      string    // id; "" for all
	Squid        string    // id: only changes of this squid's assignments and name; "" for all
	Kinds        []Kind    // nil for all; a kind that is not in [Kinds] is an error
	Run          int64     // only changes that this run noticed; 0 for all
	// AfterRun and UpToRun keep changes that were noticed by runs after the first and up to
	// the second; 0 is unbounded. The runs need not exist.
	AfterRun, UpToRun int64
	// Became keeps changes with which the health became one of these, first sights
	// included; nil keeps all. A health that is not in [Healths] is an error.
	Became []Health
}

// Check returns an error that matches ErrInvalid and names it, if a kind or a health does
// not exist.
func (q ChangeQuery) Check() error {
	for _, kind := range q.Kinds {
		if !slices.Contains(Kinds, kind) {
			return fmt.Errorf("%w: there is no kind of change %q", ErrInvalid, kind)
		}
	}
	for _, health := range q.Became {
		if !slices.Contains(Healths, health) {
			return fmt.Errorf("%w: there is no health %q", ErrInvalid, health)
		}
	}
	return nil
}

// PeriodQuery says which part of the history of which accounts to read.
type PeriodQuery struct {
	Workspace    string
	Since, Until time.Time // zero: unbounded
	Account      string    // id; "" for all
	// Run, of status and health steps, keeps those that this run noticed; 0 keeps all.
	Run int64
	// Used, of limits, keeps those whose counter moved in the period to this share
	// of the limit at least; 0 keeps all.
	Used float64
	// Moved, of usage, leaves out the movements before the period.
	Moved bool
}

// AssignmentQuery says which assignments to read.
type AssignmentQuery struct {
	Workspace string
	Squid     string // id; "" for all
	Account   string // id; "" for all
	// At, unless zero, keeps those that were seen to hold at the moment. That they ended
	// was received later, and is left out.
	At time.Time
	// Since and Until, unless zero, keep those that may have held in the period.
	Since, Until time.Time
	// Moved keeps those that are known to have begun, or to have ended, in the
	// period: not those that were there when their account was first seen.
	Moved bool
	// Open keeps those that hold now.
	Open bool
}

// Pair is one account at two moments.
type Pair struct {
	Account, Username string // the username as of the later moment
	// Steps are the changes noticed after the first and up to the second moment, in
	// order, those of each version together; at least one.
	Steps [][]AccountChange
	// Before and After are the healths at the two moments. Before is empty when the
	// account was not known then.
	Before, After Health
	// Old and New are what was known at each moment. They are read only where
	// NeedsStates says so.
	Old, New State
}

// NeedsStates reports whether the steps alone do not tell what differs between the two
// moments:
//   - The account was there at both moments and gone in between: what changed while it was
//     gone is no change of any version.
//   - The API confirmed a status that had been out of date: such a change has no old value.
//   - An endpoint sends a value of another type, and no other change says that the value of
//     the account is another: it may be, or the other endpoint said so before.
func (p Pair) NeedsStates() bool {
	if p.Before == "" || p.Before == Gone || p.After == Gone || len(p.Steps) < 2 {
		return false
	}
	return slices.ContainsFunc(p.Steps, func(step []AccountChange) bool {
		return slices.ContainsFunc(step, func(c AccountChange) bool {
			return c.Kind == WentGone || c.Kind == StatusChanged && c.Old == nil || c.Kind == SchemaChanged && c.Old != nil && c.New != nil && c.AloneIn(step)
		})
	})
}

// AloneIn reports whether no change of the step, changes of schema apart, is about the same
// value or a part of it.
func (c Change) AloneIn(step []AccountChange) bool {
	return !slices.ContainsFunc(step, func(other AccountChange) bool {
		return other.Kind != SchemaChanged && (other.Path == c.Path || strings.HasPrefix(other.Path, c.Path+"/"))
	})
}

// Platform is what the accounts of one type have in common.
type Platform struct {
	Type string
	// Document is that of an account of the type, as it is stored: volatile values
	// are null, the icon is a reference.
	Document json.RawMessage
	// Icon is the icon in it as the API sent it, which should be an image in
	// base64 and may be any text; "" for none.
	Icon string
}
