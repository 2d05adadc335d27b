package report

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lobstrail/lobstrail/store"
)

// compose makes one list of changes of those of several steps, none of which is the
// first sight, a loss or a return of the account. It needs the changes alone: it
// writes down, in two objects, the values that they name as they are after the last
// step and as they were before the first one, and compares these.
func compose(steps [][]store.AccountChange) ([]store.Change, error) {
	values, schemas := sketch{}, sketch{}
	var locks lockTrack
	for _, step := range steps {
		for _, c := range step {
			if err := locks.take(c); err != nil {
				return nil, err
			}
		}
	}
	if err := values.draw(steps, isValue); err != nil {
		return nil, err
	}
	if err := schemas.draw(steps, isSchema); err != nil {
		return nil, err
	}
	schemas.old.settle(values.old)
	schemas.new.settle(values.new)
	if err := schemas.parse(); err != nil { // again: values are told as they are spelled
		return nil, err
	}
	d, err := values.differ()
	if err != nil {
		return nil, err
	}
	d.schema = map[string]bool{}
	d.diffMembers("", schemas.old, schemas.new)
	if err := d.diffFields(); err != nil {
		return nil, err
	}
	d.changes = append(d.changes, d.statuses...)
	locks.diff(d)
	slices.SortStableFunc(d.changes, compareChanges)
	return d.changes, nil
}

// pick reports whether a change of a step is to be written down.
type pick func(step []store.AccountChange, c store.Change) bool

func isSchema(_ []store.AccountChange, c store.Change) bool { return c.Kind == store.SchemaChanged }

func isLock(c store.Change) bool { return c.Path == "/lock_time" && c.Kind != store.SchemaChanged }

// isValue reports whether a change says that a value is another. A change of schema
// does, of a part of a field or of another type, where no other change tells of that.
// What became of a whole field that is sent newly or no longer it does not say.
func isValue(step []store.AccountChange, c store.Change) bool {
	if c.Kind != store.SchemaChanged {
		return !isLock(c)
	}
	top := strings.Count(c.Path, "/") == 1
	if top && (c.Old == nil || c.New == nil) || c.Path == "/params" || strings.HasPrefix(c.Path, "/params/") || isLock(store.Change{Path: c.Path}) {
		return false
	}
	return c.AloneIn(step)
}

// sketch is two objects that hold the values that changes name. The squids in them are
// members by id, each with its name and what else its entry had.
type sketch struct{ old, new *node }

// draw writes down the changes that are wanted. Within a step, what is put in or taken
// out comes before its parts in both directions: the order of the changes is that of
// their paths.
func (s *sketch) draw(steps [][]store.AccountChange, wanted pick) error {
	s.new = newObject()
	moved := movedSquids(steps)
	for _, step := range steps {
		if err := s.new.takeStep(step, wanted, moved, false); err != nil {
			return err
		}
	}
	s.old = s.new.clone()
	for _, step := range slices.Backward(steps) {
		if err := s.old.takeStep(step, wanted, moved, true); err != nil {
			return err
		}
	}
	return nil
}

// movedSquids are the paths of the squids that were assigned or unassigned. The others that
// changes name were there all the time.
func movedSquids(steps [][]store.AccountChange) map[string]bool {
	moved := map[string]bool{}
	for _, step := range steps {
		for _, c := range step {
			if c.Kind == store.SquidAssigned || c.Kind == store.SquidUnassigned {
				moved[c.Path] = true
			}
		}
	}
	return moved
}

// takeStep makes the changes of a step to the object, or takes them back.
func (n *node) takeStep(step []store.AccountChange, wanted pick, moved map[string]bool, back bool) error {
	for _, c := range step {
		if c.Path == "" || !wanted(step, c.Change) { // what was erased has no path
			continue
		}
		raw, there := c.New, c.Kind != store.SquidUnassigned
		if back {
			raw, there = c.Old, c.Kind != store.SquidAssigned
		}
		value, err := parseValue(raw)
		if err != nil {
			return located(c.Path, err)
		}
		tokens := slices.Collect(jsontext.Pointer(c.Path).Tokens())
		switch {
		case isSquidKind(c.Kind) && !there:
			n.place(tokens, nil)
		case isSquidKind(c.Kind):
			n.place(append(tokens, "name"), orNullNode(value))
		case tokens[0] == "squids" && len(tokens) > 2 && value == nil && n.member(tokens[0]).member(tokens[1]) == nil:
			// There is nothing to take away. But a squid that was there is there.
			if squid := pointer(tokens[0]).AppendToken(tokens[1]); !moved[string(squid)] {
				n.place(tokens[:2], newObject())
			}
		case c.Kind == store.SchemaChanged && tokens[0] == "params" && value.isNull():
			n.place(tokens, nil) // a setting of null is none
		default:
			n.place(tokens, value)
		}
	}
	return nil
}

