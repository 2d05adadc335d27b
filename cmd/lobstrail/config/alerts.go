package config

import (
	"regexp"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// The bounds of the numbers of alerts.
const (
	mostPolls     = 1000
	mostReminders = 1000
)

func (d *document) rules(t *table) alert.Rules {
	rules := alert.DefaultRules()
	rules.Zone, rules.Digest = t.zone(rules.Zone), t.digest(rules.Digest)
	rules.RemindEvery = t.duration("remind_every", rules.RemindEvery, leastEvery, mostEvery, "")
	rules.RemindTimes = t.number("remind_times", rules.RemindTimes, 0, mostReminders)
	conditions := t.below("conditions")
	for _, name := range conditions.inOrder() {
		if !slicesContains(store.Conditions, name) {
			t.fail(conditions.line(name), "%s", notOneOf("condition", name, words(store.Conditions), ""))
		}
	}
	for _, condition := range store.Conditions {
		rules.Conditions[condition] = conditions.below(string(condition)).rule(condition, rules.Conditions[condition])
	}
	t.unknownKeys(" of [alerts]")
	return rules
}

func (t *table) rule(condition store.Condition, rule alert.Rule) alert.Rule {
	rule.Enabled = t.truth("enabled", rule.Enabled)
	rule.For = t.number("for", rule.For, 1, mostPolls)
	switch condition {
	case store.AccountLocked:
		rule.LongerThan = t.duration("longer_than", rule.LongerThan, time.Second, mostEvery, "")
	case store.Stale:
		rule.LongerThan = t.duration("longer_than", rule.LongerThan, leastEvery, mostEvery, "twice the interval of the workspace")
	case store.LimitNearlyUsed:
		rule.Share = t.share("share", rule.Share)
	}
	t.unknownKeys(" of the condition " + string(condition))
	return rule
}

func (t *table) zone(fallback *time.Location) *time.Location {
	zone := fallback
	if name, given := t.text("zone"); given {
		loaded, err := time.LoadLocation(name)
		if err != nil || name == "Local" { // to Go, that is whatever TZ says
			t.wrong("zone", "%s is no time zone; it has a name such as \"Europe/Paris\" or \"UTC\"", shown(name))
			return fallback
		}
		zone = loaded
	}
	t.set("zone", zone.String())
	return zone
}

var timeOfDay = regexp.MustCompile(`^(?:[01][0-9]|2[0-3]):[0-5][0-9]$`)

// digest returns when the digest is due, after midnight; negative: never.
func (t *table) digest(fallback time.Duration) time.Duration {
	text, given := "off", false
	if _, is := t.value("digest"); is {
		if text, given = t.text("digest"); !given {
			return fallback
		}
	}
	if text != "off" && !timeOfDay.MatchString(text) {
		t.wrong("digest", `a time of the day is expected, from "00:00" to "23:59", or "off"`)
		return fallback
	}
	t.set("digest", text)
	if text == "off" {
		return -1
	}
	at := time.Duration(text[0]-'0')*10*time.Hour + time.Duration(text[1]-'0')*time.Hour
	return at + time.Duration(text[3]-'0')*10*time.Minute + time.Duration(text[4]-'0')*time.Minute
}
