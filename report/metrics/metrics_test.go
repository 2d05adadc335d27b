package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/metrics"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

var epoch = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// watched is a store whose clock a test moves.
type watched struct {
	*sqlite.Store
	t   testing.TB
	now time.Time
}

func newWatched(t testing.TB) *watched {
	t.Helper()
	w := &watched{t: t, now: epoch}
	s, _, err := sqlite.OpenWriter(t.Context(), filepath.Join(t.TempDir(), "store.db"),
		sqlite.Options{Rules: report.Rules(), Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w.Store = s
	return w
}

// run stores a run over all accounts that shows the objects and takes ten seconds.
func (w *watched) run(workspace string, state store.RunState, objects ...string) {
	w.t.Helper()
	run, err := w.Begin(w.t.Context(), workspace, store.ScopeAll)
	w.must(err)
	sent := w.now
	w.now = w.now.Add(10 * time.Second)
	r := store.Response{Source: store.List, Sent: sent, Received: w.now, Requests: 3, Page: 1}
	for _, object := range objects {
		var id string
		_, err := fmt.Sscanf(object, `{"id":%q`, &id)
		w.must(err)
		r.Accounts = append(r.Accounts, store.Observed{ID: id, Raw: []byte(object)})
	}
	_, err = run.Append(w.t.Context(), r)
	w.must(err)
	if state != store.Complete {
		w.must(run.Fail(w.t.Context(), 1, store.Failure{Kind: store.FailNetwork, Message: "m"}))
	}
	w.must(run.Finish(w.t.Context(), store.Outcome{State: state, Requested: len(objects), Requests: 3}))
}

func (w *watched) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// text is the metrics in the text format.
func (w *watched) text(o metrics.Options) string {
	w.t.Helper()
	o.Now = func() time.Time { return w.now }
	file := filepath.Join(w.t.TempDir(), "metrics.prom")
	w.must(prometheus.WriteToTextfile(file, metrics.New(w.t.Context(), w.Store, o)))
	raw, err := os.ReadFile(file)
	w.must(err)
	return string(raw)
}

// account is an account object.
func account(n int, username, kind, status string, squids ...string) string {
	uses := make([]map[string]string, len(squids))
	for i, squid := range squids {
		uses[i] = map[string]string{"hash_value": squid, "name": "Squid " + squid}
	}
	object, err := json.Marshal(map[string]any{"username": username, "type": kind, "status": status, "squids": uses})
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"id":"%032x",%s`, n, object[1:])
}

// history is one workspace with three accounts and three squids, and one that only failed.
func history(t testing.TB) *watched {
	w := newWatched(t)
	w.run("acme", store.Complete, account(1, "ada", "x-sync", "200", "a", "b"), account(2, "ben", "x-sync", "200", "a"), account(3, "cleo", "in-sync", "200", "c"))
	w.now = w.now.Add(time.Hour)
	w.run("acme", store.Complete, account(1, "ada", "x-sync", "200", "a", "b"), account(2, "ben", "x-sync", "200", "a"), account(3, "cleo", "in-sync", "401", "c"))
	w.now = w.now.Add(time.Minute)
	w.run("other", store.Incomplete, account(9, "zoe", "x-sync", "200"))
	return w
}

func TestMetricsTellHowAWorkspaceStands(t *testing.T) {
	w := history(t)
	w.now = w.now.Add(time.Minute)
	text := w.text(metrics.Options{Version: "v1"})
	for _, want := range []string{
		`accounts{health="healthy",type="x-sync",workspace="acme"} 2`,
		`accounts{health="expired",type="in-sync",workspace="acme"} 1`,
		`accounts{health="healthy",type="in-sync",workspace="acme"} 0`,
		`squids{healthy_accounts="0",workspace="acme"} 1`,
		`squids{healthy_accounts="1",workspace="acme"} 1`,
		`squids{healthy_accounts="2+",workspace="acme"} 1`,
		`last_complete_run_age_seconds{workspace="acme"} 130`,
		`last_complete_run_duration_seconds{workspace="acme"} 10`,
		`last_complete_run_timestamp_seconds{workspace="acme"} 1.77759722e+09`,
		`last_complete_run_timestamp_seconds{workspace="other"} 0`,
		`last_complete_run_age_seconds{workspace="other"} +Inf`,
		`runs_total{scope="all",state="complete",workspace="acme"} 2`,
		`runs_total{scope="named",state="failed",workspace="acme"} 0`,
		`runs_total{scope="all",state="incomplete",workspace="other"} 1`,
		`run_duration_seconds_bucket{workspace="acme",le="5"} 0`,
		`run_duration_seconds_bucket{workspace="acme",le="15"} 2`,
		`run_duration_seconds_sum{workspace="acme"} 20`,
		`run_duration_seconds_count{workspace="acme"} 2`,
		`requests_total{workspace="acme"} 6`,
		`snapshots_total{workspace="acme"} 6`,
		`failures_total{kind="network",workspace="other"} 1`,
		`failures_total{kind="network",workspace="acme"} 0`,
		`changes_total{kind="appeared",workspace="acme"} 3`,
		`changes_total{kind="status",workspace="acme"} 1`,
		`build_info{version="v1"} 1`,
	} {
		if !strings.Contains(text, "\nlobstrail_"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	for _, name := range []string{"ada", "cleo", "Squid a", fmt.Sprintf("%032x", 1)} {
		if strings.Contains(text, name) {
			t.Errorf("%s is in the metrics", name)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	if one := w.text(metrics.Options{Workspaces: []string{"other"}}); strings.Contains(one, "acme") || !strings.Contains(one, `"other"`) {
		t.Errorf("of one workspace:\n%s", one)
	}
}

func TestMetricsTellOfAlertsAndDeliveries(t *testing.T) {
	w := history(t)
	alert := func(account int, fired time.Time, silenced bool) store.Alert {
		return store.Alert{Condition: store.AccountExpired, Account: fmt.Sprintf("%032x", account), Window: store.Window{Before: epoch}, Run: 2, Polls: 1,
			FiredAt: fired, Silenced: silenced, Detail: []byte("{}")}
	}
	over := alert(1, epoch, false)
	over.EndedAt = w.now
	message := func(n int, sinks ...string) store.Message {
		return store.Message{ID: fmt.Sprintf("%032x", n), Workspace: "acme", Event: "fired", Condition: store.AccountExpired, At: w.now.Add(time.Duration(n) * time.Second),
			Body: []byte("{}"), Sinks: sinks}
	}
	w.must(w.SaveAlerts(t.Context(), "acme", store.AlertDelta{
		To:       store.AlertPlace{Run: 2, At: w.now},
		Begin:    []store.Alert{alert(1, time.Time{}, false), alert(2, w.now, true), alert(3, w.now, false), over},
		Messages: []store.Message{message(1, "ops", "mail"), message(2, "ops"), message(3, "done")},
	}))
	_, err := w.AddSilence(t.Context(), "acme", store.Silence{Account: fmt.Sprintf("%032x", 2), Reason: "known", From: w.now, Until: w.now.Add(time.Hour)})
	w.must(err)
	for d, err := range w.Deliveries(t.Context(), store.DeliveryQuery{Workspace: "acme"}) {
		w.must(err)
		if d.Attempts = 1; d.Sink == "done" {
			d.State, d.EndedAt, d.NextAt = store.Delivered, w.now.Add(time.Hour), time.Time{} // the clock went back
		}
		if d.ID != message(2).ID {
			w.must(w.SaveDelivery(t.Context(), d))
		}
	}
	w.now = w.now.Add(time.Minute)
	text := w.text(metrics.Options{})
	for _, want := range []string{
		`alerts{condition="account_expired",state="pending",workspace="acme"} 1`,
		`alerts{condition="account_expired",state="silenced",workspace="acme"} 1`,
		`alerts{condition="account_expired",state="open",workspace="acme"} 1`,
		`alerts{condition="stale",state="open",workspace="acme"} 0`,
		`alerts{condition="account_expired",state="open",workspace="other"} 0`,
		`deliveries{sink="ops",state="failing",workspace="acme"} 1`,
		`deliveries{sink="ops",state="waiting",workspace="acme"} 1`,
		`deliveries{sink="mail",state="failing",workspace="acme"} 1`,
		`oldest_delivery_age_seconds{sink="ops",workspace="acme"} 59`,
	} {
		if !strings.Contains(text, "\nlobstrail_"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, `sink="done"`) {
		t.Error("what was delivered waits")
	}
	promtool(t, text, "check", "metrics")
}

// A squid whose only account was deleted has no healthy account; no account tells of it.
func TestMetricsCountASquidThatLostItsAccounts(t *testing.T) {
	w := history(t)
	w.run("acme", store.Complete, account(1, "ada", "x-sync", "200", "a", "b"), account(2, "ben", "x-sync", "200", "a"), account(3, "cleo", "in-sync", "200"))
	const none = `lobstrail_squids{healthy_accounts="0",workspace="acme"} `
	if text := w.text(metrics.Options{}); !strings.Contains(text, none+"1\n") {
		t.Errorf("it does not count:\n%s", text)
	}
	w.now = w.now.Add(8 * 24 * time.Hour)
	if text := w.text(metrics.Options{}); !strings.Contains(text, none+"0\n") {
		t.Errorf("it counts for ever:\n%s", text)
	}
}

func TestMetricsWithNamesAreBoundedAndEscaped(t *testing.T) {
	w := newWatched(t)
	hostile := "a\"b\\c\nd\x1b[31m\u202e"
	objects := []string{account(0, hostile, hostile, "200", hostile), account(1, strings.Repeat("a", 5000), "", "401")}
	for n := 2; n < metrics.MostNamed+7; n++ {
		objects = append(objects, account(n, fmt.Sprint("u", n), fmt.Sprint("type-", n), "200"))
	}
	w.run(hostile, store.Complete, objects...)
	w.run("a\"b\\c\nd\x1b[31m\\u202e", store.Complete, objects[0]) // which reads like the other
	text := w.text(metrics.Options{Names: true, Workspaces: []string{hostile, "a\"b\\c\nd\x1b[31m\\u202e"}})
	if n := strings.Count(text, "\nlobstrail_account_healthy{"); n != metrics.MostNamed+1 {
		t.Errorf("%d accounts have a metric", n)
	}
	for _, want := range []string{
		`username="a\"b\\c\\nd\\x1b[31m\\u202e"`, `lobstrail_names_left_out{what="account",workspace="a\"b\\c\\nd\\x1b[31m\\u202e"} 7`,
		`{what="account",workspace="a\"b\\c\\nd\\x1b[31m\\u202e (2)"} 0`, `username="` + strings.Repeat("a", 100) + `",workspace=`,
		`health="healthy",type="other"`, `health="expired",type="none"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e") {
		t.Error("control characters are in the metrics")
	}
	if types := len(regexp.MustCompile(`(?m)^lobstrail_accounts\{health="gone"`).FindAllString(text, -1)); types > 60 {
		t.Errorf("%d types have series", types)
	}
	promtool(t, text, "check", "metrics")
}

// Counters go on after prune and redact, and where nothing happened they begin at 0.
func TestCountersOnlyGrow(t *testing.T) {
	w := history(t)
	for range 5 {
		w.run("acme", store.Complete, account(1, "ada", "x-sync", "200", "a", "b"))
	}
	counters := regexp.MustCompile(`(?m)^lobstrail_\w+_(total|count|sum|bucket)\b.*$`)
	before := counters.FindAllString(w.text(metrics.Options{}), -1)
	pruned, err := w.Prune(t.Context(), "acme", store.Keep{Within: time.Nanosecond}, nil)
	w.must(err)
	_, err = w.Redact(t.Context(), "acme", fmt.Sprintf("%032x", 3))
	w.must(err)
	after := counters.FindAllString(w.text(metrics.Options{}), -1)
	if fmt.Sprint(before) != fmt.Sprint(after) || pruned.Thinned == 0 || len(before) < 60 {
		t.Errorf("%d pruned\n%s\nwere\n%s", pruned.Thinned, strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
}

func TestMetricsOfAnEmptyStore(t *testing.T) {
	w := newWatched(t)
	if text := w.text(metrics.Options{}); !strings.Contains(text, "lobstrail_store_bytes") || strings.Contains(text, "workspace=") {
		t.Error(text)
	}
	text := w.text(metrics.Options{Workspaces: []string{"nobody"}})
	if !strings.Contains(text, `lobstrail_last_complete_run_timestamp_seconds{workspace="nobody"} 0`) {
		t.Error(text)
	}
	promtool(t, text, "check", "metrics")
}

func TestAStoreThatCannotBeReadHasNoMetrics(t *testing.T) {
	w := history(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	families, err := metrics.New(ctx, w.Store, metrics.Options{Now: time.Now, Workspaces: []string{"acme"}}).Gather()
	if err == nil || !strings.Contains(err.Error(), `workspace "acme"`) {
		t.Errorf("%d families, %v", len(families), err)
	}
}

func TestPromtoolFindsNothing(t *testing.T) {
	promtool(t, history(t).text(metrics.Options{Names: true}), "check", "metrics")
}

// promtool runs the tool of Prometheus, which must have nothing to say of the input.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed (it is in Debian's package prometheus)")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool %q: %v: %s", args, err, out)
	}
}
