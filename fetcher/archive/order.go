package archive

import (
	"context"
	"fmt"
	"time"
)

// place is where an answer belongs.
type place int

const (
	next    place = iota // at the end of the history
	already              // it is in the store
	refused              // it has no place
)

// order keeps the history in order. Evidence is only ever added at its end: what
// is older than the newest snapshot of the workspace is refused, unless it is
// there already; so is what lies in the future, for the clock of the workspace
// would stand still until then.
type order struct {
	rec    Recorder
	now    time.Time
	began  time.Time // the newest in the workspace when the import began
	newest time.Time // with what the import has taken
	early  refusals
	late   refusals
	future refusals
}

// refusals are answers refused for one reason.
type refusals struct {
	n     int
	first string
}

func (r *refusals) count(name string, at time.Time) {
	if r.n++; r.n == 1 {
		r.first = fmt.Sprintf("%s of %s", name, at.UTC().Format(time.RFC3339))
	}
}

func (o *order) place(ctx context.Context, at time.Time, name string) (place, error) {
	stored := at.Add(time.Millisecond - 1).Truncate(time.Millisecond)
	switch {
	case at.After(o.now):
		o.future.count(name, at)
		return refused, nil
	case at.Before(time.Unix(0, 0)):
		o.early.count(name, at)
		return refused, nil
	case stored.Before(o.newest):
		held, err := o.holds(ctx, stored)
		if held || err != nil {
			return already, err
		}
		o.late.count(name, at)
		return refused, nil
	}
	o.newest = stored
	return next, nil
}

// holds reports whether the store had the instant before this import. What the
// import itself brings tells nothing: it goes there while this is asked.
func (o *order) holds(ctx context.Context, at time.Time) (bool, error) {
	if at.After(o.began) {
		return false, nil
	}
	return o.rec.Holds(ctx, at)
}

// complaints say what was refused and why.
func (o *order) complaints() (texts []string) {
	if o.late.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, older than the newest snapshot (the first: %s): history is only ever added "+
			"at its end; give the past a workspace (--workspace) or a store (--db) of its own", o.late.n, o.late.first))
	}
	if o.early.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, before 1970 (the first: %s): is the time meant?", o.early.n, o.early.first))
	}
	if o.future.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, in the future (the first: %s): is the time meant, and the clock right?",
			o.future.n, o.future.first))
	}
	return texts
}
