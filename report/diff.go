package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// Diff compares two states of one account, the older first, and returns what changed,
// sorted by kind in the order of [store.Kinds] and then by path. Only `unlocked` comes
// before `locked`: when both happened, the old lock ended first. If there is no change,
// both states belong to one version.
//
// A zero old state is the first sight of an account: one `appeared`. Other values are
// compared by the latest word on each field, so a field that a document lacks has not
// changed. `schema` compares a document with the one of the same shape before, and says
// nothing if there was none.
//
// Diff returns an error if a state has a document that is not a JSON object or has squids
// in an unknown shape, or if new has no document and is not gone. A fault in a part of the
// older document that it need not read is not found.
func Diff(old, new store.State) ([]store.Change, error) {
	if unseen(old) && unseen(new) {
		return nil, nil
	}
	_, changes, err := Compare(old, new)
	return changes, err
}

// Compare is [FactsOf] of the new state, and [Diff]. Most of the old state is spelled as
// in the new one: of the rest no more is read than the changes need.
func Compare(old, new store.State) (store.Facts, []store.Change, error) {
	after, err := read(new)
	switch {
	case err != nil || old.Gone && new.Gone:
		return after.facts, nil, err
	case old.Gone || new.Gone || unseen(old):
		c, err := presence(old, new, after.facts)
		return after.facts, []store.Change{c}, err
	}
	before, err := readState(old)
	if err != nil {
		return store.Facts{}, nil, err
	}
	d := differ{old: before, new: after.view}
	err = d.run(after.facts)
	return after.facts, d.changes, err
}

// unseen reports whether the store knows nothing of the account.
func unseen(s store.State) bool {
	return !s.Gone && s.List == nil && s.Detail == nil && s.Reduced == nil
}

// presence is the change between two states of which one has no documents to
// compare.
func presence(old, new store.State, after store.Facts) (c store.Change, err error) {
	c = store.Change{Kind: store.Appeared, HealthAfter: after.Health}
	if !unseen(old) {
		var before store.Facts
		before, err = FactsOf(old)
		c.Kind, c.HealthBefore = store.Returned, before.Health
	}
	if new.Gone {
		c.Kind = store.WentGone
	}
	return c, err
}

// differ gathers the changes between two states with documents.
type differ struct {
	old, new *view
	changes  []store.Change
	schema   map[string]bool // paths of the schema changes
	// statuses are changes of status fields that were not known before, or were out of
	// date. They count only where nothing else tells why the health is another.
	statuses []store.Change
	// composed says that the objects hold no more than what changes named. A member that
	// only one of them has was not known before, or is a matter of schema.
	composed bool
}

func (d *differ) run(after store.Facts) error {
	if err := d.diffSchemas(); err != nil {
		return err
	}
	if err := d.diffFields(); err != nil {
		return err
	}
	if err := d.addHealths(after); err != nil {
		return err
	}
	slices.SortStableFunc(d.changes, compareChanges)
	return nil
}

// addHealths puts the healths into the changes that speak of them.
func (d *differ) addHealths(after store.Facts) error {
	carried := slices.ContainsFunc(d.changes, func(c store.Change) bool { return touchesHealth(c.Kind) })
	if !carried && len(d.statuses) == 0 {
		return nil
	}
	before, err := d.old.readFacts()
	if err != nil {
		return err
	}
	if before.Health != after.Health && !carried {
		d.changes = append(d.changes, d.statuses...)
	}
	for i, c := range d.changes {
		if touchesHealth(c.Kind) {
			d.changes[i].HealthBefore, d.changes[i].HealthAfter = before.Health, after.Health
		}
	}
	return nil
}

// touchesHealth reports whether changes of the kind say the health before and
// after.
func touchesHealth(k store.Kind) bool {
	switch k {
	case store.Appeared, store.WentGone, store.Returned, store.StatusChanged, store.LockBegan, store.LockEnded:
		return true
	}
	return false
}

var kindRank = rankKinds()

func rankKinds() map[store.Kind]int {
	rank := make(map[store.Kind]int, len(store.Kinds))
	for i, k := range store.Kinds {
		rank[k] = i
	}
	rank[store.LockEnded], rank[store.LockBegan] = rank[store.LockBegan], rank[store.LockEnded]
	return rank
}

func compareChanges(a, b store.Change) int {
	return cmp.Or(cmp.Compare(kindRank[a.Kind], kindRank[b.Kind]), cmp.Compare(a.Path, b.Path))
}

// diffFields compares the values of all fields. Most are spelled alike in both states,
// and then not parsed.
func (d *differ) diffFields() error {
	return eachField(d.old.known, d.new.known, func(name string, x, y []byte) error {
		// A lock may end although its field stays the same.
		again := name == "lock_time" || name == "status" && d.old.state.Outdated
		if bytes.Equal(x, y) && !again || store.IsVolatile(string(pointer(name))) {
			return nil
		}
		return d.diffField(name)
	})
}

func (d *differ) diffField(name string) error {
	a, err := d.old.field(name)
	if err != nil {
		return err
	}
	b, err := d.new.field(name)
	if err != nil {
		return err
	}
	switch name {
	case "status", "status_code_info", "status_code_description":
		d.diffStatus(name, a, b)
		return nil
	case "lock_time":
		d.diffLock(a, b)
		return nil
	case "squids":
		return d.diffSquids(a, b)
	}
	if a == nil || b == nil {
		return nil // newly known
	}
	if d.newlySent(name) {
		// Members that no other source sent are no new members.
		a = mergeNodes(a, b)
	}
	d.diffKnown(name, a, b)
	return nil
}

// newlySent reports whether the last document of the shape that was received last had
// not the field.
func (d *differ) newlySent(name string) bool {
	return d.old.own(d.new.state.Latest).get(name) == nil
}

// diffKnown compares two values of a field that both states have.
func (d *differ) diffKnown(name string, a, b *node) {
	path := pointer(name)
	switch name {
	case "params":
		d.diffLimits(path, a, b)
	case "username":
		d.diffWhole(store.Renamed, path, a, b)
	case "icon":
		d.diffWhole(store.IconChanged, path, a, b)
	case "cookies":
		if !equalCookies(a, b) {
			d.add(store.CookiesChanged, path, a.value(), b.value())
		}
	case "last_synchronization_time":
		d.diffSync(path, a, b)
	default:
		d.diffValue(path, a, b)
	}
}

func (d *differ) add(kind store.Kind, path jsontext.Pointer, old, new json.RawMessage) {
	d.changes = append(d.changes, store.Change{Kind: kind, Path: string(path), Old: old, New: new})
}

// diffWhole compares two values that are not looked into, text as mere text.
func (d *differ) diffWhole(kind store.Kind, path jsontext.Pointer, a, b *node) {
	if !equalWhole(a, b) {
		d.add(kind, path, a.value(), b.value())
	}
}

func equalWhole(a, b *node) bool {
	if a.isContainer() || b.isContainer() {
		return equal(a, b)
	}
	return literalEqual(a, b)
}

// pointer is the JSON pointer of a field.
func pointer(name string) jsontext.Pointer { return jsontext.Pointer("").AppendToken(name) }
