package lobstrtest

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is something that happens to a world. Make one with the functions of
// this package and script it with [World.At] or [World.Apply].
type Event struct {
	name    string
	account string // "" when it is not about one account
	others  []string
	detail  string
	creates bool
	apply   func(m moment)
}

// String describes the event for people.
func (e Event) String() string {
	return fmt.Sprintf("%s(%s)%s", e.name, e.account, e.detail)
}

// change is an event that edits one account.
func change(name, account, detail string, edit func(at time.Time, v *version)) Event {
	return Event{name: name, account: account, detail: detail, apply: func(m moment) {
		m.edit(account, func(v *version) { edit(m.at, v) })
	}}
}

// Expire lets the cookies of the account expire: status 401, cookies_expired.
func Expire(account string) Event {
	e := Fail(account, 401, "cookies_expired", "Cookies have expired.")
	e.name, e.detail = "Expire", ""
	return e
}

// Fail sets the three status fields. The status keeps its JSON type.
func Fail(account string, status int, info, description string) Event {
	return change("Fail", account, fmt.Sprintf(" %d %s", status, info), func(_ time.Time, v *version) {
		v.setStatus(status, info, description)
	})
}

// Resync re-synchronises the account: status 200, synchronized, "Success!", and
// last_synchronization_time is the instant, in whole seconds.
func Resync(account string) Event {
	return change("Resync", account, "", func(at time.Time, v *version) {
		v.setStatus(200, "synchronized", "Success!")
		v.fields.set("last_synchronization_time", instant(at))
	})
}

func (v *version) setStatus(status int, info, description string) {
	raw := number(status)
	if old, _ := v.fields.get("status"); old == "" || old[0] == '"' || old == "null" {
		raw = quote(raw)
	}
	v.fields.set("status", raw)
	v.fields.set("status_code_info", quote(info))
	v.fields.set("status_code_description", quote(description))
}

// StatusForm is the JSON type of status.
type StatusForm int

// The JSON types of status.
const (
	StatusText   StatusForm = iota // "200"
	StatusNumber                   // 200
)

// SetStatusForm sends the status as another JSON type from now on.
func SetStatusForm(account string, form StatusForm) Event {
	return change("SetStatusForm", account, fmt.Sprintf(" %d", form), func(_ time.Time, v *version) {
		raw, ok := v.fields.get("status")
		if !ok || raw == "null" {
			return
		}
		text, isText := unquote(raw)
		if n, err := json.Number(text).Int64(); isText && form == StatusNumber && err == nil {
			v.fields.set("status", number(n))
		}
		if !isText && form == StatusText {
			v.fields.set("status", quote(raw))
		}
	})
}

// Lock locks the account until an instant (as exactly as the form can say it), or
// moves the lock that it has. An instant that is not in the future locks nothing.
func Lock(account string, until time.Time, form LockForm) Event {
	return change("Lock", account, " until "+until.UTC().Format(time.RFC3339), func(_ time.Time, v *version) {
		v.fields.set("lock_time", form.spell(until))
	})
}

// Unlock clears lock_time.
func Unlock(account string) Event {
	return change("Unlock", account, "", func(_ time.Time, v *version) { v.fields.set("lock_time", "null") })
}

// Create makes a new account. It has no effect when the id is taken.
func Create(a Account) Event {
	a = a.filled(a.Created, a.Synced)
	return Event{name: "Create", account: a.ID, detail: " " + a.Username, creates: true, apply: func(m moment) {
		if m.w.accounts[a.ID] != nil {
			return
		}
		a := a.filled(m.at, m.at)
		h := &history{id: a.ID}
		m.w.play.add(h)
		squids := list(m.w.entries(a.Squids, m.at))
		m.commit(h, version{at: m.at, counted: m.at, fields: a.fields(squids, m.at), load: a.Load})
	}}
}

// Delete removes the account: it leaves the list, and its detail call answers
// 404.
func Delete(account string) Event {
	return Event{name: "Delete", account: account, apply: func(m moment) {
		h := m.w.accounts[account]
		if h == nil || h.last().fields == nil {
			return
		}
		h.removed = m.current(h)
		m.commit(h, version{at: m.at})
	}}
}

// Restore brings a deleted account back as it was when it was deleted.
func Restore(account string) Event {
	return Event{name: "Restore", account: account, apply: func(m moment) {
		h := m.w.accounts[account]
		if h == nil || h.last().fields != nil || h.removed.fields == nil {
			return
		}
		v := h.removed
		v.at, v.counted, v.fields = m.at, m.at, v.fields.clone()
		if raw, ok := v.fields.get("params"); ok {
			raw, _ = roll(raw, m.at, m.at, 0)
			v.fields.set("params", raw)
		}
		m.commit(h, v)
	}}
}
