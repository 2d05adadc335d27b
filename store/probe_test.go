package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

const pid = "0123456789abcdef0123456789abcdef"

func TestProbe(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	t0 := time.Now()
	s, _, err := store.OpenWriter(ctx, filepath.Join(t.TempDir(), "a.db"), store.Options{Rules: report.Rules(), Now: func() time.Time { return now }})
	fmt.Println("open", time.Since(t0), err)
	look := func(src store.Source, raw string) {
		w, err := s.Begin(ctx, "w", store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		t0 := time.Now()
		d, err := w.Append(ctx, store.Response{Source: src, Sent: now, Received: now.Add(time.Second), Accounts: []store.Observed{{ID: pid, Raw: []byte(raw)}}})
		fmt.Println(d, err, time.Since(t0))
		w.Fail(ctx, 1, store.Failure{Kind: store.FailHTTP, Message: "x"})
		w.Finish(ctx, store.Outcome{State: store.Complete})
		now = now.Add(time.Hour)
		doc, err := s.Document(ctx, store.AccountQuery{Workspace: "w", Account: pid}, true)
		fmt.Println("  doc", string(doc), err)
		st, _ := s.State(ctx, "w", pid, time.Time{})
		f, err := report.Read(st)
		for a := range s.Accounts(ctx, store.AccountQuery{Workspace: "w"}) {
			fmt.Println("  health", a.Facts.Health, "state", f.Health, err)
		}
	}
	look(store.List, `{"id":"x","icon":"","status":"200","params":{"user":{"p":{"value":1},"q":{"current":2}}}}`)
	look(store.List, `{"id":"x","icon":null,"status":"200","params":{"user":{"p":5,"q":null}}}`)
	look(store.List, `{"id":"x","status":"200","resets_in":100,"f":"A"}`)
	look(store.Detail, `{"id":"x","status":"200","f":"B"}`)
	look(store.Detail, `{"id":"x","status":"200"}`)
	look(store.List, `{"id":"x","status":"200","params":{"user":{"p":{"value":123456789012345678901234567890,"max":1e400,"timestamp":12345.5},"q":{"value":null,"current":7}}}}`)
	for c, err := range s.Changes(ctx, store.ChangeQuery{Workspace: "w"}) {
		fmt.Println(c.Kind, c.Path, string(c.Old), string(c.New), c.HealthBefore, c.HealthAfter, c.Window.After.Format(time.TimeOnly), c.Window.Before.Format(time.TimeOnly), err)
	}
	for c, err := range s.StatusSteps(ctx, store.PeriodQuery{Workspace: "w"}) {
		fmt.Println(c, err)
	}
	for c, err := range s.Usage(ctx, store.PeriodQuery{Workspace: "w"}) {
		fmt.Println(c.Limit, string(c.Value), string(c.Max), c.ResetsAt, err)
	}
	s.Query(ctx, "select limit_name,value,max,resets_at from limit_usage", func([]string) error { return nil }, func(r []any) error { fmt.Println(r); return nil })
	fmt.Println("empty query", s.Query(ctx, "", func([]string) error { return nil }, func(r []any) error { fmt.Println(r); return nil }))
	t0 = time.Now()
	fmt.Println("rederive", s.Rederive(ctx, nil))
	for r, err := range s.Runs(ctx, "w") {
		fmt.Println(r.ID, err, time.Since(t0))
	}
}
