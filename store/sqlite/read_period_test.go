package sqlite_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
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

// TestAssignmentsThatAreKept: a query keeps those of all assignments that it says.
func TestAssignmentsThatAreKept(t *testing.T) {
	t.Parallel()
	seen := 0
	plays(t, 7000, func(s *sqlite.Store, workspace string, moments []time.Time) {
		whole := collect(t, s.Assignments(t.Context(), store.AssignmentQuery{Workspace: workspace}))
		if len(whole) == 0 {
			return
		}
		for i, at := range moments {
			one, middle := whole[i%len(whole)], moments[len(moments)/2]
			if i%2 == 1 { // exactly at an end
				at = one.From.Before
				if one.To != nil {
					at = one.To.Before
				}
			}
			for _, q := range []store.AssignmentQuery{
				{At: at}, {Open: true}, {Since: at}, {Until: at}, {Since: middle, Until: at}, {Since: middle, Until: at, Moved: true}, {Until: at, Moved: true},
				{Squid: one.Squid}, {Account: one.Account}, {Squid: one.Squid, Account: one.Account, Since: at, Moved: true},
			} {
				q.Workspace = workspace
				want := slices.DeleteFunc(slices.Clone(whole), func(g store.Assignment) bool { return !keeps(q, g) })
				for i := range want {
					if !at.IsZero() && q.At.Equal(at) { // that it ended was received later
						want[i].To = nil
					}
				}
				got := collect(t, s.Assignments(t.Context(), q))
				if g, w := texts(q, got), texts(q, want); g != w {
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

// keeps reports whether the query keeps the assignment, by the words of
// [store.AssignmentQuery].
func keeps(q store.AssignmentQuery, g store.Assignment) bool {
	until := q.Until.UnixMilli()
	if q.Until.IsZero() {
		until = math.MaxInt64
	}
	in := func(w store.Window) bool {
		return !w.Before.Before(q.Since) && w.Before.UnixMilli() <= until
	}
	begin := g.From.After
	if begin.IsZero() {
		begin = g.From.Before
	}
	switch {
	case q.Squid != "" && g.Squid != q.Squid, q.Account != "" && g.Account != q.Account:
		return false
	case q.Open && g.To != nil:
		return false
	case !q.At.IsZero() && (g.From.Before.After(q.At) || g.To != nil && !g.To.Before.After(q.At)):
		return false
	case g.To != nil && !g.To.Before.After(q.Since), begin.UnixMilli() > until:
		return false
	case q.Moved && !(g.To != nil && in(*g.To)) && !(!g.From.After.IsZero() && in(g.From)):
		return false
	}
	return true
}

// texts leaves out the names, which are those of the moment that was asked for. They
// make the order.
func texts(q store.AssignmentQuery, all []store.Assignment) string {
	var lines []string
	for _, g := range all {
		to := g.To
		if !q.At.IsZero() { // nobody knew then that it would end
			to = nil
		}
		g.To, g.SquidName, g.Username, g.Health = nil, "", "", ""
		lines = append(lines, fmt.Sprintf("%+v %+v", g, to))
	}
	if !q.At.IsZero() {
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n")
}

// TestUsageOfPeriods: the uses of a period are those that all of history says, with the
// limits that were in force at its end by the documents.
func TestUsageOfPeriods(t *testing.T) {
	t.Parallel()
	days, edited := 0, 0
	plays(t, 8000, func(s *sqlite.Store, workspace string, moments []time.Time) {
		whole := collect(t, s.Usage(t.Context(), store.PeriodQuery{Workspace: workspace}))
		for _, until := range moments {
			since := moments[1]
			uses := collect(t, s.Usage(t.Context(), store.PeriodQuery{Workspace: workspace, Since: since, Until: until}))
			if got, want := useTexts(uses), useTexts(inPeriod(whole, since, until)); got != want {
				t.Fatalf("%v to %v:\n%s\ninstead of\n%s", since, until, got, want)
			}
			accounts := collect(t, s.Accounts(t.Context(), store.AccountQuery{Workspace: workspace, At: until}))
			end := cmp.Or(until, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)).Add(time.Millisecond)
			got := limitText(t, uses, accounts, end.Add(-72*time.Hour), end)
			for i := range uses {
				if uses[i].EditedMax != nil {
					edited++
				}
				uses[i].EditedMax = maxOf(t, s, workspace, uses[i], until)
			}
			want := limitText(t, uses, accounts, end.Add(-72*time.Hour), end)
			if got != want {
				t.Fatalf("%v: %s", until, gocmp.Diff(want, got))
			}
			days += len(got)
		}
	})
	if days == 0 || edited == 0 {
		t.Error("nothing was compared", days, edited)
	}
}

// maxOf is the limit in force by the account's document at a moment; nil for none.
func maxOf(t *testing.T, s *sqlite.Store, workspace string, use store.Use, at time.Time) json.RawMessage {
	t.Helper()
	raw, err := s.Document(t.Context(), store.AccountQuery{Workspace: workspace, Account: use.Account, At: at}, false)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // the moment is before the period
		t.Fatal(err)
	}
	var doc struct {
		Params struct {
			User map[string]struct{ Max json.RawMessage }
		}
	}
	if len(raw) > 0 && json.Unmarshal(raw, &doc) != nil {
		t.Fatalf("%s", raw)
	}
	return doc.Params.User[use.Limit].Max
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
