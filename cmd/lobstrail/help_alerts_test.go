package main

import (
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/cmd/lobstrail/config"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// TestHelpAlertsGivesTheDefaults compares the example of the topic with the rules that
// hold without one.
func TestHelpAlertsGivesTheDefaults(t *testing.T) {
	text := findTopic("alerts").text
	examples := blocks(text, "toml")
	if len(examples) != 1 {
		t.Fatalf("%d examples", len(examples))
	}
	parsed, err := config.Parse("example", []byte(examples[0]))
	if err != nil {
		t.Fatal(err)
	}
	defaults := alert.DefaultRules()
	got := parsed.Rules
	if got.Zone != defaults.Zone || got.RemindEvery != defaults.RemindEvery || got.RemindTimes != defaults.RemindTimes || got.Digest < 0 {
		t.Errorf("the example is %+v, the defaults are %+v", got, defaults)
	}
	for _, condition := range store.Conditions {
		if got.Conditions[condition] != defaults.Conditions[condition] {
			t.Errorf("%s: %+v, the default is %+v", condition, got.Conditions[condition], defaults.Conditions[condition])
		}
		if !strings.Contains(text, "\n| `"+string(condition)+"` |") {
			t.Errorf("the table lacks %s", condition)
		}
	}
}
