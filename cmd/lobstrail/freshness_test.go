package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// at runs a command as if it were another time..
func at(now time.Time, args ...string) outcome {
	var out, errs bytes.Buffer
	env := &environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: func() time.Time { return now }, zone: time.UTC,
		getenv: func(string) string { return "" }}
	code := run(context.Background(), env, args)
	return outcome{code, out.String(), errs.String()}
}

// TestOldDataAreCalledOld: the demo has a run every two hours, the last at six. Who
// looks much later reads so at the top.
func TestOldDataAreCalledOld(t *testing.T) {
	t.Parallel()
	demo := demoStore(t)
	var runs []struct {
		FinishedAt time.Time `json:"finished_at"`
	}
	if err := json.Unmarshal([]byte(at(time.Now(), "runs", "--json", "--db", demo).stdout), &runs); err != nil {
		t.Fatal(err)
	}
	last := runs[0].FinishedAt
	fresh, old := last.Add(4*time.Hour), last.Add(23*time.Hour+time.Minute)
	warning := "Out of date: the newest complete run ended " + last.Format("2006-01-02 15:04") + ", 23h 1m ago. Usually there is one every 2h."
	for _, args := range [][]string{{"accounts"}, {"squids"}, {"report"}, {"report", "limits"}, {"report", "--format", "markdown"}} {
		args := append(args, "--db", demo)
		if o := at(old, args...); !strings.HasPrefix(o.stdout, warning+"\n\n") {
			t.Errorf("%q: %s", args, o)
		}
		if o := at(fresh, args...); strings.Contains(o.stdout, "Out of date") {
			t.Errorf("%q: %s", args, o)
		}
	}
	if o := at(old, "accounts", "--format", "csv", "--db", demo); !strings.Contains(o.stderr, warning) || strings.Contains(o.stdout, "Out") {
		t.Errorf("CSV: %s", o)
	}
	if o := at(old, "accounts", "--at", last.Add(time.Hour).Format(time.RFC3339), "--db", demo); strings.Contains(o.stdout, "Out of date") {
		t.Errorf("as it was when all was fresh: %s", o)
	}
	for now, stale := range map[time.Time]int{fresh: 0, old: 13} {
		o := at(now, "accounts", "--json", "--db", demo)
		if got := strings.Count(o.stdout, `,"stale":true}`); got != stale || !json.Valid([]byte(o.stdout)) {
			t.Errorf("%d accounts are stale, want %d: %s", got, stale, o)
		}
		var report struct {
			Freshness struct {
				Stale         bool
				UsualInterval float64 `json:"usual_interval_seconds"`
			}
		}
		o = at(now, "report", "--json", "--db", demo)
		if err := json.Unmarshal([]byte(o.stdout), &report); err != nil || report.Freshness.Stale != (stale > 0) || report.Freshness.UsualInterval < 7199 {
			t.Errorf("%v: %+v", err, report)
		}
		page := at(now, "report", "--format", "html", "--db", demo)
		if got := strings.Contains(page.stdout, "<p class=stale>"); got != (stale > 0) {
			t.Errorf("the page at %v: %v", now, got)
		}
	}
}
