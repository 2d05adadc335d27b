package lobstrtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// World is one workspace of the fake service: its accounts and squids, and the script
// of what happens to them. The state at an instant depends on the script alone, not on
// when somebody asks. All methods are safe for concurrent use.
//
// An event takes effect exactly at its instant. Events at one instant take effect in
// the order of the script, after a lock that ends then. An event about an account that
// does not exist at that time has no effect.
type World struct {
	clock *Clock

	mu       sync.Mutex
	known    map[string]bool // accounts that exist in the script at some time
	script   []scheduled
	initial  []*history
	squids   []*squid
	bySquid  map[string]*squid // by id and by first name
	types    []*AccountType
	began    time.Time // what the clock showed when the world was made
	syncs    map[string]*syncTask
	hidden   [2]map[string]bool // by View
	served   time.Time          // the latest instant that anyone was answered
	isServed bool
	play
}

// play is what came of the script so far.
type play struct {
	frontier time.Time // everything up to here has been played
	stale    bool      // the script was changed before the frontier
	pending  agenda
	accounts map[string]*history
	order    []*history
	users    map[string]map[*history]bool // the accounts of a squid, by its id
	alive    []*history                   // those that exist since aliveAt; nil: not worked out
	aliveAt  time.Time
}

// View is one of the two calls that show an account.
type View int

// The views of an account.
const (
	ListView   View = iota // GET /accounts
	DetailView             // GET /accounts/{hash}
	CLIView                // lobstr --json accounts ls, see [World.StateAt]
)

// cliFields are the fields that the vendor's command line tool shows, with what it
// shows for a field that the account does not have.
var cliFields = object{
	{"id", `""`}, {"username", `""`}, {"type", `""`}, {"status_code_info", "null"}, {"status_code_description", "null"},
	{"baseurl", "null"}, {"created_at", "null"}, {"updated_at", "null"}, {"last_synchronization_time", "null"},
	{"squids", "[]"}, {"params", "{}"},
}

// NewWorld returns an empty workspace whose time is clock. The detail view
// hides primary_color, lock_time and resets_in; see [World.Hide].
func NewWorld(clock *Clock) *World {
	w := &World{
		clock: clock, began: clock.Now(), known: map[string]bool{}, bySquid: map[string]*squid{},
		syncs: map[string]*syncTask{}, types: AccountTypes(),
	}
	w.Hide(ListView)
	w.Hide(DetailView, "primary_color", "lock_time", "resets_in")
	w.rewind()
	return w
}

// Clock returns the clock of the world.
func (w *World) Clock() *Clock { return w.clock }

// Hide sets which fields the list or the detail view leaves out; none shows all.
// It holds for all times: set it before anyone asks.
func (w *World) Hide(view View, names ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hidden[view] = map[string]bool{}
	for _, name := range names {
		w.hidden[view][name] = true
	}
}

// Add puts an account into the world that existed before the world began. It returns
// the account's id. It panics if the id is taken, or if the world has been served (then
// use [Create]).
func (w *World) Add(a Account) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	a = a.filled(now.AddDate(0, 0, -90), now.AddDate(0, 0, -1))
	if w.isServed || w.known[a.ID] {
		panic("lobstrtest: Add of " + a.ID + ": the id is taken, or the world has been served")
	}
	w.known[a.ID] = true
	squids := list(w.entries(a.Squids, time.Time{}))
	for _, ref := range a.Squids {
		if s := w.squid(ref); s.Type == nil {
			s.Type = a.Type
		}
	}
	h := &history{id: a.ID, born: true}
	today := now.Truncate(24 * time.Hour) // as if it had worked since midnight
	h.versions = []version{{counted: today, fields: a.fields(squids, now), load: a.Load}}
	w.initial = append(w.initial, h)
	w.play.add(h)
	w.stale = w.stale || !w.frontier.IsZero()
	return a.ID
}

// At adds events to the script, at t. It returns the world, so that calls can be
// chained. It panics if an answer has shown the world at t or later, and if an event is
// about an account that is neither added nor created by the script.
func (w *World) At(t time.Time, events ...Event) *World {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.schedule(t.UTC(), events)
	return w
}

// Apply lets events happen now. It moves the clock on by a millisecond, so that the
// events are later than all answers so far and earlier than all answers to come, and
// returns their instant.
func (w *World) Apply(events ...Event) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Advance(time.Millisecond)
	w.schedule(now, events)
	return now
}

