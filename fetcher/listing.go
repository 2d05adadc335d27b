package fetcher

import (
	"fmt"
	"strings"
	"time"
)

// doubt is a reason why a list may not have shown every account.
type doubt string

const (
	doubtCut     doubt = "cut"
	doubtTotal   doubt = "total"
	doubtMoved   doubt = "moved"
	doubtEcho    doubt = "echo"
	doubtLimit   doubt = "limit"
	doubtRepeat  doubt = "repeat"
	doubtNoID    doubt = "no id"
	doubtEnd     doubt = "end"
	doubtBroken  doubt = "broken"
	doubtMissing doubt = "missing"
)

// listing is what a walk over the list has shown so far, and whether it adds up.
// Only a list without doubts says anything about what it did not show.
type listing struct {
	what         string // the objects of the list, such as "accounts"
	total, limit int    // as last told; total is 0 before, limit -1
	shown        int    // objects, also those that could not be understood
	received     time.Time
	doubted      map[doubt]bool
	reasons      []string
	ended        bool
}

func newListing(what string) *listing {
	return &listing{what: what, limit: -1, doubted: make(map[doubt]bool)}
}

// doubt notes a reason; of each kind the first one.
func (l *listing) doubt(kind doubt, format string, args ...any) {
	if !l.doubted[kind] {
		l.doubted[kind] = true
		l.reasons = append(l.reasons, fmt.Sprintf(format, args...))
	}
}

// brokeOff notes that no answer was to be had for a page.
func (l *listing) brokeOff(number int, err error) {
	l.doubt(doubtBroken, "it broke off at page %d: %v", number, err)
}

// see takes note of a page of accounts, the number-th.
func (l *listing) see(number int, p page, key *secret) {
	l.seeEnvelope(number, p.envelope, key)
	l.seeObjects(p)
}

// seeEnvelope takes note of what stands around the objects of a page.
func (l *listing) seeEnvelope(number int, p envelope, key *secret) {
	if p.warning != nil {
		l.doubt(doubtCut, "the API cuts it and says: %s", key.clean(words(p.warning)))
	}
	if p.page >= 0 && p.page != number {
		l.doubt(doubtEcho, "page %d was answered with page %d", number, p.page)
	}
	if p.limit >= 0 && l.limit >= 0 && p.limit != l.limit {
		l.doubt(doubtLimit, "the size of its pages changed from %d to %d", l.limit, p.limit)
	}
	if p.limit >= 0 {
		l.limit = p.limit
	}
	l.seeTotal(number, p.total)
}

// words returns what a JSON value says to a person.
func words(value []byte) string {
	if value[0] == '"' {
		return unquote(value)
	}
	return string(value)
}

func (l *listing) seeTotal(number, total int) {
	switch {
	case total < 0:
		l.doubt(doubtTotal, "the API does not say how many %s there are", l.what)
		return
	case number > 1 && total != l.total && !l.doubted[doubtTotal]:
		l.doubt(doubtMoved, "the number of %s moved from %d to %d meanwhile", l.what, l.total, total)
	}
	l.total = total
}

func (l *listing) seeObjects(p page) {
	l.shown += len(p.data)
	seen := make(map[string]bool, len(p.data))
	note := func(id string) {
		if seen[id] {
			l.doubt(doubtRepeat, "it showed %s twice", l.what)
		}
		seen[id] = true
	}
	for _, account := range p.accounts {
		note(account.ID)
	}
	for _, failure := range p.failures {
		if failure.Account == "" {
			l.doubt(doubtNoID, "it showed an object without an id that can be read")
			continue
		}
		note(failure.Account)
	}
}

// more reports whether the API promises another page after p, the number-th.
func (l *listing) more(number int, p envelope) bool {
	promised := p.next != "" || p.pages > number
	if p.next == "" && p.pages < 0 {
		promised = l.shown < l.total
	}
	if promised && len(p.data) == 0 {
		l.doubt(doubtEnd, "page %d was empty although more was promised", number)
		return false
	}
	l.ended = !promised
	return promised
}

// whole reports whether the list can be trusted to have shown every account.
func (l *listing) whole() bool {
	if l.shown != l.total {
		l.doubt(doubtMissing, "it showed %d %s of %d", l.shown, l.what, l.total)
	}
	return l.ended && len(l.reasons) == 0
}

// warning tells a person why the list was not whole.
func (l *listing) warning() string {
	return "the list of " + l.what + " was not whole: " + strings.Join(l.reasons, "; ") +
		". Nothing was concluded about " + l.what + " it did not show"
}