func orNullNode(value *node) *node {
	if value == nil {
		return &node{kind: kindNull, raw: null, text: "null"}
	}
	return value
}

// settle gives each member of n the value that values has for it. n holds only what changes
// of the schema told, and after a null such a change cannot tell the type: the value may be
// of any type.
func (n *node) settle(values *node) {
	for name, member := range n.members {
		switch value := values.member(name); {
		case value.isNull() || member == nil:
		case isObject(member) && isObject(value):
			member.settle(value)
		default:
			n.members[name] = value.clone()
		}
	}
}

// parse reads both objects as they would be sent.
func (s *sketch) parse() (err error) {
	if s.old, err = parseNode(s.old.encode()); err == nil {
		s.new, err = parseNode(s.new.encode())
	}
	return err
}

// differ compares the two objects.
func (s *sketch) differ() (*differ, error) {
	old, err := readState(store.State{List: s.old.account(), Latest: store.List})
	if err != nil {
		return nil, err
	}
	new, err := readState(store.State{List: s.new.account(), Latest: store.List})
	return &differ{old: old, new: new, composed: true}, err
}

// account is the object with its squids as a list of entries.
func (n *node) account() []byte {
	squids := n.member("squids")
	if squids == nil {
		return n.encode()
	}
	list := &node{kind: kindArray}
	for _, id := range sortedNames(squids.members) {
		entry := squids.members[id].clone()
		entry.members["hash_value"] = textNode(id)
		list.elems = append(list.elems, entry)
	}
	whole := n.clone()
	whole.members["squids"] = list
	return whole.encode()
}

// lockTrack follows lock_time through changes. Whether a lock is live was judged when
// the changes were noticed; it is not judged again.
type lockTrack struct {
	last       store.AccountChange
	live, junk *track
}

// track is a value before the first and after the last change of it; nil for none.
type track struct{ old, new *node }

func (t *track) take(old, new *node) *track {
	if t == nil {
		return &track{old, new}
	}
	t.new = new
	return t
}

func (l *lockTrack) take(c store.AccountChange) error {
	if !isLock(c.Change) {
		return nil
	}
	old, err := parseValue(c.Old)
	if err != nil {
		return located(c.Path, err)
	}
	new, err := parseValue(c.New)
	if err != nil {
		return located(c.Path, err)
	}
	oldTime, oldJunk := lockOrJunk(old)
	newTime, newJunk := lockOrJunk(new)
	if l.last = c; c.Kind != store.FieldChanged || oldTime != nil && newTime != nil {
		l.live = l.live.take(oldTime, newTime)
	} else {
		l.junk = l.junk.take(oldJunk, newJunk)
	}
	return nil
}

// lockOrJunk is the value as a time, or as something that is none; null is neither.
func lockOrJunk(n *node) (time, junk *node) {
	if n.isNull() {
		return nil, nil
	}
	if _, ok := parseInstant(n); ok {
		return n, nil
	}
	return nil, n
}

// diff adds what became of the lock. One that had to be over by the time of the last
// change was not moved: another one began.
func (l *lockTrack) diff(d *differ) {
	d.new.state.At = l.last.Window.Before
	old, new := lockReading{}, lockReading{}
	if l.live != nil {
		old, new = liveLock(l.live.old), liveLock(l.live.new)
	}
	if l.junk != nil {
		if old.garbage = l.junk.old; !old.live {
			old.raw = l.junk.old
		}
		if new.garbage = l.junk.new; !new.live {
			new.raw = l.junk.new
		}
	}
	d.diffLocks(old, new)
}

func liveLock(n *node) lockReading {
	until, live := parseInstant(n)
	return lockReading{live: live, until: until, raw: n}
}
