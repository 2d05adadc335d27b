package archive

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// place is where an answer belongs.
type place int

const (
	unplaced place = iota // its instant is not known yet
	next                  // behind the newest answer
	tied                  // at the instant of the newest answer
	onFile                // at an older instant, of which the store has an answer
	older                 // at an older instant, of which the store has nothing
	refused               // nowhere, whatever is in it
)

// order keeps the history in order. Evidence is only ever added at its end: what
// is older than the newest snapshot of the workspace is refused, unless the store
// has it already; so is what lies in the future, for the clock of the workspace
// would stand still until then.
type order struct {
	rec    Recorder
	now    time.Time
	newest time.Time // with what the import has stored
	end    tie       // at the newest instant
	past   tie       // at the older instant that was met last
	tie    *tie      // the one of the answer that is being read

	early, late, different, future refusals
}

// refusals are answers refused for one reason.
type refusals struct {
	n     int
	names []string
}

// maxNames is how many refused answers are named for each reason.
const maxNames = 20

func (r *refusals) count(name string, at time.Time) {
	if r.n++; r.n <= maxNames {
		r.names = append(r.names, fmt.Sprintf("%s of %s", name, at.UTC().Format(time.RFC3339)))
	}
}

// list names the answers.
func (r *refusals) list() string {
	text := strings.Join(r.names, ", ")
	if r.n > len(r.names) {
		text += fmt.Sprintf(" and %d more", r.n-len(r.names))
	}
	return text
}

// place finds where an answer of the instant belongs. What is refused whatever it
// shows is counted.
func (o *order) place(ctx context.Context, at time.Time, name string) (place, error) {
	switch {
	case at.After(o.now):
		o.future.count(name, at)
		return refused, nil
	case at.Before(time.Unix(0, 0)):
		o.early.count(name, at)
		return refused, nil
	}
	stored := at.Add(time.Millisecond - 1).Truncate(time.Millisecond)
	if o.tie = &o.end; stored.Before(o.newest) {
		o.tie = &o.past
	}
	if !stored.Equal(o.tie.at) {
		if err := o.tie.begin(ctx, o.rec, stored, !stored.After(o.newest)); err != nil {
			return unplaced, err
		}
	}
	switch {
	case stored.After(o.newest):
		return next, nil
	case stored.Equal(o.newest):
		return tied, nil
	case o.tie.moment != nil:
		return onFile, nil
	}
	return older, nil
}

// refuse counts an answer that shows accounts and has no place.
func (o *order) refuse(where place, name string, at time.Time) {
	if where == onFile {
		o.different.count(name, at)
	} else {
		o.late.count(name, at)
	}
}

const onlyAtEnd = "history is only ever added at its end; give the past a workspace or a store of its own"

// complaints say what was refused and why.
func (o *order) complaints() (texts []string) {
	if o.different.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, the store has another answer of the same instant, and later ones (%s): %s",
			o.different.n, o.different.list(), onlyAtEnd))
	}
	if o.late.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, older than the newest snapshot (the first: %s): %s",
			o.late.n, o.late.names[0], onlyAtEnd))
	}
	if o.early.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, before 1970 (the first: %s): is the time meant?", o.early.n, o.early.names[0]))
	}
	if o.future.n > 0 {
		texts = append(texts, fmt.Sprintf("%d refused, in the future (the first: %s): is the time meant, and the clock right?",
			o.future.n, o.future.names[0]))
	}
	return texts
}
