package lobstrtest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// squid is a scraping project, with the names it had.
type squid struct {
	id    string
	names []struct {
		at   time.Time
		name string
	}
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

// SquidAccountsAsObjects makes GET /squids show accounts as {"id","status"}
// rather than as ids.
func (w *World) SquidAccountsAsObjects() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects = true
}

// squid finds a squid by its id or first name, or makes one of that name.
func (w *World) squid(ref string) *squid {
	if s := w.bySquid[ref]; s != nil {
		return s
	}
	s := &squid{id: ID("squid/" + ref)}
	s.rename(time.Time{}, ref)
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

// squidPage renders a page of GET /squids.
func (w *World) squidPage(t time.Time, page, limit int) (total int, rows [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	users := w.usersOfSquids(t)
	from := min(len(w.squids), (page-1)*limit)
	for _, s := range w.squids[from:min(len(w.squids), from+limit)] {
		rows = append(rows, s.document(t, users[s.id]))
	}
	return len(w.squids), rows
}

// usersOfSquids maps squid ids to the accounts they use, as JSON.
func (w *World) usersOfSquids(t time.Time) map[string][]string {
	users := map[string][]string{}
	for _, h := range w.aliveAtTime(t) {
		fields := h.versions[h.at(t)].fields
		raw, _ := fields.get("squids")
		entries, _ := parseList(raw)
		for _, entry := range entries {
			id := squidID(entry)
			users[id] = append(users[id], w.user(h.id, fields))
		}
	}
	return users
}

func (w *World) user(account string, fields object) string {
	if !w.objects {
		return quote(account)
	}
	status, ok := fields.get("status")
	if !ok {
		status = "null"
	}
	return object{{"id", quote(account)}, {"status", status}}.String()
}

func (s *squid) document(t time.Time, users []string) []byte {
	next := t.UTC().Truncate(24 * time.Hour).Add(6 * time.Hour)
	if !next.After(t) {
		next = next.Add(24 * time.Hour)
	}
	return object{{"id", quote(s.id)}, {"object", `"squid"`}, {"name", quote(s.nameAt(t))}, {"is_active", "true"},
		{"schedule", `"0 6 * * *"`}, {"next_launch_at", instant(next)}, {"last_run_status", `"done"`},
		{"accounts", list(users)}}.append(nil)
}

// squidsOf reads the squids of an account; what is no list counts as empty.
func (v *version) squidsOf() []string {
	raw, _ := v.fields.get("squids")
	entries, _ := parseList(raw)
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
	for id := range squidNames(before) {
		delete(p.users[id], h)
	}
	for id := range squidNames(after) {
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