func (w *World) schedule(t time.Time, events []Event) {
	if w.isServed && !t.After(w.served) {
		panic(fmt.Sprintf("lobstrtest: event at %s, but the world was served as of %s", t, w.served))
	}
	for _, e := range events {
		if e.creates {
			w.known[e.account] = true
		}
		for _, id := range append([]string{e.account}, e.others...) {
			if id != "" && !w.known[id] {
				panic("lobstrtest: " + e.String() + ": no such account: " + id)
			}
		}
		s := scheduled{at: t, event: e, seq: len(w.script)}
		w.script = append(w.script, s)
		w.stale = w.stale || !t.After(w.frontier)
		w.pending.add(s)
	}
}

// Script describes the events of the script in the order in which they take
// effect, one line each: for people.
func (w *World) Script() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	script := slices.Clone(w.script)
	slices.SortStableFunc(script, func(a, b scheduled) int { return a.at.Compare(b.at) })
	lines := make([]string, 0, len(script))
	for _, s := range script {
		lines = append(lines, s.at.Format(time.RFC3339Nano)+" "+s.event.String())
	}
	return lines
}

// Accounts returns the ids of all accounts that exist at t, in the order of the
// list.
func (w *World) Accounts(t time.Time) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	alive := w.aliveAtTime(t)
	ids := make([]string, 0, len(alive))
	for _, h := range alive {
		ids = append(ids, h.id)
	}
	return ids
}

// StateAt returns the account object as the view serves it at t; ok is false
// when the account does not exist then (the detail call answers 404). The bytes
// are those that the server sends.
//
// [CLIView] is an account as the vendor's command line tool prints it: 11 fields,
// no status. An array of these is what the tool calls a list of accounts.
func (w *World) StateAt(account string, view View, t time.Time) (object json.RawMessage, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.playUntil(t)
	h := w.accounts[account]
	if h == nil || !h.exists(t) {
		return nil, false
	}
	if view == CLIView {
		return reduced(w.fieldsAt(account, t)), true
	}
	return w.render(nil, h, view, t), true
}

func reduced(fields object) []byte {
	o := cliFields.clone()
	for i, f := range o {
		if raw, ok := fields.get(f.name); ok {
			o[i].raw = raw
		}
	}
	return o.append(nil)
}

// HealthAt returns the health of the account at t: "gone", "expired", "unknown",
// "failing", "locked" or "healthy". It is that of the complete object, whatever is
// hidden.
func (w *World) HealthAt(account string, t time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return health(w.fieldsAt(account, t), t)
}

// fieldsAt is the complete object, nil when the account does not exist.
func (w *World) fieldsAt(account string, t time.Time) object {
	w.playUntil(t)
	h := w.accounts[account]
	if h == nil || !h.exists(t) {
		return nil
	}
	i := h.at(t)
	fields := h.versions[i].fields.clone()
	if _, ok := fields.get("params"); ok {
		fields.set("params", h.paramsAt(i, t))
	}
	return fields
}

// render appends the bytes of an existing account.
func (w *World) render(dst []byte, h *history, view View, t time.Time) []byte {
	i := h.at(t)
	dst = append(dst, '{')
	first := true
	for _, f := range h.versions[i].fields {
		if w.hidden[view][f.name] {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendName(dst, f.name)
		switch {
		case f.name == "params":
			dst = append(dst, h.paramsAt(i, t)...)
		case f.raw == computed:
			dst = append(dst, resetsIn(h.versions[i].fields, t)...)
		default:
			dst = append(dst, f.raw...)
		}
	}
	return append(dst, '}')
}

// page renders a page of the list of accounts at t, and counts those on the list.
func (w *World) page(t time.Time, page, limit int, only accountFilter) (total int, rows [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve(t)
	alive := w.aliveAtTime(t)
	if only != (accountFilter{}) {
		hidden := func(h *history) bool { return !only.shows(h.versions[h.at(t)].fields) }
		alive = slices.DeleteFunc(slices.Clone(alive), hidden)
	}
	from := min(len(alive), (page-1)*limit)
	shown := alive[from:min(len(alive), from+limit)]
	buf := make([]byte, 0, len(shown)*8<<10)
	for _, h := range shown {
		start := len(buf)
		buf = w.render(buf, h, ListView, t)
		rows = append(rows, buf[start:len(buf):len(buf)])
	}
	return len(alive), rows
}

// detail renders one account at t; ok is false when it does not exist.
func (w *World) detail(t time.Time, account string) (row []byte, ok bool) {
	w.mu.Lock()
	w.serve(t)
	w.mu.Unlock()
	return w.StateAt(account, DetailView, t)
}

func (w *World) serve(t time.Time) {
	w.isServed = true
	if t.After(w.served) {
		w.served = t
	}
}
