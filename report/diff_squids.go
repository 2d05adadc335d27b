package report

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// squidEntry is an entry of the squids field, with the members that no other
// kind of change speaks of.
type squidEntry struct {
	store.Squid
	extras map[string]*node
}

// diffSquids compares the squids as sets. Squids that were not known before are no
// change, unless documents of this shape newly have the field.
func (d *differ) diffSquids(a, b *node) error {
	if b == nil || a == nil && !d.schema["/squids"] {
		return nil
	}
	old, err := squidEntries(a)
	if err != nil {
		return err
	}
	new, err := squidEntries(b)
	if err != nil {
		return err
	}
	for id, before := range old {
		after, still := new[id]
		if !still {
			d.add(store.SquidUnassigned, squidPath(id), squidName(before), nil)
		} else if before.Name != after.Name {
			d.add(store.SquidRenamed, squidPath(id), squidName(before), squidName(after))
		}
		d.diffExtras(squidPath(id), before, after)
	}
	for id, after := range new {
		if _, known := old[id]; !known {
			d.add(store.SquidAssigned, squidPath(id), nil, squidName(after))
			d.diffExtras(squidPath(id), squidEntry{}, after)
		}
	}
	return nil
}

// diffExtras compares what entries of one squid hold besides key and name.
func (d *differ) diffExtras(path jsontext.Pointer, old, new squidEntry) {
	all := append(sortedNames(old.extras), sortedNames(new.extras)...)
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		if a, b := old.extras[name], new.extras[name]; !equal(a, b) {
			d.add(store.FieldChanged, path.AppendToken(name), a.value(), b.value())
		}
	}
}

func squidPath(id string) jsontext.Pointer { return pointer("squids").AppendToken(id) }

// squidName is the name as JSON, null when the API gave none.
func squidName(s squidEntry) json.RawMessage {
	if s.Name == "" {
		return null
	}
	return quote(s.Name)
}

// squidEntries reads a squids field by squid id; of entries with the same id
// the last one counts.
func squidEntries(n *node) (map[string]squidEntry, error) {
	entries := map[string]squidEntry{}
	if n.isNull() {
		return entries, nil
	}
	for _, elem := range n.elems {
		one := slices.Concat([]byte{'['}, elem.raw, []byte{']'})
		squids, err := store.ParseSquids(one)
		if err != nil {
			return nil, err
		}
		entries[squids[0].ID] = squidEntry{squids[0], extras(elem, squids[0])}
	}
	return entries, nil
}

// extras are the members of an entry besides its key and name. A key under
// another of its names is the same key.
func extras(entry *node, squid store.Squid) map[string]*node {
	rest := map[string]*node{}
	for name, member := range entry.members {
		switch strings.ToLower(name) {
		case "name":
			continue
		case "hash_value", "id", "hash":
			if member.isNull() || member.text == squid.ID || member.text == "" {
				continue
			}
		}
		rest[name] = member
	}
	return rest
}
