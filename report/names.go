package report

import (
	"slices"

	"github.com/lobstrail/lobstrail/store"
)

// Names tells things of the same name apart: accounts by their types or, where those
// are the same, by the beginning of their ids. The zero value changes no name.
type Names struct {
	owner  map[string]string            // id by name: the first of those who have it
	suffix map[string]map[string]string // by name and id, of those who share a name
}

// NewNames makes the names of all accounts, or of all squids. Kind tells the type of an
// id, and is asked for shared names only; nil for things without types.
func NewNames(all []store.Name, kind func(id string) string) Names {
	n := Names{owner: map[string]string{}, suffix: map[string]map[string]string{}}
	sharing := map[string][]string{}
	for _, named := range all {
		if owner, shared := n.owner[named.Name]; shared {
			if sharing[named.Name] == nil {
				sharing[named.Name] = []string{owner}
			}
			sharing[named.Name] = append(sharing[named.Name], named.ID)
			continue
		}
		n.owner[named.Name] = named.ID
	}
	for name, ids := range sharing {
		n.suffix[name] = suffixes(ids, kind)
	}
	return n
}

// suffixes are the types of the ids, or their beginnings where a type does not tell
// them apart.
func suffixes(ids []string, kind func(id string) string) map[string]string {
	byID, seen := map[string]string{}, []string{""}
	for _, id := range ids {
		if kind != nil {
			byID[id] = kind(id)
		}
		if slices.Contains(seen, byID[id]) {
			for _, id := range ids {
				byID[id] = ShortID(id)
			}
			return byID
		}
		seen = append(seen, byID[id])
	}
	return byID
}

// Of is the name of what has the id, with something that tells it apart where
// something else has the same name. A missing name stays missing.
func (n Names) Of(name, id string) string {
	owner, known := n.owner[name]
	if name == "" || !known || owner == id && n.suffix[name] == nil {
		return name
	}
	suffix := n.suffix[name][id]
	if suffix == "" { // it had the name once, and something else has it now
		suffix = ShortID(id)
	}
	return name + " (" + suffix + ")"
}

// ShortID is the beginning of an id, as people read it: a prefix names an account too.
func ShortID(id string) string { return id[:min(8, len(id))] }

// Distinguish returns the input with names that tell accounts and squids apart, for
// people. What it was called on stays as it is.
func (in Input) Distinguish(accounts, squids Names) Input {
	if accounts.owner == nil && squids.owner == nil { // no name changes: nothing is copied
		return in
	}
	in.Accounts = slices.Clone(in.Accounts)
	for i := range in.Accounts {
		a := &in.Accounts[i]
		a.Facts.Username = accounts.Of(a.Facts.Username, a.ID)
		a.Facts.Squids = slices.Clone(a.Facts.Squids)
		for k, squid := range a.Facts.Squids {
			a.Facts.Squids[k].Name = squids.Of(squid.Name, squid.ID)
		}
	}
	in.Steps = slices.Clone(in.Steps)
	for i, step := range in.Steps {
		in.Steps[i].Username = accounts.Of(step.Username, step.Account)
	}
	in.Assignments = slices.Clone(in.Assignments)
	for i, use := range in.Assignments {
		in.Assignments[i].Username = accounts.Of(use.Username, use.Account)
		in.Assignments[i].SquidName = squids.Of(use.SquidName, use.Squid)
	}
	in.Uses = slices.Clone(in.Uses)
	for i, use := range in.Uses {
		in.Uses[i].Username = accounts.Of(use.Username, use.Account)
	}
	in.Changes = slices.Clone(in.Changes)
	for i, change := range in.Changes {
		in.Changes[i].Username = accounts.Of(change.Username, change.Account)
	}
	return in
}
