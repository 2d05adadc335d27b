package main

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

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
		return "until " + lockText(c.New, zone) + " (" + healths + ")"
	case store.LockEnded:
		return "was until " + lockText(c.Old, zone) + " (" + healths + ")"
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

// lockText is a lock_time for people: Unix seconds are a time.
func lockText(raw json.RawMessage, zone *time.Location) string {
	seconds, err := strconv.ParseInt(valueText(raw), 10, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxUint32 {
		return valueText(raw)
	}
	return render.Time(time.Unix(seconds, 0), zone)
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
