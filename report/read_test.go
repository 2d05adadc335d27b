package report_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// The store of this test has a snapshot of 06:00, when all was well, and one of 07:00.
func TestReadTellsAPeriodByWhatWasKnownAtItsEnd(t *testing.T) {
	path, remove := history()
	defer remove()
	st, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		until                     time.Time
		healthy, expired, changes int
		runs                      int
	}{
		"before the first snapshot": {day.Add(5 * time.Hour), 0, 0, 0, 0},
		"before the second":         {day.Add(6*time.Hour + 30*time.Minute), 1, 0, 1, 1},
		"after both":                {day.Add(8 * time.Hour), 0, 1, 4, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := report.Read(t.Context(), st, "acme", day, c.until)
			if err != nil {
				t.Fatal(err)
			}
			if r.Status.Summary.Healthy != c.healthy || r.Status.Summary.Expired != c.expired || len(r.Changes) != c.changes || len(r.Runs.Days) > 1 {
				t.Errorf("%+v, %d changes", r.Status.Summary, len(r.Changes))
			}
			runs := 0
			for _, day := range r.Runs.Days {
				runs += day.Complete
			}
			if runs != c.runs || r.Squids == nil || r.Limits == nil {
				t.Errorf("%d runs; %+v", runs, r)
			}
		})
	}
}

func TestReadRefusesWhatItCannotTell(t *testing.T) {
	path, remove := history()
	defer remove()
	st, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for _, workspace := range []string{"", "acmee"} {
		if _, err := report.Read(t.Context(), st, workspace, day, day.Add(time.Hour)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("workspace %q: %v", workspace, err)
		}
	}
	for _, until := range []time.Time{{}, day, day.Add(-time.Hour)} {
		if _, err := report.Read(t.Context(), st, "acme", day, until); err == nil {
			t.Errorf("a period that ends at %s was taken", until)
		}
	}
}
