package report

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

func drawText(t *rapid.T) string {
	return rapid.OneOf(rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{
		"sales.lead", `"quoted\"`, "a\x00b\x1f\x7f\n", "é世\U0001F600\u2028", "not UTF-8: \xff\xc3", "<b>&amp;</b>",
	})).Draw(t, "text")
}

func drawTime(t *rapid.T) time.Time {
	return rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Custom(func(t *rapid.T) time.Time {
			const last = 253402300799999 // of the year 9999
			return time.UnixMilli(rapid.Int64Range(-62167219200000, last).Draw(t, "ms")).UTC()
		}),
		rapid.SampledFrom([]time.Time{
			time.Unix(1767319445, 6999999).In(time.FixedZone("", 3600)), time.UnixMilli(0), time.Unix(1<<36, 0).UTC(),
		}),
	).Draw(t, "time")
}

func drawWindow(t *rapid.T) store.Window {
	return store.Window{After: drawTime(t), Before: drawTime(t)}
}

func drawAccount(t *rapid.T) store.AccountState {
	a := store.AccountState{
		Workspace: drawText(t), ID: drawText(t), HealthSince: drawWindow(t), SeenAt: drawTime(t), UnlistedSince: drawTime(t),
		Facts: store.Facts{
			Username: drawText(t), Type: drawText(t), Status: drawText(t), Info: drawText(t), Description: drawText(t),
			LastSync: drawText(t), Health: rapid.SampledFrom(store.Healths).Draw(t, "health"),
		},
	}
	for range rapid.IntRange(0, 3).Draw(t, "squids") {
		a.Facts.Squids = append(a.Facts.Squids, store.Squid{ID: drawText(t), Name: drawText(t)})
	}
	return a
}

func drawAssignment(t *rapid.T) store.Assignment {
	a := store.Assignment{
		Squid: drawText(t), SquidName: drawText(t), Account: drawText(t), Username: drawText(t), From: drawWindow(t),
		Health: rapid.SampledFrom(store.Healths).Draw(t, "health"),
	}
	if rapid.Bool().Draw(t, "ended") {
		to := drawWindow(t)
		a.To = &to
	}
	return a
}

// sameJSON compares appended JSON with what the encoder of answers makes of a value.
func sameJSON(t *rapid.T, appended []byte, value any) {
	t.Helper()
	want, err := json.Marshal(value, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		t.Fatal(err)
	}
	if string(appended) != string(want) {
		t.Fatalf("%s instead of %s", appended, want)
	}
}

func TestAppendedRowsAreWhatTheirTypesAreInJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		account := drawAccount(t)
		sameJSON(t, AppendAccount(nil, &account), NewAccountJSON(account))
		use := drawAssignment(t)
		sameJSON(t, AppendAssignment(nil, &use), NewAssignmentJSON(use))
		uses := rapid.SliceOfN(rapid.Custom(drawAssignment), 0, 3).Draw(t, "uses")
		squid := NewSquidJSON(store.Name{ID: use.Squid, Name: use.SquidName}, uses)
		sameJSON(t, AppendSquid(nil, &squid), squid)
	})
}
