package main

import (
	"encoding/json"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

// changeText says in words what changed.
func changeText(c store.Change) string {
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
	}
	text := strings.TrimPrefix(c.Path, "/") + ": " + valueText(c.Old) + " → " + valueText(c.New)
	if c.HealthAfter != "" && c.HealthBefore != c.HealthAfter {
		text += " (" + healths + ")"
	}
	return text
}

// squidOf is the short id of the squid in the path of a change.
func squidOf(path string) string { return shortID(strings.TrimPrefix(path, "/squids/")) }

// valueText is a JSON value for people: text without quotes, and a dash for what
// is not there.
func valueText(raw json.RawMessage) string {
	if raw == nil || string(raw) == "null" {
		return "-"
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
