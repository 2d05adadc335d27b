package lobstrtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// RenameAccount gives the account another username.
func RenameAccount(account, username string) Event {
	return setField("RenameAccount", account, "username", quote(username))
}

// SetCookies changes the cookie specification: all required, no values.
func SetCookies(account string, names ...string) Event {
	return setField("SetCookies", account, "cookies", cookieList(names))
}

// SetIcon changes the icon; see [NewIcon].
func SetIcon(account, base64 string) Event {
	e := setField("SetIcon", account, "icon", quote(base64))
	e.detail = ""
	return e
}

// Touch sets updated_at to the instant, in whole seconds.
func Touch(account string) Event {
	return change("Touch", account, "", func(at time.Time, v *version) { v.fields.set("updated_at", instant(at)) })
}

// SetField sets any field of the account object, known or not, to any JSON. It
// panics when raw is not JSON. A resets_in that is set is no longer computed.
func SetField(account, name string, raw json.RawMessage) Event {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		panic(fmt.Sprintf("lobstrtest: SetField of %s: %v: %q", name, err, raw))
	}
	return setField("SetField", account, name, compact.String())
}

// DropField leaves a field out from now on.
func DropField(account, name string) Event {
	return change("DropField", account, " "+name, func(_ time.Time, v *version) { v.fields.drop(name) })
}

func setField(event, account, name, raw string) Event {
	return change(event, account, " "+name+" = "+raw, func(_ time.Time, v *version) { v.fields.set(name, raw) })
}

// SetLimit edits the limit's max under params/user, and makes the limit when
// the account has none of that name. A max of null and other shapes can be set
// with [SetField] of "params".
func SetLimit(account, limit string, most int) Event {
	return change("SetLimit", account, fmt.Sprintf(" %s %d", limit, most), func(at time.Time, v *version) {
		v.editLimit(limit, func(l *object) {
			if len(*l) == 0 {
				*l = Limit{Name: limit, Max: most, Daily: true}.user(at)
			}
			l.set("max", number(most))
		})
	})
}

// Work uses n of the account's limit: it moves "value", or for a batch "current"
// and last_batch_at. Nothing stops it at the limit. Counters are no changes.
func Work(account, limit string, n int) Event {
	return change("Work", account, fmt.Sprintf(" %s %d", limit, n), func(at time.Time, v *version) {
		v.editLimit(limit, func(l *object) {
			counter := "value"
			if _, isBatch := l.get("current"); isBatch {
				counter = "current"
				l.set("last_batch_at", quote(at.UTC().Format("02/01/2006 15:04:05")))
			}
			before, ok := integer(*l, counter)
			if ok {
				l.set(counter, number(before+n))
			}
		})
	})
}

// SetLoad changes how much the account works by itself; see [Account].
func SetLoad(account string, load float64) Event {
	return change("SetLoad", account, fmt.Sprintf(" %g", load), func(_ time.Time, v *version) { v.load = load })
}

// editLimit changes a limit under params/user; it is empty when there is none,
// and stays away when it is left empty.
func (v *version) editLimit(name string, edit func(limit *object)) {
	raw, _ := v.fields.get("params")
	params, _ := parseObject(raw)
	raw, _ = params.get("user")
	user, _ := parseObject(raw)
	raw, _ = user.get(name)
	limit, _ := parseObject(raw)
	edit(&limit)
	if len(limit) == 0 {
		return
	}
	user.set(name, limit.String())
	params.set("user", user.String())
	v.fields.set("params", params.String())
}
