package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// Diff compares two states of one account, the older first, and answers what
// changed, sorted by kind in the order of [store.Kinds] and then by path; only
// `unlocked` comes before `locked`, for when both happened, the old lock ended
// first. No changes means that both states belong to one version.
//
// A zero old state is the first sight of an account: one `appeared`. Other
// values are compared as [Merge] sees them, so that a field that one endpoint
// has and the other lacks has not changed; `schema` compares what one endpoint
// sent with what the same endpoint sent before, and says nothing when it never
// spoke before.
//
// Diff fails when a state has a document that is no JSON object or has squids in an
// unknown shape, or when new has no document and is not gone.
func Diff(old, new store.State) ([]store.Change, error) {
	if unseen(old) && unseen(new) {
		return nil, nil
	}
	_, changes, err := Compare(old, new)
	return changes, err
}

// Compare is [Read] of the new state, and [Diff].
func Compare(old, new store.State) (store.Facts, []store.Change, error) {
	after, err := read(new)
	if err != nil || old.Gone && new.Gone {
		return after.facts, nil, err
	}
	var before reading
	if !unseen(old) {
		if before, err = read(old); err != nil {
			return store.Facts{}, nil, err
		}
	}
	if old.Gone || new.Gone || unseen(old) {
		return after.facts, []store.Change{presence(old, new, before.facts, after.facts)}, nil
	}
	d := differ{old: before.view, new: after.view}
	err = d.run(before.facts, after.facts)
	return after.facts, d.changes, err
}

// unseen reports whether the store knows nothing of the account.
func unseen(s store.State) bool { return !s.Gone && s.List == nil && s.Detail == nil }

// presence is the change between two states of which one has no documents to
// compare.
func presence(old, new store.State, before, after store.Facts) store.Change {
	c := store.Change{Kind: store.Appeared, HealthAfter: after.Health}
	if !unseen(old) {
		c.Kind, c.HealthBefore = store.Returned, before.Health
	}
	if new.Gone {
		c.Kind = store.WentGone
	}
	return c
}

// differ gathers the changes between two states with documents.
type differ struct {
	old, new *view
	changes  []store.Change
	schema   map[string]bool // paths of the schema changes
}

func (d *differ) run(before, after store.Facts) error {
	if err := d.diffSchemas(); err != nil {
		return err
	}
	if err := d.diffFields(); err != nil {
		return err
	}
	slices.SortStableFunc(d.changes, compareChanges)
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

// diffFields compares the values of all fields.
func (d *differ) diffFields() error {
	all := append(d.old.names(), d.new.names()...)
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		// A lock may end although its field stays the same.
		if store.IsVolatile(string(pointer(name))) || name != "lock_time" && d.unmoved(name) {
			continue
		}
		if err := d.diffField(name); err != nil {
			return err
		}
	}
	return nil
}

// unmoved reports whether a field is spelled alike in all documents that have
// it, and both states know it: the usual case, told without parsing.
func (d *differ) unmoved(name string) bool {
	a, b := d.old.spellings(name), d.new.spellings(name)
	return len(a) == 1 && len(b) == 1 && bytes.Equal(a[0], b[0])
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
	if !tellsHealth(name) && a != nil && b != nil && d.noLongerSent(name) {
		return nil // what the other endpoint said before that does not hold again
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
		// Newly known, or known no more: a change of what endpoints send.
		return nil
	}
	if d.newlySent(name) {
		// Members that the other endpoint never sent are no new members.
		a = mergeNodes(a, b)
	}
	d.diffKnown(name, a, b)
	return nil
}

// tellsHealth reports whether a field has a part in health, which never changes
// without a change that says so: not either when the other endpoint's word is all
// that is left.
func tellsHealth(name string) bool {
	switch name {
	case "status", "status_code_info", "status_code_description", "lock_time":
		return true
	}
	return false
}

// newlySent reports whether the endpoint that spoke last had not sent the field
// before.
func (d *differ) newlySent(name string) bool {
	own := d.old.list
	if d.new.state.Latest == store.Detail {
		own = d.old.detail
	}
	_, sent := own[name]
	return !sent
}

// noLongerSent reports whether the endpoint that spoke last had sent the field
// before, and now does not.
func (d *differ) noLongerSent(name string) bool {
	_, sends := d.new.list[name]
	if d.new.state.Latest == store.Detail {
		_, sends = d.new.detail[name]
	}
	return !sends && !d.newlySent(name)
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
