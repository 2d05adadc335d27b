package sqlite_test

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
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
// when it was last told of by an endpoint that still sends it.
func (a *life) compare(l *look) {
	since := map[*look]bool{}
	for field := range l.doc {
		if told := a.holds(field); told != nil {
			since[told] = true
		}
	}
	for told := range since {
		for _, truth := range oracle.Net(a.play.world, a.id, told.at, l.at) {
			field := topField(truth.Path)
			if truth.Kind != oracle.SchemaChanged && field != "lock_time" && l.doc[field] != nil &&
				a.holds(field) == told && a.observable(truth, l) {
				a.add(l, truthChange(truth, a.lastTold(field, told)))
			}
		}
	}
	// What one endpoint sends is compared with what the same endpoint sent.
	if same := a.last[l.view]; same != nil {
		for _, truth := range oracle.Net(a.play.world, a.id, same.at, l.at) {
			field := topField(truth.Path)
			if truth.Kind == oracle.SchemaChanged && (l.doc[field] != nil || same.doc[field] != nil) {
				a.add(l, truthChange(truth, same.sent))
			}
			if other := a.last[1-l.view]; truth.Kind == oracle.LimitChanged && isNewSetting(truth) &&
				other != nil && hasLeaf(other, truth.Path) {
				truth.Kind = oracle.SchemaChanged
				a.add(l, truthChange(truth, same.sent))
			}
		}
	}
	a.compareLocks(l)
}

// holds is the look that told the value of the field that holds: the last one of an
// endpoint that still sends the field, or else the last that did. That a document lacks a
// field concludes nothing. nil: it was never told of.
func (a *life) holds(field string) (told *look) {
	for _, last := range a.last {
		if last != nil && last.doc[field] != nil && (told == nil || last.received > told.received) {
			told = last
		}
	}
	if told == nil {
		return a.told[field]
	}
	return told
}

// lastTold is when the value that the look told was last told of: an endpoint that no
// longer sends the field may have been the last.
func (a *life) lastTold(field string, told *look) int64 {
	if last := a.told[field]; string(last.doc[field]) == string(told.doc[field]) {
		return max(told.sent, last.sent)
	}
	return told.sent
}

// observable reports whether the look can tell that the truth happened. A setting
// of null is none; and an endpoint that speaks for the first time may always have
// sent a setting that the other lacks.
func (a *life) observable(t oracle.Truth, l *look) bool {
	if t.Kind != oracle.LimitChanged {
		return true
	}
	return orNull(string(t.Old)) != orNull(string(t.New)) && !(isNewSetting(t) && a.last[l.view] == nil)
}

func isNewSetting(t oracle.Truth) bool {
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

func truthChange(t oracle.Truth, after int64) change {
	return change{kind: t.Kind, path: t.Path, old: string(t.Old), new: string(t.New), after: after, at: t.At}
}

func topField(path string) string {
	field, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return field
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
