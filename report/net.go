package report

import "github.com/lobstrail/lobstrail/store"

// Net compares an account at two moments. What changed and changed back in
// between is no difference. The window of a difference begins with the first and
// ends with the last change of the same path between the moments: somewhere in
// it the value became what it is; its run is that of the last one.
func Net(pair store.Pair) ([]store.AccountChange, error) {
	changes, err := difference(pair)
	if err != nil {
		return nil, err
	}
	net := make([]store.AccountChange, 0, len(changes))
	for _, c := range changes {
		change := store.AccountChange{Change: c, Account: pair.Account, Username: pair.Username}
		change.Window, change.Run = spanOf(pair.Changes, func(of store.AccountChange) bool { return of.Path == c.Path })
		if change.Run == 0 {
			change.Window, change.Run = spanOf(pair.Changes, func(store.AccountChange) bool { return true })
		}
		net = append(net, change)
	}
	return net, nil
}

// difference is what the states differ in. Of one step the history has it already.
func difference(pair store.Pair) ([]store.Change, error) {
	if !pair.OneStep {
		return Diff(pair.Old, pair.New)
	}
	changes := make([]store.Change, len(pair.Changes))
	for i, c := range pair.Changes {
		changes[i] = c.Change
	}
	return changes, nil
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
