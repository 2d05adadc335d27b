package sqlite_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// compareLocks judges locks by the instants at which answers were received: the
// list tells of them, and time ends them for every look.
func (a *life) compareLocks(l *look) {
	was, is := a.lock(), lockOf(l)
	if l.doc["lock_time"] == nil {
		is = was
	}
	wasLive, isLive := was.until > a.any.received, is.until > l.received
	after := a.sent[l.view]
	if a.last[l.view] == nil { // not since it appeared or returned
		after = never
	}
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

// health is that of the look, by the rules of design.md. A look that shows no
// resets_in goes by the lock_time that stood beside the last one.
func (a *life) health(l *look, s step) string {
	lock := a.lock()
	if l.doc["lock_time"] != nil {
		lock = lockOf(l)
	}
	left, _ := strconv.ParseFloat(string(l.doc["resets_in"]), 64)
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
