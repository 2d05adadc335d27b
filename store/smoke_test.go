package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	raw, _ := os.ReadFile("testdata/accounts-page.json")
	var env struct{ Data []json.RawMessage }
	if err := json.Unmarshal(raw, &env); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "sub", "a.db")
	s, created, err := store.OpenWriter(ctx, path, store.Options{Rules: report.Rules(), Now: func() time.Time { return now }})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	obs := func(edit func(string) string) (out []store.Observed) {
		for _, r := range env.Data {
			var id struct{ ID string }
			json.Unmarshal(r, &id)
			out = append(out, store.Observed{ID: id.ID, Raw: []byte(edit(string(r)))})
		}
		return
	}
	same := func(s string) string { return s }
	round := func(edit func(string) string, absent ...string) {
		w, err := s.Begin(ctx, "default", store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		a := obs(edit)
		if absent != nil {
			a = a[:2]
		}
		done, err := w.Append(ctx, store.Response{Source: store.List, Sent: now, Received: now.Add(time.Second), Accounts: a, Requests: 1})
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.Unlist(ctx, now)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := w.Missing(ctx, "", 10)
		fmt.Println(done, n, ids, err)
		if absent != nil {
			done, err = w.Append(ctx, store.Response{Source: store.Detail, Sent: now, Received: now.Add(time.Second), Absent: absent, Requests: 2})
			fmt.Println(done, err)
		}
		if err := w.Finish(ctx, store.Outcome{State: store.Complete, Requested: 3}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	round(same)
	round(same)
	round(func(s string) string {
		return strings.ReplaceAll(strings.Replace(s, `"401"`, `"200"`, 1), `"value": 143`, `"value": 144`)
	})
	round(same, "2372242060b59e03ac39f7691765bbf8")
	round(same)
	dump := func(s *store.Store) (out string) {
		for c, err := range s.Changes(ctx, store.ChangeQuery{Workspace: "default"}) {
			out += fmt.Sprintln(c.Username, c.Kind, c.Path, string(c.Old), string(c.New), c.HealthBefore, c.HealthAfter, c.Window.After.Format(time.TimeOnly), c.Window.Before.Format(time.TimeOnly), c.Run, err)
		}
		for _, at := range []time.Time{{}, now.Add(-2 * time.Hour)} {
			for a, err := range s.Accounts(ctx, store.AccountQuery{Workspace: "default", At: at}) {
				out += fmt.Sprintln(a, err)
			}
		}
		for a, err := range s.Assignments(ctx, store.AssignmentQuery{Workspace: "default"}) {
			out += fmt.Sprintln(a, err)
		}
		for a, err := range s.Usage(ctx, store.PeriodQuery{Workspace: "default"}) {
			out += fmt.Sprintln(a.Limit, string(a.Value), string(a.Max), a.ResetsAt, a.SeenAt, err)
		}
		for a, err := range s.StatusSteps(ctx, store.PeriodQuery{Workspace: "default"}) {
			out += fmt.Sprintln(a, err)
		}
		for a, err := range s.Runs(ctx, "default") {
			out += fmt.Sprintln(a, err)
		}
		d, err := s.Document(ctx, store.AccountQuery{Workspace: "default", Account: "2372242060b59e03ac39f7691765bbf8"}, true)
		out += fmt.Sprintln(string(d), err)
		return
	}
	before := dump(s)
	fmt.Println(before)
	if err := s.Rederive(ctx, nil); err != nil {
		t.Fatal(err)
	}
	after := dump(s)
	if before != after {
		t.Error("rederive differs", after)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(r); got != before {
		t.Error(got)
	}
	for _, v := range []string{"account_current", "account_versions", "changes", "status_changes", "squid_assignments", "limit_usage", "snapshots", "runs", "failures"} {
		err := r.Query(ctx, "select * from "+v, func(c []string) error { fmt.Println(v, c); return nil }, func(r []any) error { return nil })
		if err != nil {
			t.Error(v, err)
		}
	}
	for _, q := range []string{"vacuum into '/tmp/zzz.db'", "attach '/tmp/zzz.db' as x", "insert into setting values(1,2)", "create temp table x(a)", "pragma journal_mode=delete", "select 1; vacuum into '/tmp/zzz2.db'", "pragma table_info(run)", "explain select 1", "with x as (select 1) select * from x"} {
		fmt.Println(q, "=>", r.Query(ctx, q, func([]string) error { return nil }, func([]any) error { return nil }))
	}
	es, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range es {
		i, _ := e.Info()
		fmt.Println(e.Name(), i.Size(), i.Mode())
	}
	r.Close()
}
