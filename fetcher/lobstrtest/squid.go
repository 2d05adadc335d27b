package lobstrtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Squid says how a squid is set up; see [World.SetSquid]. The zero value is what
// squids are like that nobody has set up.
type Squid struct {
	// Type is the account type that its crawler needs; nil: that of the first
	// account that was added to the world with this squid, or none.
	Type *AccountType
	// Launch is when a run starts every day, such as "06:00", which is also the
	// default. Zone is the time zone of that; nil: UTC.
	Launch string
	Zone   *time.Location
	Manual bool   // it has no schedule
	Chain  string // the squid (id or first name) that starts when a run ends with DONE
}

// squid is a scraping project, with the names it had and the runs that ended.
type squid struct {
	Squid
	id    string
	names []struct {
		at   time.Time
		name string
	}
	runs []run
}

// SetSquid says how a squid is set up, for all times: set it before anyone asks.
// It makes the squid if there is none of that name, and returns its id. It panics
// if Launch is not a time of day.
func (w *World) SetSquid(name string, setup Squid) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.squid(name)
	setup.Type = cmp.Or(setup.Type, s.Type)
	s.Squid = setup
	s.launch() // panics if Launch makes no sense
	return s.id
}

func (s *squid) nameAt(t time.Time) string {
	name := s.names[0].name
	for _, n := range s.names[1:] {
		if !n.at.After(t) {
			name = n.name
		}
	}
	return name
}

func (s *squid) rename(at time.Time, name string) {
	s.names = append(s.names, struct {
		at   time.Time
		name string
	}{at, name})
}

// AddSquid makes a squid that no account need use, and returns its id, which is
// [ID] of "squid/" and the name. A squid of that name that is there already
// stays as it is.
func (w *World) AddSquid(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.squid(name).id
}

// squid finds a squid by its id or first name, or makes one of that name.
func (w *World) squid(ref string) *squid {
	if s := w.bySquid[ref]; s != nil {
		return s
	}
	s := &squid{id: ID("squid/" + ref)}
	s.rename(time.Time{}, ref)
	s.runs = []run{{squid: s, ended: w.began.Add(-18 * time.Hour), reason: "tasks_done"}}
	w.squids = append(w.squids, s)
	w.bySquid[s.id], w.bySquid[ref] = s, s
	return s
}

// entries are squids as an account names them.
func (w *World) entries(refs []string, at time.Time) []string {
	entries := make([]string, 0, len(refs))
	for _, ref := range refs {
		entries = append(entries, w.squid(ref).entry(at))
	}
	return entries
}

func (s *squid) entry(at time.Time) string {
	return object{{"name", quote(s.nameAt(at))}, {"hash_value", quote(s.id)}}.String()
}

// squidID is the key of an entry of an account's squids, "" in unknown shapes.
func squidID(entry string) string {
	o, _ := parseObject(entry)
	for _, key := range []string{"hash_value", "id", "hash"} {
		raw, _ := o.get(key)
		if id, _ := unquote(raw); id != "" {
			return id
		}
	}
	return ""
}

// squidsOf reads the squids of an account; what is no list counts as empty.
func (v *version) squidsOf() []string {
	raw, _ := v.fields.get("squids")
	entries, _ := parseList(raw)
	return entries
}

// squidIDs lists the keys in a list of squids.
func squidIDs(raw string) []string {
	entries, _ := parseList(raw)
	for i, entry := range entries {
		entries[i] = squidID(entry)
	}
	return entries
}

// mentions reports whether an account uses the squid.
func mentions(fields object, id string) bool {
	raw, ok := fields.get("squids")
	return ok && strings.Contains(raw, id)
}

// reassign keeps the index of the accounts that squids use.
func (p *play) reassign(h *history, old, new object) {
	before, _ := old.get("squids")
	after, _ := new.get("squids")
	if before == after {
		return
	}
	for _, id := range squidIDs(before) {
		delete(p.users[id], h)
	}
	for _, id := range squidIDs(after) {
		if p.users[id] == nil {
			p.users[id] = map[*history]bool{}
		}
		p.users[id][h] = true
	}
}

// usersOf lists the accounts that the squid uses now, in the order of the list.
func (p *play) usersOf(id string) []*history {
	return slices.SortedFunc(maps.Keys(p.users[id]), func(a, b *history) int { return a.place - b.place })
}
