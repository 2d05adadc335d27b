package alert_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// farm is a real store that runs are put into.
type farm struct {
	*sqlite.Store
	t   *testing.T
	now time.Time
}

func newFarm(t *testing.T) *farm {
	f := &farm{t: t, now: dawn}
	s, _, err := sqlite.OpenWriter(t.Context(), filepath.Join(t.TempDir(), "farm.db"), sqlite.Options{Now: func() time.Time { return f.now }, Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f.Store = s
	return f
}

func (f *farm) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// run is a run that shows objects, a quarter of an hour after the last one.
func (f *farm) run(scope store.Scope, state store.RunState, failure store.FailureKind, objects ...string) {
	f.t.Helper()
	f.now = f.now.Add(15 * time.Minute)
	run, err := f.Begin(f.t.Context(), "w", scope)
	f.must(err)
	if len(objects) > 0 {
		r := store.Response{Source: store.List, Sent: f.now, Received: f.now, Page: 1, Requests: 1}
		for _, o := range objects {
			r.Accounts = append(r.Accounts, store.Observed{ID: o[8:40], Raw: []byte(o)})
		}
		_, err = run.Append(f.t.Context(), r)
		f.must(err)
	}
	if failure != "" {
		f.must(run.Fail(f.t.Context(), 1, store.Failure{Kind: failure, Message: "HTTP 401", At: f.now}))
	}
	f.must(run.Finish(f.t.Context(), store.Outcome{State: state, Requested: len(objects), Requests: 1}))
}

func object(id, status string, value, most int) string {
	return fmt.Sprintf(`{"id": "%s", "username": "user-%s", "status": "%s", "type": "linkedin-sync", "squids": [],`+
		` "params": {"default": {}, "user": {"profiles": {"max": %d, "value": %d}}}}`, id, id[:1], status, most, value)
}

// told evaluates, and lists the events of the messages that were made since.
func (f *farm) told() (lines []string) {
	f.t.Helper()
	rules := alert.DefaultRules()
	rules.Sinks = []alert.Subscription{{Sink: "ops"}}
	f.must(alert.Update(f.t.Context(), f, "w", alert.Options{Rules: rules, Now: func() time.Time { return f.now }}))
	waiting, err := store.Collect(f.Deliveries(f.t.Context(), store.DeliveryQuery{Workspace: "w", DueAt: f.now.Add(time.Hour)}))
	f.must(err)
	for _, d := range waiting {
		line := fmt.Sprintf("%d %s %s", d.Run, d.Condition, d.Event)
		var body alert.Body
		f.must(json.Unmarshal(d.Body, &body))
		if d.Condition == store.LimitNearlyUsed {
			line += ": " + body.Items[0].Info
			if !strings.Contains(body.Summary, "("+body.Items[0].Info+")") {
				f.t.Errorf("summary %q, info %q", body.Summary, body.Items[0].Info)
			}
		}
		lines = append(lines, line)
		d.State, d.EndedAt, d.NextAt, d.Attempts = store.Delivered, f.now, time.Time{}, 1
		f.must(f.SaveDelivery(f.t.Context(), d))
	}
	return lines
}

func (f *farm) want(lines ...string) {
	f.t.Helper()
	if got := f.told(); !slices.Equal(got, lines) {
		f.t.Errorf("told %q, want %q", got, lines)
	}
}

const all, whole = store.ScopeAll, store.Complete

// What a run noticed before its key was refused is told with the next one.
func TestWhatASilentRunNoticedIsToldLater(t *testing.T) {
	f := newFarm(t)
	f.run(all, whole, "", object(a, "200", 1, 9), object(b, "200", 1, 9))
	f.want()
	f.run(all, store.Failed, store.FailAuth, object(a, "401", 1, 9))
	f.want("2 key_refused fired")
	f.run(all, store.Failed, store.FailAuth)
	f.want()
	f.run(all, whole, "", object(a, "401", 1, 9), object(b, "200", 1, 9))
	f.want("4 account_expired fired", "4 key_refused recovered")
}

// Runs that were not evaluated are made up for, one by one. The past of a workspace that
// never was is not told.
func TestRunsAreMadeUpFor(t *testing.T) {
	f := newFarm(t)
	f.run(all, whole, "", object(a, "200", 1, 9), object(b, "200", 1, 9))
	f.run(all, whole, "", object(a, "401", 1, 9), object(b, "200", 1, 9))
	f.run(all, whole, "", object(a, "401", 1, 9), object(b, "200", 1, 9))
	f.want()
	f.run(all, whole, "", object(a, "200", 1, 9), object(b, "401", 1, 9))
	f.run(all, whole, "", object(a, "401", 1, 9), object(b, "200", 1, 9))
	f.run(all, store.Interrupted, "", object(a, "200", 1, 9))
	f.want("4 account_expired fired", "5 account_expired fired", "5 account_expired recovered", "6 account_expired recovered")
}

// An import is not evaluated, but what it healed counts.
func TestImportsAreNotEvaluated(t *testing.T) {
	f := newFarm(t)
	f.run(all, whole, "", object(a, "200", 1, 9), object(b, "200", 1, 9))
	f.want()
	f.run(store.ScopeImport, whole, "", object(a, "401", 1, 9))
	f.want()
	f.run(all, whole, "", object(a, "401", 1, 9), object(b, "401", 1, 9))
	f.want("3 account_expired fired") // b alone
	f.run(store.ScopeImport, whole, "", object(b, "200", 1, 9))
	f.want()
	f.run(all, whole, "", object(a, "401", 1, 9), object(b, "200", 1, 9))
	f.want("5 account_expired recovered")
}

func TestLimits(t *testing.T) {
	f := newFarm(t)
	f.run(all, whole, "", object(a, "200", 95, 100), object(b, "200", 50, 100)) // a was so at first sight
	f.want()
	f.run(all, whole, "", object(a, "200", 96, 100), object(b, "200", 89, 100))
	f.want()
	f.run(all, whole, "", object(a, "200", 96, 100), object(b, "200", 90, 100))
	f.want("3 limit_nearly_used fired: profiles 90 of 100")
	f.run(all, whole, "", object(a, "200", 97, 100), object(b, "200", 100, 100))
	f.want()
	f.run(all, whole, "", object(a, "200", 97, 100), object(b, "200", 100, 200)) // the limit was raised
	f.want("5 limit_nearly_used recovered: profiles 100 of 200")
	f.run(all, whole, "", object(a, "200", 97, 100), object(b, "200", 100, 105)) // and lowered
	f.want("6 limit_nearly_used fired: profiles 100 of 105")
	f.run(all, whole, "", object(a, "200", 0, 100), object(b, "200", 0, 105)) // a new day
	f.want("7 limit_nearly_used recovered: profiles 0 of 105")
	f.run(all, whole, "", object(a, "200", 91, 100), object(b, "200", 0, 105))
	f.want("8 limit_nearly_used fired: profiles 91 of 100")
}
