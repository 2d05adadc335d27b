package sqlite_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

// TestPlatforms: each with the document and the icon of the account that was named,
// and none of another workspace or of an account that is gone.
func TestPlatforms(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := openStore(t, memoryPath(t), func() time.Time { return now })
	id := func(n int) string { return fmt.Sprintf("%032x", n) }
	look := func(workspace string, absent []string, objects ...string) {
		t.Helper()
		now = now.Add(time.Minute)
		run, err := s.Begin(t.Context(), workspace, store.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		response := store.Response{Source: store.List, Sent: now, Received: now, Requests: 1, Absent: absent}
		if absent != nil {
			response.Source = store.Detail
		}
		for _, object := range objects {
			var named struct{ ID string }
			if err := json.Unmarshal([]byte(object), &named); err != nil {
				t.Fatal(err)
			}
			response.Accounts = append(response.Accounts, store.Observed{ID: named.ID, Raw: json.RawMessage(object)})
		}
		if _, err := run.Append(t.Context(), response); err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
			t.Fatal(err)
		}
	}
	object := func(n int, kind, status, icon string) string {
		return fmt.Sprintf(`{"id":"%s","type":"%s","status":"%s","icon":%s}`, id(n), kind, status, icon)
	}
	look("w", nil, object(1, "x", "200", `"one"`), object(2, "x", "200", `"two"`), object(3, "y", "200", "null"), object(4, "z", "200", `"z"`))
	look("other", nil, object(9, "o", "200", `"o"`))
	look("w", nil, object(1, "x", "401", `"one"`), object(2, "x", "200", `"two"`), object(3, "y", "200", "null"), object(4, "z", "200", `"z"`))
	look("w", []string{id(4)})
	look("w", []string{}, object(1, "x", "401", `"newer"`)) // the detail, which spoke last
	platforms, err := s.Platforms(t.Context(), "w", []string{id(3), id(1), id(4), id(9), "x"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range platforms {
		var document struct{ ID, Icon string }
		if err := json.Unmarshal(p.Document, &document); err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Type+" "+document.ID[31:]+" "+p.Icon)
	}
	if diff := cmp.Diff([]string{"x 1 newer", "y 3 "}, got); diff != "" {
		t.Error(diff)
	}
	if platforms, err := s.Platforms(t.Context(), "nobody", []string{id(1)}); err != nil || platforms != nil {
		t.Errorf("of no workspace: %v, %v", platforms, err)
	}
}
