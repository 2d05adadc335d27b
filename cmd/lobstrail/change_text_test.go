package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

func TestChangesInWords(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	field := func(kind store.Kind, path, old, new string) store.AccountChange {
		return store.AccountChange{Change: store.Change{Kind: kind, Path: path, Old: json.RawMessage(old), New: json.RawMessage(new),
			HealthBefore: store.Healthy, HealthAfter: store.Expired}}
	}
	for want, row := range map[string]changeRow{
		"status: 200 → 401 (healthy → expired)": {field(store.StatusChanged, "/status", `"200"`, `401`)},
		"status: 200 → 401 (healthy → expired), cookies_expired, Cookies have expired.": {
			field(store.StatusChanged, "/status_code_description", `"Success!"`, `"Cookies have expired."`),
			field(store.StatusChanged, "/status_code_info", `"synchronized"`, `"cookies_expired"`),
			field(store.StatusChanged, "/status", `"200"`, `"401"`)},
		"until 2026-11-15 20:00 (healthy → expired)":      {field(store.LockBegan, "/lock_time", `null`, `1794769200`)},
		"was until 2026-11-15 20:00 (healthy → expired)":  {field(store.LockEnded, "/lock_time", `"2026-11-15T19:00:00Z"`, `null`)},
		"lock_time: 2026-11-15 20:00 → 2026-11-16 02:00":  {field(store.FieldChanged, "/lock_time", `1794769200`, `1794790800`)},
		"lock_time: soon → -":                             {field(store.FieldChanged, "/lock_time", `"soon"`, `null`)},
		"last_synchronization_time: - → 2026-11-15 20:00": {field(store.Synced, "/last_synchronization_time", `null`, `"2026-11-15T19:00:00Z"`)},
		"searches max: 200 → 250 (healthy → expired)":     {field(store.LimitChanged, "/params/user/searches/max", `200`, `250`)},
	} {
		if got := row.text(zone); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
