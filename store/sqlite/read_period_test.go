package sqlite_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) (all []T) {
	t.Helper()
	for value, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, value)
	}
	return all
}

// plays runs random histories in one store and calls fn after each with moments of
// it, and the zero time, which is now.
func plays(t *testing.T, seed uint64, fn func(s *sqlite.Store, workspace string, moments []time.Time)) {
	t.Helper()
	arena := newArena(t)
	for n := range uint64(fewer(15, 5)) {
		p := newPlay(t, arena, seed+n)
		err := p.run(t.Context())
		p.close()
		if err != nil {
			t.Fatal(err)
		}
		moments := []time.Time{{}}
		for _, l := range p.looks {
			moments = append(moments, time.UnixMilli(l.received).UTC())
		}
		p.rand.Shuffle(len(moments)-1, func(i, j int) { moments[i+1], moments[j+1] = moments[j+1], moments[i+1] })
		fn(arena.store, p.workspace, moments[:min(len(moments), 8)])
	}
}

// TestAssignmentsOfAllAreThoseOfEach: what is read at once for all squids is what
// is read of each by itself.
func TestAssignmentsOfAllAreThoseOfEach(t *testing.T) {
	t.Parallel()
	seen := 0
	plays(t, 7000, func(s *sqlite.Store, workspace string, moments []time.Time) {
		for i, at := range moments {
			for _, q := range []store.AssignmentQuery{
				{At: at}, {Open: true}, {}, {Since: at}, {Until: at}, {Since: moments[len(moments)/2], Until: moments[i]},
			} {
				q.Workspace = workspace
				var want []store.Assignment
				for squid := range slices.Values(collect(t, s.Squids(t.Context(), workspace, q.At))) {
					q.Squid = squid.ID
					want = append(want, collect(t, s.Assignments(t.Context(), q))...)
				}
				q.Squid = ""
				got := collect(t, s.Assignments(t.Context(), q))
				if g, w := texts(got), texts(want); g != w {
					t.Fatalf("%+v:\n%s\ninstead of\n%s", q, g, w)
				}
				seen += len(got)
			}
		}
	})
	if seen == 0 {
		t.Error("no assignment was seen")
	}
}

func texts(all []store.Assignment) (text string) {
	for _, g := range all {
		to := g.To
		g.To = nil
		text += fmt.Sprintf("%+v %+v\n", g, to)
	}
	return text
}

// TestLimitsOfPeriods: the uses of a period are those that all of history says, and
// the few documents read beside them tell the same limits as all documents do.
func TestLimitsOfPeriods(t *testing.T) {
	t.Parallel()
	days, settingsUsed := 0, 0
	plays(t, 8000, func(s *sqlite.Store, workspace string, moments []time.Time) {
		whole := collect(t, s.Usage(t.Context(), store.PeriodQuery{Workspace: workspace}))
		for _, until := range moments {
			since := moments[1]
			q := store.PeriodQuery{Workspace: workspace, Since: since, Until: until}
			uses, settings, err := s.Limits(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := useTexts(uses), useTexts(inPeriod(whole, since, until)); got != want {
				t.Fatalf("%v to %v:\n%s\ninstead of\n%s", since, until, got, want)
			}
			settingsUsed += len(settings)
			accounts := collect(t, s.Accounts(t.Context(), store.AccountQuery{Workspace: workspace, At: until, Documents: true}))
			end := cmp.Or(until, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)).Add(time.Millisecond)
			want := limitText(t, uses, accounts, end.Add(-72*time.Hour), end)
			for i := range accounts {
				accounts[i].Document = settings[accounts[i].ID]
			}
			got := limitText(t, uses, accounts, end.Add(-72*time.Hour), end)
			if got != want {
				t.Fatalf("%v:\n%s\ninstead of\n%s", until, got, want)
			}
			days += len(got)
		}
	})
	if days == 0 || settingsUsed == 0 {
		t.Error("nothing was compared", days, settingsUsed)
	}
}

// inPeriod are the uses of the period and the last before it of each limit.
func inPeriod(whole []store.Use, since, until time.Time) (part []store.Use) {
	for i, use := range whole {
		last := i+1 == len(whole) || whole[i+1].Account != use.Account || whole[i+1].Limit != use.Limit
		before := !use.SeenAt.After(since) && (last || whole[i+1].SeenAt.After(since))
		if before || use.SeenAt.After(since) && (until.IsZero() || !use.SeenAt.After(until)) {
			part = append(part, use)
		}
	}
	return part
}

func useTexts(uses []store.Use) (text string) {
	for _, use := range uses {
		text += fmt.Sprintf("%s %s %s %s %s %s\n", use.Account, use.Limit, use.Value, use.Max, use.ResetsAt, use.SeenAt)
	}
	return text
}

// limitText leaves out how numbers are spelled, which is no difference.
func limitText(t *testing.T, uses []store.Use, accounts []store.AccountState, since, until time.Time) string {
	t.Helper()
	text, err := json.Marshal(report.NewLimits(uses, accounts, since, until))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestHealthStepsAreStatusSteps: those in which the health changed, with what is told
// of them.
func TestHealthStepsAreStatusSteps(t *testing.T) {
	t.Parallel()
	seen := 0
	plays(t, 7100, func(s *sqlite.Store, workspace string, moments []time.Time) {
		for i, at := range moments {
			q := store.PeriodQuery{Workspace: workspace, Since: at, Until: moments[len(moments)-1-i]}
			want := map[string][]store.StatusStep{}
			for _, step := range collect(t, s.StatusSteps(t.Context(), q)) {
				if step.HealthBefore != "" && step.HealthBefore != step.HealthAfter {
					want[step.Account] = append(want[step.Account], store.StatusStep{
						Account: step.Account, HealthBefore: step.HealthBefore, HealthAfter: step.HealthAfter, Window: step.Window,
					})
					seen++
				}
			}
			got, err := s.HealthSteps(t.Context(), q)
			if diff := gocmp.Diff(want, got); err != nil || diff != "" {
				t.Fatal(err, diff)
			}
		}
	})
	if seen < 20 {
		t.Errorf("only %d steps were compared", seen)
	}
}
