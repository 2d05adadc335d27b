package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// Thresholds say when a workspace is well enough.
type Thresholds struct {
	// FreshFor is how old the newest complete run may be. There must always be one.
	FreshFor time.Duration
	// Squids are ids of squids that must each use MinHealthy healthy accounts. Without
	// squids it is the workspace that must have so many; 0 is no threshold then.
	Squids     []string
	MinHealthy int
	// MaxDown is how many accounts, or how many percent of those that are not gone, may be
	// expired or failing; nil: any number.
	MaxDown *MaxDown
	// NoOpen are the conditions of which no alert may be open. One that is silenced does
	// not count.
	NoOpen []store.Condition
}

// MaxDown is a number, or a percentage.
type MaxDown struct {
	N       float64
	Percent bool
}

// String is the number, with a sign for a percentage.
func (m MaxDown) String() string {
	text := fmt.Sprintf("%g", m.N)
	if m.Percent {
		text += "%"
	}
	return text
}

// ReasonJSON is one reason why a workspace is not well enough. What does not apply is null.
type ReasonJSON struct {
	Workspace string `json:"workspace"`
	Check     string `json:"check"` // fresh, healthy, down or alerts
	Squid     Text   `json:"squid"`
	SquidName Text   `json:"squid_name"`
	Condition Text   `json:"condition"`
	// Value is what was found, and Limit what is allowed or wanted: seconds, accounts or
	// open alerts. Value is null when there is no complete run.
	Value   *float64 `json:"value"`
	Limit   float64  `json:"limit"`
	Message string   `json:"message"` // for people
}

// Check compares how a workspace stands with thresholds. No reason: it is well enough.
func Check(o Overview, t Thresholds) (reasons []ReasonJSON) {
	add := func(r ReasonJSON) {
		r.Workspace = o.Workspace
		reasons = append(reasons, r)
	}
	stale := o.checkFresh(t, add)
	o.checkHealthy(t, add)
	o.checkDown(t, add)
	o.checkAlerts(t, stale, add)
	return reasons
}

func (o Overview) checkFresh(t Thresholds, add func(ReasonJSON)) (stale bool) {
	r := ReasonJSON{Check: "fresh", Limit: t.FreshFor.Seconds()}
	run := o.LastComplete()
	switch {
	case run == nil:
		r.Message = "there is no complete run over all accounts"
		if o.Newest != nil {
			r.Message += fmt.Sprintf("; run %d, the newest, is %s", o.Newest.ID, o.Newest.State)
		}
	case o.Stale(t.FreshFor):
		age := o.At.Sub(run.Finished)
		r.Value = new(age.Seconds())
		r.Message = fmt.Sprintf("the newest complete run, %d, ended %s ago; %s is allowed", run.ID, render.Rounded(age), render.Duration(t.FreshFor))
	default:
		return false
	}
	add(r)
	return true
}

func (o Overview) checkHealthy(t Thresholds, add func(ReasonJSON)) {
	counts := o.Counts()
	if len(t.Squids) == 0 && counts.Healthy < t.MinHealthy {
		add(ReasonJSON{Check: "healthy", Value: new(float64(counts.Healthy)), Limit: float64(t.MinHealthy),
			Message: fmt.Sprintf("%d of %d accounts healthy; %d wanted", counts.Healthy, counts.Accounts-counts.Gone, t.MinHealthy)})
	}
	for _, id := range t.Squids {
		squid := SquidJSON{ID: id, Name: Text(id)}
		if i := slices.IndexFunc(o.Squids, func(s SquidJSON) bool { return s.ID == id }); i >= 0 {
			squid = o.Squids[i]
		}
		if healthy := squid.Healthy(); healthy < t.MinHealthy {
			add(ReasonJSON{Check: "healthy", Squid: Text(id), SquidName: squid.Name, Value: new(float64(healthy)), Limit: float64(t.MinHealthy),
				Message: fmt.Sprintf("squid %q has %d of %d accounts healthy; %d wanted", squid.Name, healthy, len(squid.Accounts), t.MinHealthy)})
		}
	}
}

func (o Overview) checkDown(t Thresholds, add func(ReasonJSON)) {
	if t.MaxDown == nil {
		return
	}
	counts := o.Counts()
	down, all := counts.Expired+counts.Failing, counts.Accounts-counts.Gone
	found := float64(down)
	if t.MaxDown.Percent {
		found = 100 * float64(down) / float64(max(all, 1))
	}
	if found > t.MaxDown.N {
		add(ReasonJSON{Check: "down", Value: new(found), Limit: t.MaxDown.N,
			Message: fmt.Sprintf("%d of %d accounts down (%d expired, %d failing); %s allowed", down, all, counts.Expired, counts.Failing, t.MaxDown)})
	}
}

// mostOpen is how many alerts of a condition are named.
const mostOpen = 5

// checkAlerts adds a reason for each condition. That the data are stale is said once.
func (o Overview) checkAlerts(t Thresholds, stale bool, add func(ReasonJSON)) {
	usernames, squids := o.names()
	for _, condition := range store.Conditions {
		if !slices.Contains(t.NoOpen, condition) || stale && condition == store.Stale {
			continue
		}
		n, names := 0, []string{}
		for _, a := range o.Alerts {
			if a.Condition != condition || a.FiredAt.IsZero() || a.Silenced {
				continue
			}
			n++
			if name := subject(a, usernames, squids); name != "" && len(names) < mostOpen {
				names = append(names, name)
			}
		}
		if n == 0 {
			continue
		}
		message := fmt.Sprintf("%s: %d open", condition, n)
		if len(names) > 0 {
			message += ": " + strings.Join(names, ", ")
		}
		if more := n - len(names); more > 0 && len(names) > 0 {
			message += fmt.Sprintf(" and %d more", more)
		}
		add(ReasonJSON{Check: "alerts", Condition: Text(condition), Value: new(float64(n)), Message: message})
	}
}

// subject names what an alert is about; "" for the workspace.
func subject(a store.Alert, usernames, squids map[string]string) string {
	id, name := a.Account, usernames[a.Account]
	if id == "" {
		id, name = a.Squid, squids[a.Squid]
	}
	return cmp.Or(name, id)
}
