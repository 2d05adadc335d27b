package store_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// never is the beginning of a window that has none.
const never = -1

// change is a change as the law expects it, or as the store told it.
type change struct {
	account, kind, path  string
	old, new             string // "" for no value
	after, before        int64
	healthWas, healthNow string
	at                   time.Time // when it truly happened; zero where the law knows a window only
}

type step struct {
	account                          string
	statusWas, status, infoWas, info string
	healthWas, health                string
	after, before                    int64
}

// use is a squid using an account. to is zero while it lasts.
type use struct {
	account, squid                           string
	fromAfter, fromBefore, toAfter, toBefore int64
}

// tale is what a store says, or should say, of all accounts.
type tale struct {
	changes  []change
	steps    []step
	uses     []use
	versions []version
}

type version struct {
	account  string
	number   int
	from, to int64 // to is zero for the current one
	health   string
}

// life is what the looks so far told of one account. It is written against the
// words of design.md and knows nothing of the code it judges.
type life struct {
	play     *play
	tale     *tale
	id       string
	seen     bool
	gone     bool
	sent     [2]int64         // by view: of the last request, 404s too
	last     [2]*look         // by view: the last that showed the account since it (re)appeared
	any      *look            // the last of both
	told     map[string]*look // by field: the last look that showed it
	state    step             // the status fields and health that stand
	squids   map[string]int   // those that use the account: index into tale.uses
	versions int
}

// expected derives from the looks, and from what truly happened between them,
// all that the store must say.
func (p *play) expected() *tale {
	all, lives := &tale{}, map[string]*life{}
	for i := range p.looks {
		l := &p.looks[i]
		if lives[l.account] == nil {
			lives[l.account] = &life{play: p, tale: all, id: l.account, sent: [2]int64{never, never}}
		}
		lives[l.account].take(l)
	}
	return all
}

func (a *life) take(l *look) {
	first := len(a.tale.changes)
	switch {
	case l.doc == nil && !a.gone:
		a.add(l, change{kind: "gone", after: max(a.sent[0], a.sent[1])})
		a.gone = true
	case l.doc == nil:
	case !a.seen:
		a.add(l, change{kind: "appeared", after: never})
		a.forget()
	case a.gone:
		a.add(l, change{kind: "returned", after: a.sent[lobstrtest.DetailView]})
		a.forget()
	default:
		a.compare(l)
	}
	news := a.tale.changes[first:]
	a.step(l, news)
	if l.doc == nil || l.doc["squids"] != nil {
		a.assign(l, news)
	}
	if len(news) > 0 {
		a.version(l)
	}
	a.sent[l.view], a.seen = l.sent, true
	if a.any = l; l.doc != nil {
		a.last[l.view] = l
		for field := range l.doc {
			a.told[field] = l
		}
	}
}

// forget begins anew: what was told before an account was gone says nothing of
// it since.
func (a *life) forget() {
	a.gone, a.last, a.told, a.any = false, [2]*look{}, map[string]*look{}, nil
}

func (a *life) add(l *look, c change) {
	c.account, c.before = a.id, l.received
	a.tale.changes = append(a.tale.changes, c)
}

// compare expects what truly differs between the look and what each field was
// when it was last told of.
func (a *life) compare(l *look) {
	since := map[*look]bool{}
	for field := range l.doc {
		if told := a.told[field]; told != nil {
			since[told] = true
		}
	}
	for told := range since {
		for _, truth := range a.play.world.Net(a.id, told.at, l.at) {
			field := topField(truth.Path)
			if truth.Kind != lobstrtest.SchemaChanged && field != "lock_time" && l.doc[field] != nil &&
				a.told[field] == told && a.observable(truth, l) {
				a.add(l, truthChange(truth, told.sent))
			}
		}
	}
	// What one endpoint sends is compared with what the same endpoint sent.
	if same := a.last[l.view]; same != nil {
		for _, truth := range a.play.world.Net(a.id, same.at, l.at) {
			field := topField(truth.Path)
			if truth.Kind == lobstrtest.SchemaChanged && (l.doc[field] != nil || same.doc[field] != nil) {
				a.add(l, truthChange(truth, same.sent))
			}
			if other := a.last[1-l.view]; truth.Kind == lobstrtest.LimitChanged && isNewSetting(truth) &&
				other != nil && hasLeaf(other, truth.Path) {
				truth.Kind = lobstrtest.SchemaChanged
				a.add(l, truthChange(truth, same.sent))
			}
		}
	}
	a.compareLocks(l)
}

// observable reports whether the look can tell that the truth happened. A setting
// of null is none; and an endpoint that speaks for the first time may always have
// sent a setting that the other lacks.
func (a *life) observable(t lobstrtest.Truth, l *look) bool {
	if t.Kind != lobstrtest.LimitChanged {
		return true
	}
	return orNull(string(t.Old)) != orNull(string(t.New)) && !(isNewSetting(t) && a.last[l.view] == nil)
}

func isNewSetting(t lobstrtest.Truth) bool {
	return orNull(string(t.Old)) == "null" && orNull(string(t.New)) != "null"
}

