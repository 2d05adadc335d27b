package main

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// changeRow is a row of `changes`: one change, or the changes of the status
// fields of one account that were noticed together. An expiry changes three
// fields and is one row for people.
type changeRow []store.AccountChange

// changeRows makes rows of changes. Only formats for people join changes.
func (a *app) changeRows(changes iter.Seq2[store.AccountChange, error]) iter.Seq2[changeRow, error] {
	join := render.Format(a.format).ForPeople()
	return func(yield func(changeRow, error) bool) {
		var row changeRow
		for change, err := range changes {
			if err != nil {
				yield(nil, err)
				return
			}
			if join && len(row) > 0 && sameStep(row[0], change) {
				row = append(row, change)
				continue
			}
			if len(row) > 0 && !yield(row, nil) {
				return
			}
			row = changeRow{change}
		}
		if len(row) > 0 {
			yield(row, nil)
		}
	}
}

// sameStep reports whether both changes are of the status of one account and were
// noticed together.
func sameStep(a, b store.AccountChange) bool {
	return a.Kind == store.StatusChanged && b.Kind == store.StatusChanged && a.Account == b.Account && a.Run == b.Run &&
		a.Window.After.Equal(b.Window.After) && a.Window.Before.Equal(b.Window.Before)
}

// statusFields are the fields of a status, the one that says most first.
var statusFields = []string{"/status", "/status_code_info", "/status_code_description"}

// text says what changed, with times in the zone. Of several status fields, the
// first is written in full and the others with their new value:
// "status: 200 → 401 (healthy → expired), cookies_expired, Cookies have expired."
func (r changeRow) text(zone *time.Location) string {
	fields := slices.SortedStableFunc(slices.Values(r), func(a, b store.AccountChange) int {
		return cmp.Compare(slices.Index(statusFields, a.Path), slices.Index(statusFields, b.Path))
	})
	text := changeText(fields[0].Change, zone)
	for _, change := range fields[1:] {
		text += ", " + valueText(change.New)
	}
	return text
}

// changeText says in words what changed, with times in the zone.
func changeText(c store.Change, zone *time.Location) string {
	healths := string(c.HealthBefore) + " → " + string(c.HealthAfter)
	switch c.Kind {
	case store.Appeared:
		return "first seen, " + string(c.HealthAfter)
	case store.WentGone, store.Returned:
		return healths
	case store.SquidAssigned:
		return "+ " + valueText(c.New) + " (" + squidOf(c.Path) + ")"
	case store.SquidUnassigned:
		return "- " + valueText(c.Old) + " (" + squidOf(c.Path) + ")"
	case store.SquidRenamed:
		return valueText(c.Old) + " → " + valueText(c.New) + " (" + squidOf(c.Path) + ")"
	case store.LockBegan:
		return "until " + instantText(c.New, zone) + " (" + healths + ")"
	case store.LockEnded:
		return "was until " + instantText(c.Old, zone) + " (" + healths + ")"
	}
	if slices.Contains(instantFields, c.Path) {
		return c.Path[1:] + ": " + instantText(c.Old, zone) + " → " + instantText(c.New, zone)
	}
	path := strings.TrimPrefix(c.Path, "/")
	if c.Kind == store.LimitChanged { // "searches max" rather than "params/user/searches/max"
		path = strings.ReplaceAll(strings.TrimPrefix(path, "params/user/"), "/", " ")
	}
	text := path + ": " + valueText(c.Old) + " → " + valueText(c.New)
	if c.HealthAfter != "" && c.HealthBefore != c.HealthAfter {
		text += " (" + healths + ")"
	}
	return text
}

// instantFields are the fields of an account that hold an instant.
var instantFields = []string{"/lock_time", "/last_synchronization_time"}

// instantText is an instant for people, in whichever form the API wrote it. What is
// none stays as it is.
func instantText(raw json.RawMessage, zone *time.Location) string {
	if t, ok := store.ParseInstant(raw); ok {
		return render.Time(t, zone)
	}
	return valueText(raw)
}

// squidOf is the short id of the squid in the path of a change.
func squidOf(path string) string { return shortID(strings.TrimPrefix(path, "/squids/")) }

// valueText is a JSON value for people: text without quotes, and a dash for what
// is not there.
func valueText(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return "-"
	}
	var text string
	if raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// plainValue is a JSON value for CSV: text without quotes, nothing for null, and
// JSON for all else.
func plainValue(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	return valueText(raw)
}
