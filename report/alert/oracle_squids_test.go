package alert_test

import (
	"fmt"
	"slices"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// stand is what was known of an account: health is the one seen last, known the last one
// that was not unknown.
type stand struct {
	health, known store.Health
	squids        []string
}

func (s stand) uses(squid string) bool {
	return s.health != store.Gone && slices.Contains(s.squids, squid)
}

// looks are what was known after each run.
func (h *history) looks() (all []map[string]stand) {
	now := map[string]stand{}
	for _, run := range h.runs {
		next := map[string]stand{}
		for id, s := range now {
			next[id] = s
		}
		for id, s := range run.sights {
			n := stand{health: s.health, known: s.health, squids: s.squids}
			if was := next[id]; s.health == store.Unknown && was.known != "" {
				n.known = was.known
			}
			next[id] = n
		}
		now = next
		all = append(all, now)
	}
	return all
}

// assignmentEvents follows each pair of account and squid. Silent runs saw nothing.
func (h *history) assignmentEvents(add func(int, store.Condition, alert.Event, string), quiet bool, told map[string]bool) {
	looks := h.looks()
	for _, id := range h.accounts() {
		_, seen, _ := h.conclusions(id)
		for _, squid := range []string{"1", "2"} {
			polls, fired := 0, false
			for i, run := range h.runs {
				if run.silent || i == 0 {
					continue
				}
				was, now := looks[i-1][id], looks[i][id]
				switch {
				case was.health == "" || was.health == store.Gone:
				case now.health == store.Gone:
					polls, fired = 0, false
				case polls == 0 && was.uses(squid) && !now.uses(squid):
					polls = 1
				case polls > 0 && now.uses(squid):
					if fired && !quiet {
						add(i, store.AssignmentLost, alert.Recovered, id[:1]+" "+squid)
					}
					polls, fired = 0, false
				case polls > 0 && seen[i]:
					polls++
				}
				if polls > 0 && polls >= h.rules.Conditions[store.AssignmentLost].For && !fired {
					fired = true
					told[fmt.Sprint(i, id+string(store.AssignmentLost)+squid)] = true
					if !quiet {
						add(i, store.AssignmentLost, alert.Fired, id[:1]+" "+squid)
					}
				}
			}
		}
	}
}

// squidEvents follows each squid. Whoever was told by the message about an account that
// is the cause gets no message about the squid, neither of its end.
func (h *history) squidEvents(add func(int, store.Condition, alert.Event, string), quiet bool, told map[string]bool) {
	looks := h.looks()
	for _, squid := range []string{"1", "2"} {
		var open store.Condition
		polls, fired, mine := 0, false, false
		var causes []string // of the alert that holds
		for i, run := range h.runs {
			if run.silent || i == 0 {
				continue
			}
			f := h.countSquid(looks[i-1], looks[i], squid)
			began := false
			switch {
			case open == store.SquidWithoutAccount && f.working > 0, open == store.SquidOnLastAccount && f.working > 1:
				if fired && (quiet || mine) {
					add(i, open, alert.Recovered, squid)
				}
				open = ""
			case open == store.SquidWithoutAccount && f.members == 0 && f.detached, open == store.SquidOnLastAccount && f.working == 0 && f.unknown == 0:
				open = ""
			}
			next := store.Condition("")
			if len(f.lost) > 0 && f.unknown == 0 {
				switch {
				case f.working == 0 && f.total > 0:
					next = store.SquidWithoutAccount
				case f.working == 1 && f.total > 1:
					next = store.SquidOnLastAccount
				}
			}
			if next != "" && open == "" {
				open, polls, fired, began, causes = next, 1, false, true, f.lost
			}
			if open != "" && !began && run.state == store.Complete && run.scope == store.ScopeAll {
				polls++
			}
			if open != "" && !fired && polls >= h.rules.Conditions[open].For {
				fired = true
				mine = !toldOne(told, i, causes)
				if quiet || mine {
					add(i, open, alert.Fired, squid)
				}
			}
		}
	}
}

// squidCount is how a squid did between two looks.
type squidCount struct {
	working, unknown, members, total int
	detached                         bool
	lost                             []string // the accounts that no longer work for it, and the conditions that tell of it
}

func (h *history) countSquid(was, now map[string]stand, squid string) (f squidCount) {
	for _, id := range h.accounts() {
		before, after := was[id], now[id]
		wentGone := before.health != "" && before.known != store.Gone && after.health == store.Gone && slices.Contains(before.squids, squid)
		if after.uses(squid) {
			f.members++
			f.total++
			switch after.health {
			case store.Healthy, store.Locked:
				f.working++
			case store.Unknown:
				f.unknown++
			}
			if before.health != "" && !down(before.known) && down(after.known) {
				f.lost = append(f.lost, id+string(conditions[after.known]))
			}
		}
		if wentGone {
			f.total++
			if !down(before.known) {
				f.lost = append(f.lost, id+string(store.AccountGone))
			}
		}
		if before.uses(squid) && after.health != store.Gone && !after.uses(squid) {
			f.detached = true
			health := before.health
			if after.health != health { // a step, which tells what was known before
				health = before.known
			}
			if health == store.Healthy || health == store.Locked {
				f.lost = append(f.lost, id+string(store.AssignmentLost)+squid)
			}
		}
	}
	return f
}

// toldOne reports whether the run told one of the causes.
func toldOne(told map[string]bool, run int, causes []string) bool {
	return slices.ContainsFunc(causes, func(c string) bool { return told[fmt.Sprint(run, c)] })
}