// hasLeaf reports whether the look showed a value that is not null at the path.
func hasLeaf(l *look, path string) bool {
	raw := l.doc[topField(path)]
	for _, name := range strings.Split(path, "/")[2:] {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return false
		}
		raw = members[name]
	}
	return raw != nil && string(raw) != "null"
}

func truthChange(t lobstrtest.Truth, after int64) change {
	return change{kind: t.Kind, path: t.Path, old: string(t.Old), new: string(t.New), after: after, at: t.At}
}

func topField(path string) string {
	field, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return field
}

// compareLocks judges locks by the instants at which answers were received: the
// list tells of them, and time ends them for every look.
func (a *life) compareLocks(l *look) {
	was, is := a.lock(), lockOf(l)
	if l.doc["lock_time"] == nil {
		is = was
	}
	wasLive, isLive := was.until > a.any.received, is.until > l.received
	after := a.sent[l.view]
	if told := a.told["lock_time"]; told != nil {
		after = told.sent
	}
	lock := func(kind, old, new string) {
		a.add(l, change{kind: kind, path: "/lock_time", old: old, new: new, after: after})
	}
	switch {
	case wasLive && isLive && was.until == is.until:
	case wasLive && isLive && was.until > l.received:
		lock("field", was.raw, is.raw)
	default:
		if wasLive {
			lock("unlocked", was.raw, "null")
		}
		if isLive {
			lock("locked", "null", is.raw)
		}
	}
}

type lock struct {
	raw   string
	until int64 // Unix milliseconds; 0 for none
}

func (a *life) lock() lock {
	if told := a.told["lock_time"]; told != nil {
		return lockOf(told)
	}
	return lock{}
}

func lockOf(l *look) lock {
	raw := l.doc["lock_time"]
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		until, _ := time.Parse(time.RFC3339, text)
		return lock{string(raw), until.UnixMilli()}
	}
	seconds, _ := strconv.ParseInt(string(raw), 10, 64)
	return lock{string(raw), seconds * 1000}
}

// step expects a status step when a status field or the health is another.
func (a *life) step(l *look, news []change) {
	next := step{account: a.id, health: "gone", after: never, before: l.received}
	next.statusWas, next.infoWas, next.healthWas = a.state.status, a.state.info, a.state.health
	if l.doc != nil {
		next.status, next.info = text(l.doc["status"]), text(l.doc["status_code_info"])
		next.health = a.health(l, next)
	}
	for i := range news {
		if touchesHealth(news[i].kind) {
			news[i].healthWas, news[i].healthNow = next.healthWas, next.health
		}
	}
	if a.seen && next.status == next.statusWas && next.info == next.infoWas && next.health == next.healthWas {
		return
	}
	if told := a.told["resets_in"]; told != nil {
		next.after = told.sent
	}
	if i := slices.IndexFunc(news, func(c change) bool { return touchesHealth(c.kind) }); i >= 0 {
		next.after = news[i].after
		for _, c := range news[i:] {
			if touchesHealth(c.kind) {
				next.after = min(next.after, c.after)
			}
		}
	}
	a.state = next
	a.tale.steps = append(a.tale.steps, next)
}

func touchesHealth(kind string) bool {
	return slices.Contains([]string{"appeared", "gone", "returned", "status", "locked", "unlocked"}, kind)
}

// health is that of the look, by the rules of design.md.
func (a *life) health(l *look, s step) string {
	lock := a.lock()
	if l.doc["lock_time"] != nil {
		lock = lockOf(l)
	}
	left, _ := strconv.Atoi(string(l.doc["resets_in"]))
	switch {
	case s.status == "401", s.status == "429", s.info == "cookies_expired":
		return "expired"
	case s.status == "":
		return "unknown"
	case s.status != "200":
		return "failing"
	case lock.until > l.received, left > 0:
		return "locked"
	}
	return "healthy"
}

// text is that of a string or number.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// assign expects the assignments to be those that the look shows.
func (a *life) assign(l *look, news []change) {
	var shown []struct {
		Hash string `json:"hash_value"`
	}
	_ = json.Unmarshal(l.doc["squids"], &shown) // none when gone
	after := int64(never)
	if told := a.told["squids"]; told != nil {
		after = told.sent
	}
	if len(news) > 0 && news[0].path == "" {
		after = news[0].after // appeared, gone or returned
	}
	open := map[string]int{}
	for _, s := range shown {
		i, already := a.squids[s.Hash]
		if !already {
			i = len(a.tale.uses)
			a.tale.uses = append(a.tale.uses, use{account: a.id, squid: s.Hash, fromAfter: after, fromBefore: l.received})
		}
		open[s.Hash] = i
	}
	for squid, i := range a.squids {
		if _, still := open[squid]; !still {
			a.tale.uses[i].toAfter, a.tale.uses[i].toBefore = after, l.received
		}
	}
	a.squids = open
}

// version expects a version to begin, and the one before to end.
func (a *life) version(l *look) {
	for i := range a.tale.versions {
		if v := &a.tale.versions[i]; v.account == a.id && v.to == 0 {
			v.to = l.received
		}
	}
	a.versions++
	a.tale.versions = append(a.tale.versions, version{account: a.id, number: a.versions, from: l.received, health: a.state.health})
}
