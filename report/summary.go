package report

import (
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// SummaryJSON is a period in a few figures, against the period of the same length
// before it.
type SummaryJSON struct {
	Workspace     string         `json:"workspace"`
	PreviousSince Time           `json:"previous_since"` // the period before ends when this one begins
	Since         Time           `json:"since"`
	Until         Time           `json:"until"`
	Freshness     *FreshnessJSON `json:"freshness,omitzero"`
	Now           FiguresJSON    `json:"now"`
	Previous      *FiguresJSON   `json:"previous"` // null when no account was known then
	// PreviousFrom is when the first account was seen, where that was within the
	// period before; else null.
	PreviousFrom Time `json:"previous_from"`
}

// FiguresJSON are the figures of one period. An account is down while it is expired,
// failing or unknown.
type FiguresJSON struct {
	Accounts         int              `json:"accounts"` // at the end, gone ones left out
	Healthy          int              `json:"healthy"`  // at the end
	Down             []AccountRefJSON `json:"down"`     // at the end
	WentDown         int              `json:"went_down"`
	DownMin          Seconds          `json:"down_min_seconds"` // of all accounts together
	DownMax          Seconds          `json:"down_max_seconds"`
	Gone             []AccountRefJSON `json:"gone"`                           // in the period
	SquidsWithout    []SquidRefJSON   `json:"squids_without_healthy_account"` // at the end
	AssignmentsLost  int              `json:"assignments_lost"`
	LimitsNearlyUsed int              `json:"limits_nearly_used"`
	Runs             int              `json:"runs"`
	RunsComplete     int              `json:"runs_complete"`
	LongestGap       Seconds          `json:"longest_gap_seconds"`
}

// NewSummary sums up the reports of a period and of the one before it, which must
// have all sections but the changes.
func NewSummary(now, before Input) SummaryJSON {
	s := SummaryJSON{
		Workspace: now.Workspace, PreviousSince: Time{before.Since}, Since: Time{now.Since}, Until: Time{now.Until},
		Freshness: now.Freshness, Now: newFigures(now),
	}
	if len(before.Accounts) == 0 {
		return s
	}
	figures := newFigures(before)
	s.Previous = &figures
	first := before.Accounts[0].FirstSeen
	for _, a := range before.Accounts {
		if a.FirstSeen.Before(first) {
			first = a.FirstSeen
		}
	}
	if first.After(before.Since) {
		s.PreviousFrom = Time{first}
	}
	return s
}

func newFigures(in Input) FiguresJSON {
	r := Build(in)
	f := FiguresJSON{Down: []AccountRefJSON{}, Gone: []AccountRefJSON{}, SquidsWithout: []SquidRefJSON{}}
	f.addStatus(r.Status, in.refs())
	for _, squid := range r.Squids.WithoutHealthy {
		f.SquidsWithout = append(f.SquidsWithout, SquidRefJSON{ID: squid.ID, Name: squid.Name})
	}
	for _, squid := range newSquidLanes(r.Squids.BySquid, in.Accounts, in.Since) {
		for _, lane := range squid.Lanes {
			if lane.End == Lost || lane.End == LostGone {
				f.AssignmentsLost++
			}
		}
	}
	for _, limit := range r.Limits.Limits {
		if peak := limit.Peak(); peak != nil && *peak.Share >= NearlyUsed {
			f.LimitsNearlyUsed++
		}
	}
	f.Runs, f.RunsComplete, f.LongestGap = r.Runs.Summary.Runs, r.Runs.Summary.Complete, r.Runs.LongestGap.Seconds
	return f
}

func (f *FiguresJSON) addStatus(status *StatusSection, refs map[string]AccountRefJSON) {
	f.Accounts, f.Healthy = status.Summary.Accounts-status.Summary.Gone, status.Summary.Healthy
	for _, a := range status.Accounts {
		if down(a.Health) {
			f.Down = append(f.Down, a.AccountRefJSON)
		}
		for _, segment := range a.Timeline.Segments {
			length := Seconds(segment.To.Sub(segment.From))
			if slices.ContainsFunc(segment.Healths, down) {
				f.DownMax += length
				if !slices.ContainsFunc(segment.Healths, func(h store.Health) bool { return !down(h) }) {
					f.DownMin += length
				}
			}
		}
	}
	for _, t := range status.Transitions {
		before, after := store.Health(t.HealthBefore), store.Health(t.HealthAfter)
		switch {
		case down(after) && !down(before):
			f.WentDown++
		case after == store.Gone && before != store.Gone:
			f.Gone = append(f.Gone, refs[t.Account])
		}
	}
}

// down reports whether an account in this health needs a hand.
func down(h store.Health) bool {
	return slices.Contains([]store.Health{store.Expired, store.Failing, store.Unknown}, h)
}

// Length is that of either period.
func (s SummaryJSON) Length() time.Duration { return s.Until.Sub(s.Since.Time) }
