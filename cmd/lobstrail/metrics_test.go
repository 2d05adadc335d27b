package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	metricName = regexp.MustCompile(`\blobstrail_[a-z_]+`)
	ofAKind    = regexp.MustCompile(`(_bucket|_sum|_count)$`)
)

// shownMetrics are all metrics, by name, of a store that has some of each.
func shownMetrics(t *testing.T) map[string]bool {
	t.Helper()
	o := within(0, nil, "metrics", "--names", "--db", troubled(t, 3))
	shown := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(o.stdout, -1) {
		shown[m[1]] = true
	}
	if o.code != exitDone || len(shown) < 15 {
		t.Fatalf("%d metrics: %s", len(shown), o)
	}
	return shown
}

// TestHelpOfMetricsNamesEachMetric, and none that does not exist; so does the dashboard.
func TestHelpOfMetricsNamesEachMetric(t *testing.T) {
	shown, help := shownMetrics(t), findTopic("metrics").text
	texts := map[string]string{"help": help, "dashboard": string(dashboard)}
	for where, text := range texts {
		found := metricName.FindAllString(text, -1)
		for _, name := range found {
			if base := ofAKind.ReplaceAllString(name, ""); !shown[name] && !shown[base] {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
		if len(found) < 12 {
			t.Errorf("%s names only %d metrics", where, len(found))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if !strings.Contains(help, "| `"+name+"` | ") {
			t.Errorf("%s is not in the help", name)
		}
	}
}

func TestPromtoolAcceptsTheExamples(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed (it is in Debian's package prometheus)")
	}
	checked := map[string]int{}
	check := func(what, text string) {
		checked[what]++
		file := filepath.Join(t.TempDir(), "examples.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), promtool, "check", what, file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s\n%s", err, out, text)
		}
	}
	for _, block := range blocks(findTopic("metrics").text, "yaml") {
		what := "config"
		if strings.HasPrefix(block, "groups:") {
			what = "rules"
		}
		check(what, block)
	}
	check("rules", dashboardRules(t))
	if checked["config"] != 1 || checked["rules"] != 2 {
		t.Errorf("checked %v", checked)
	}
}

// dashboardRules makes rules of the expressions of the dashboard, for Prometheus to judge.
func dashboardRules(t *testing.T) string {
	t.Helper()
	var d struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(dashboard, &d); err != nil {
		t.Fatal(err)
	}
	rules, n := "groups:\n  - name: dashboard\n    rules:\n", 0
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			n++
			rules += fmt.Sprintf("      - record: panel_%d\n        expr: %q\n", n, strings.ReplaceAll(target.Expr, "$workspace", "acme"))
		}
	}
	if n < 12 {
		t.Errorf("the dashboard has only %d expressions", n)
	}
	return rules
}
