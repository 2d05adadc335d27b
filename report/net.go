package report

import (
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

// Net compares an account at two moments: it is the net of the changes in between.
// What changed and changed back is no difference. The window of a difference begins
// with the first and ends with the last change of the same value between the moments:
// somewhere in it the value became what it is; its run is that of the last one. The
// healths are those of the two moments.
//
// Of an account that was gone in between and is back, what was known at the two
// moments is compared.
func Net(pair store.Pair) ([]store.AccountChange, error) {
	changes, err := difference(pair)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(pair.Steps...)
	net := make([]store.AccountChange, 0, len(changes))
	for _, c := range changes {
		if touchesHealth(c.Kind) {
			c.HealthBefore, c.HealthAfter = pair.Before, pair.After
		}
		change := store.AccountChange{Change: c, Account: pair.Account, Username: pair.Username}
		change.Window, change.Run = spanOf(all, func(of store.AccountChange) bool { return sameValue(of.Change, c) })
		if change.Run == 0 {
			change.Window, change.Run = spanOf(all, func(store.AccountChange) bool { return true })
		}
		net = append(net, change)
	}
	return net, nil
}

// difference is what differs between the two moments. Healths are still to be filled
// in.
func difference(pair store.Pair) ([]store.Change, error) {
	if len(pair.Steps) == 1 { // the net of one step is the step
		changes := make([]store.Change, len(pair.Steps[0]))
		for i, c := range pair.Steps[0] {
			changes[i] = c.Change
		}
		return changes, nil
	}
	was, is := pair.Before != "" && pair.Before != store.Gone, pair.After != store.Gone
	switch {
	case !is && pair.Before == store.Gone:
		return nil, nil
	case !is:
		return []store.Change{{Kind: store.WentGone}}, nil
	case pair.Before == "":
		return []store.Change{{Kind: store.Appeared}}, nil
	case !was:
		return []store.Change{{Kind: store.Returned}}, nil
	case !unseen(pair.New):
		return Diff(pair.Old, pair.New)
	}
	return compose(pair.Steps)
}

// sameValue reports whether two changes are about the same value, or one about a part
// of the other's.
func sameValue(a, b store.Change) bool {
	if (a.Kind == store.SchemaChanged) != (b.Kind == store.SchemaChanged) {
		return false
	}
	if a.Path == b.Path {
		return true
	}
	if a.Path == "" || b.Path == "" || isSquidKind(a.Kind) || isSquidKind(b.Kind) {
		return false
	}
	return strings.HasPrefix(a.Path, b.Path+"/") || strings.HasPrefix(b.Path, a.Path+"/")
}

func isSquidKind(k store.Kind) bool {
	return k == store.SquidAssigned || k == store.SquidUnassigned || k == store.SquidRenamed
}

// spanOf spans the windows of the changes that match; the run is 0 when none does.
func spanOf(changes []store.AccountChange, match func(store.AccountChange) bool) (span store.Window, run int64) {
	for _, c := range changes {
		if !match(c) {
			continue
		}
		if run == 0 || c.Window.After.Before(span.After) {
			span.After = c.Window.After
		}
		span.Before, run = c.Window.Before, c.Run
	}
	return span, run
}
