package storetest

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// accountCount is how many accounts random histories are about.
const accountCount = 3

// model is a store held in plain memory: for each account a record for each
// response that was about it.
type model struct {
	times    []time.Time // of all responses, in order
	lastSent time.Time   // when the last of them was asked for
	accounts [accountCount][]record
	uses     []store.Assignment // names and health left out
	open     map[[2]string]int  // by squid and account: those of uses that last
	names    []named
	absences [accountCount][]store.Window // After: since, Before: until, zero while it lasts
}

// named is what an account calls a squid from an instant on.
type named struct {
	at      time.Time
	account int
	name    store.Name
}

// record is all that is known of an account after a response.
type record struct {
	state        store.AccountState
	shown        string // the object of this response; "" for 404
	list, detail string // the last ones since the account was there
	sent         time.Time
	lost         time.Time // when the last 404 was asked for
}

func newModel() *model { return &model{open: map[[2]string]int{}} }

func (m *model) respond(r store.Response, objects map[int]string, absent []int) (done store.Appended) {
	m.times, m.lastSent = append(m.times, r.Received), r.Sent
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		if m.show(n, r, objects[n]) {
			done.Changed++
		} else {
			done.Unchanged++
		}
	}
	for _, n := range absent {
		switch last := m.last(n); {
		case last == nil:
			done.Failed++
		case last.state.Facts.Health == store.Gone:
			done.StillGone++
			m.lose(n, r)
		default:
			done.Gone++
			m.lose(n, r)
		}
	}
	return done
}

func (m *model) last(n int) *record {
	if len(m.accounts[n]) == 0 {
		return nil
	}
	return &m.accounts[n][len(m.accounts[n])-1]
}

// show takes an account that a response shows. It reports whether it changed.
func (m *model) show(n int, r store.Response, object string) (changed bool) {
	next, last := record{state: store.AccountState{FirstSeen: r.Received}}, m.last(n)
	since := store.Window{Before: r.Received}
	changed = true
	if last != nil {
		next.state, next.lost = last.state, last.lost
		if since.After = last.lost; last.state.Facts.Health != store.Gone {
			next.list, next.detail = last.list, last.detail
			since.After = last.sent
			changed = differ(last, object, r.Source)
		}
	}
	if next.shown, next.sent = object, r.Sent; r.Source == store.Detail {
		next.detail = object
	} else {
		next.list = object
		m.relist(n, r.Received)
	}
	facts := factsOf(object)
	if last == nil || facts.Health != next.state.Facts.Health {
		next.state.HealthSince = since
	}
	if changed {
		next.state.Versions++
	}
	next.state.Facts, next.state.SeenAt = facts, r.Received
	m.assign(n, facts.Squids, since)
	m.accounts[n] = append(m.accounts[n], next)
	return changed
}

// lose takes a 404.
func (m *model) lose(n int, r store.Response) {
	next := *m.last(n)
	next.shown, next.list, next.detail = "", "", ""
	next.lost, next.state.SeenAt = r.Sent, r.Received
	if f := &next.state.Facts; f.Health != store.Gone {
		*f = store.Facts{Username: f.Username, Type: f.Type, Health: store.Gone}
		next.state.HealthSince = store.Window{After: next.sent, Before: r.Received}
		next.state.Versions++
		m.assign(n, nil, next.state.HealthSince)
	}
	next.sent = r.Sent
	m.accounts[n] = append(m.accounts[n], next)
}

// differ reports whether the object says something else than is known.
func differ(last *record, object string, source store.Source) bool {
	before, after := stable(last.shown), stable(object)
	known := stable(cmp.Or(last.list, "{}"))["primary_color"]
	if color := after["primary_color"]; color == nil || known == nil {
		after["primary_color"] = known // the list alone tells of it
	}
	before["primary_color"] = known
	return !reflect.DeepEqual(before, after)
}

// stable is the object without its volatile values and with squids as a set.
func stable(object string) map[string]any {
	value, err := decode(object)
	if err != nil {
		panic(err)
	}
	fields := value.(map[string]any)
	if params, ok := fields["params"].(map[string]any); ok {
		params["user"].(map[string]any)["p"].(map[string]any)["value"] = nil
	}
	return fields
}

func factsOf(object string) store.Facts {
	var a struct {
		Username, Type, Status string
		Info                   string `json:"status_code_info"`
		Squids                 []struct {
			ID   string `json:"hash_value"`
			Name string
		}
	}
	if err := json.Unmarshal([]byte(object), &a); err != nil {
		panic(err)
	}
	f := store.Facts{Username: a.Username, Type: a.Type, Status: a.Status, Info: a.Info}
	f.Health = map[string]store.Health{"200": store.Healthy, "401": store.Expired, "500": store.Failing}[a.Status]
	for _, s := range a.Squids {
		f.Squids = append(f.Squids, store.Squid(s))
	}
	return f
}

// assign opens and ends assignments so that the open ones are those shown.
func (m *model) assign(n int, squids []store.Squid, when store.Window) {
	shown := map[string]bool{}
	for _, s := range squids {
		shown[s.ID] = true
		key := [2]string{s.ID, id(n)}
		if _, already := m.open[key]; !already || m.calls(n, s.ID, when.Before) != (store.Name(s)) {
			m.names = append(m.names, named{when.Before, n, store.Name(s)})
		}
		if _, already := m.open[key]; !already {
			m.open[key] = len(m.uses)
			m.uses = append(m.uses, store.Assignment{Squid: s.ID, Account: id(n), From: when})
		}
	}
	for key, i := range m.open {
		if key[1] == id(n) && !shown[key[0]] {
			m.uses[i].To = &when
			delete(m.open, key)
		}
	}
}

// calls is the squid as an account called it at a moment; zero when it did not.
func (m *model) calls(account int, squid string, at time.Time) (name store.Name) {
	for _, n := range m.names {
		if n.account == account && n.name.ID == squid && !n.at.After(at) {
			name = n.name
		}
	}
	return name
}

// nameAt is the squid as it was called last, by any account; zero when not known then.
func (m *model) nameAt(squid string, at time.Time) (name store.Name) {
	for _, n := range m.names {
		if n.name.ID == squid && !n.at.After(at) {
			name = n.name
		}
	}
	return name
}

// unlist notes that a complete list showed these accounts only.
func (m *model) unlist(shown map[int]bool) {
	for n := range accountCount {
		last := m.last(n)
		if last == nil || shown[n] || last.state.Facts.Health == store.Gone {
			continue
		}
		if all := m.absences[n]; len(all) == 0 || !all[len(all)-1].Before.IsZero() {
			m.absences[n] = append(all, store.Window{After: m.times[len(m.times)-1]})
		}
	}
}

func (m *model) relist(n int, at time.Time) {
	if all := m.absences[n]; len(all) > 0 && all[len(all)-1].Before.IsZero() {
		all[len(all)-1].Before = at
	}
}
