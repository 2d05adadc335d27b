package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// StatusSection tells which accounts stopped working and when, and for how
// long.
type StatusSection struct {
	Summary     HealthCounts      `json:"summary"`
	NeedResync  []ResyncJSON      `json:"need_resync"` // expired now
	Transitions []TransitionJSON  `json:"transitions"` // seen in the period, oldest first
	Accounts    []AccountTimeJSON `json:"accounts"`    // sorted by username, then id
}

// HealthCounts is the number of accounts by health at the end of the period.
type HealthCounts struct {
	Accounts int `json:"accounts"` // all of them, gone ones included
	Gone     int `json:"gone"`
	Expired  int `json:"expired"`
	Failing  int `json:"failing"`
	Unknown  int `json:"unknown"`
	Locked   int `json:"locked"`
	Healthy  int `json:"healthy"`
}

// ResyncJSON is an account that needs a re-synchronisation.
type ResyncJSON struct {
	ID       string         `json:"id"`
	Username Text           `json:"username"`
	Type     Text           `json:"type"`
	Status   Text           `json:"status"`
	Info     Text           `json:"status_code_info"`
	Since    WindowJSON     `json:"since"`  // when it expired
	Squids   []SquidRefJSON `json:"squids"` // that go without it meanwhile
	// Cookies are those that a synchronisation needs: null when not known, and all
	// those of a session when empty.
	Cookies []CookieJSON `json:"cookies"`
	Command string       `json:"command"` // of the vendor's tool, that synchronises it
}

// TransitionJSON is a step in which a status field or the health changed.
type TransitionJSON struct {
	Account      string `json:"account"`
	Username     Text   `json:"username"`
	HealthBefore Text   `json:"health_before"`
	HealthAfter  Text   `json:"health_after"`
	StatusBefore Text   `json:"status_before"`
	StatusAfter  Text   `json:"status_after"`
	InfoBefore   Text   `json:"info_before"`
	InfoAfter    Text   `json:"info_after"`
	After        Time   `json:"after"`
	Before       Time   `json:"before"`
	Run          int64  `json:"run"`
}

// AccountTimeJSON is the time one account spent in each health. The sum of all
// min_seconds, uncertain_seconds and not_watched_seconds is the period.
type AccountTimeJSON struct {
	AccountRefJSON
	Type       Text             `json:"type"`
	Times      []HealthTimeJSON `json:"times"` // worst first
	Uncertain  Seconds          `json:"uncertain_seconds"`
	NotWatched Seconds          `json:"not_watched_seconds"`
	// Timeline is what the row was made from, for renderers.
	Timeline Timeline `json:"-"`
}

// HealthTimeJSON is the time in one health: at least min, at most max.
type HealthTimeJSON struct {
	Health store.Health `json:"health"`
	Min    Seconds      `json:"min_seconds"`
	Max    Seconds      `json:"max_seconds"`
}

// Negligible reports whether a length of time is too short to be worth a word in
// a report of the period: less than a minute, or than a thousandth of the period.
// The time between the last snapshot and the end of the period is usually that.
func Negligible(length Seconds, period time.Duration) bool {
	return time.Duration(length) < max(time.Minute, period/1000)
}

// inPeriod reports whether something was seen in the period.
func (in Input) inPeriod(t time.Time) bool { return !t.Before(in.Since) && t.Before(in.Until) }

func (in Input) status() *StatusSection {
	s := &StatusSection{NeedResync: []ResyncJSON{}, Transitions: in.transitions(), Accounts: []AccountTimeJSON{}}
	steps := map[string][]store.StatusStep{}
	for _, step := range in.Steps {
		if step.Window.Before.Before(in.Until) {
			steps[step.Account] = append(steps[step.Account], step)
		}
	}
	platforms := in.platforms()
	for _, a := range in.Accounts {
		s.Summary.count(a.Facts.Health)
		if a.Facts.Health == store.Expired {
			s.NeedResync = append(s.NeedResync, newResync(a, platforms[a.Facts.Type]))
		}
		life := Life{Steps: steps[a.ID], Health: a.Facts.Health, FirstSeen: a.FirstSeen, LastSeen: a.SeenAt}
		s.Accounts = append(s.Accounts, newAccountTime(a, NewTimeline(life, in.Since, in.Until)))
	}
	return s
}

func (c *HealthCounts) count(h store.Health) {
	c.Accounts++
	switch h {
	case store.Gone:
		c.Gone++
	case store.Expired:
		c.Expired++
	case store.Failing:
		c.Failing++
	case store.Unknown:
		c.Unknown++
	case store.Locked:
		c.Locked++
	case store.Healthy:
		c.Healthy++
	}
}

// transitions are the steps seen in the period, first sights left out.
func (in Input) transitions() []TransitionJSON {
	out := []TransitionJSON{}
	for _, step := range in.Steps {
		if step.HealthBefore != "" && in.inPeriod(step.Window.Before) {
			out = append(out, NewTransitionJSON(step))
		}
	}
	slices.SortStableFunc(out, func(a, b TransitionJSON) int {
		return cmp.Or(a.Before.Compare(b.Before.Time), cmp.Compare(a.Username, b.Username), cmp.Compare(a.Account, b.Account))
	})
	return out
}

// NewTransitionJSON converts a status step.
func NewTransitionJSON(s store.StatusStep) TransitionJSON {
	return TransitionJSON{
		Account:      s.Account,
		Username:     Text(s.Username),
		HealthBefore: Text(s.HealthBefore),
		HealthAfter:  Text(s.HealthAfter),
		StatusBefore: Text(s.StatusBefore),
		StatusAfter:  Text(s.StatusAfter),
		InfoBefore:   Text(s.InfoBefore),
		InfoAfter:    Text(s.InfoAfter),
		After:        Time{s.Window.After},
		Before:       Time{s.Window.Before},
		Run:          s.Run,
	}
}

func newResync(a store.AccountState, p Platform) ResyncJSON {
	return ResyncJSON{
		ID:       a.ID,
		Username: Text(a.Facts.Username),
		Type:     Text(a.Facts.Type),
		Status:   Text(a.Facts.Status),
		Info:     Text(a.Facts.Info),
		Since:    NewWindowJSON(a.HealthSince),
		Squids:   newSquidRefs(a.Facts.Squids),
		Cookies:  p.Cookies,
		Command:  ResyncCommand(a.Facts.Type, a.ID),
	}
}

func newAccountTime(a store.AccountState, t Timeline) AccountTimeJSON {
	row := AccountTimeJSON{
		AccountRefJSON: newAccountRef(a),
		Type:           Text(a.Facts.Type),
		Times:          []HealthTimeJSON{},
		Uncertain:      Seconds(t.Uncertain),
		NotWatched:     Seconds(t.NotWatched),
		Timeline:       t,
	}
	for _, ht := range t.Times {
		row.Times = append(row.Times, HealthTimeJSON{Health: ht.Health, Min: Seconds(ht.Min), Max: Seconds(ht.Max)})
	}
	return row
}
