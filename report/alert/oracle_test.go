package alert_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

var long = flag.Bool("long", false, "play many more random histories")

// history is what happened, run by run, as the oracle knows it.
type history struct {
	runs  []played
	rules alert.Rules
	// partly says that runs whose key was refused saw some accounts first. Squids are off
	// then: what a pair of account and squid did in between is another matter.
	partly bool
	ids    []string // of the accounts; nil: all that a run saw
}

// played is a run and what it saw.
type played struct {
	state  store.RunState
	scope  store.Scope
	silent bool
	sights map[string]sight
}

// TestEachConditionIsToldOnce plays random histories and compares the messages with what
// an oracle, which knows the whole history, expects.
func TestEachConditionIsToldOnce(t *testing.T) {
	histories := 1000
	if testing.Short() {
		histories = 300
	}
	if *long {
		histories = 20000
	}
	told := map[string]int{}
	for seed := range histories {
		if !t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { playHistory(t, uint64(seed), told) }) {
			return
		}
	}
	for _, what := range []string{
		"account_expired fired", "account_expired recovered", "account_failing fired", "account_gone fired", "account_gone recovered",
		"assignment_lost fired", "assignment_lost recovered", "squid_without_account fired", "squid_without_account recovered",
		"squid_on_last_account fired", "squid_on_last_account recovered",
		"run_failed fired", "run_failed recovered", "run_incomplete fired", "run_incomplete recovered", "key_refused fired", "key_refused recovered",
	} {
		if told[what] < histories/100 {
			t.Errorf("only %d of %s: the histories show too little", told[what], what)
		}
	}
}

func playHistory(t *testing.T, seed uint64, told map[string]int) {
	r := rand.New(rand.NewPCG(seed, 1))
	v := newVillage(t)
	v.rules.Conditions[store.Stale] = alert.Rule{}
	v.rules.Sinks = append(v.rules.Sinks, alert.Subscription{Sink: "squids", Conditions: []store.Condition{store.SquidWithoutAccount, store.SquidOnLastAccount}})
	for _, c := range []store.Condition{store.AccountExpired, store.SquidWithoutAccount, store.RunFailed, store.AssignmentLost} {
		v.rules.Conditions[c] = alert.Rule{Enabled: true, For: 1 + r.IntN(2)}
	}
	h := history{rules: v.rules, partly: r.IntN(2) == 0}
	if h.partly {
		for _, c := range []store.Condition{store.AssignmentLost, store.SquidWithoutAccount, store.SquidOnLastAccount} {
			v.rules.Conditions[c] = alert.Rule{}
		}
	}
	truth := map[string]sight{}
	for range 12 {
		v.now = v.now.Add(15 * time.Minute)
		live(r, truth)
		run := randomRun(r, truth, h.partly)
		h.runs = append(h.runs, run)
		var failures []store.Failure
		if run.state == store.Failed && (len(run.sights) > 0 || r.IntN(2) == 0) {
			failures = []store.Failure{{Kind: store.FailAuth}}
		}
		h.runs[len(h.runs)-1].state = run.state
		if failures != nil {
			h.runs[len(h.runs)-1].state = "refused"
		}
		v.look(run.state, run.scope, failures, run.sights)
	}
	for sink, expect := range map[string][]string{"ops": h.expected(false), "squids": h.expected(true)} {
		var got []string
		for _, b := range v.bodies(sink) {
			var items []string
			for _, item := range b.Items {
				switch b.Condition {
				case store.SquidWithoutAccount, store.SquidOnLastAccount:
					items = append(items, item.Squids[0].ID)
				case store.AssignmentLost:
					items = append(items, first(item.Account)+" "+item.Squids[0].ID)
				default:
					items = append(items, first(item.Account))
				}
			}
			slices.Sort(items)
			got = append(got, fmt.Sprintf("%02d %s %s %s", b.Run, b.Condition, b.Event, strings.Join(items, ",")))
			if sink == "ops" {
				told[fmt.Sprint(b.Condition, " ", b.Event)]++
			}
		}
		slices.Sort(got)
		slices.Sort(expect)
		if !slices.Equal(got, expect) {
			for i, run := range h.runs {
				t.Logf("%02d %s %s silent=%v %v", i+1, run.state, run.scope, run.silent, run.sights)
			}
			t.Fatalf("sink %s got\n%s\ninstead of\n%s", sink, strings.Join(got, "\n"), strings.Join(expect, "\n"))
		}
	}
}

func first(id string) string { return id[:min(1, len(id))] }

// live lets something happen to accounts.
func live(r *rand.Rand, truth map[string]sight) {
	for _, letter := range []string{"a", "b", "c", "d"} {
		id := hash(letter)
		s, exists := truth[id]
		switch {
		case !exists && r.IntN(3) > 0, exists && r.IntN(3) > 0:
			continue
		case !exists:
			s.squids = []string{"1", "2"}[:r.IntN(3)]
			s.health = []store.Health{store.Healthy, store.Healthy, store.Expired, store.Unknown}[r.IntN(4)]
		case r.IntN(4) == 0 && s.health != store.Gone:
			s.squids = [][]string{nil, {"1"}, {"2"}, {"1", "2"}}[r.IntN(4)]
		default:
			s.health = []store.Health{store.Healthy, store.Healthy, store.Expired, store.Expired, store.Failing, store.Gone, store.Unknown, store.Locked}[r.IntN(8)]
		}
		truth[id] = s
	}
}

// randomRun is a run that sees all, a part, or nothing.
func randomRun(r *rand.Rand, truth map[string]sight, partly bool) played {
	run := played{state: store.Complete, scope: store.ScopeAll, sights: map[string]sight{}}
	part := 1.0
	switch r.IntN(8) {
	case 0:
		run.state, part = store.Incomplete, 0.6
	case 1:
		run.state, run.silent, part = store.Failed, true, 0
		if partly {
			part = 0.5 // the key was refused halfway
		}
	case 2:
		run.scope, part = store.ScopeNamed, 0.4
	case 3:
		run.state, part = store.Interrupted, 0.5
	}
	for _, id := range sorted(truth) {
		if r.Float64() < part {
			run.sights[id] = truth[id]
		}
	}
	run.silent = run.silent || run.state == store.Interrupted && len(run.sights) == 0
	return run
}

// expected lists the messages that the history must have made, to a sink that gets all
// or one that gets those about squids alone.
func (h *history) expected(squidsOnly bool) []string {
	items := map[string][]string{}
	add := func(run int, c store.Condition, event alert.Event, item string) {
		k := fmt.Sprintf("%02d %s %s", run+1, c, event)
		items[k] = append(items[k], item)
	}
	told := h.accountEvents(add, squidsOnly)
	if !h.partly {
		h.assignmentEvents(add, squidsOnly, told)
		h.squidEvents(add, squidsOnly, told)
	}
	if !squidsOnly {
		h.runEvents(add)
	}
	var lines []string
	for k, all := range items {
		slices.Sort(all)
		lines = append(lines, k+" "+strings.Join(all, ","))
	}
	return lines
}

func down(h store.Health) bool {
	return h == store.Expired || h == store.Failing || h == store.Gone
}

var conditions = map[store.Health]store.Condition{
	store.Expired: store.AccountExpired, store.Failing: store.AccountFailing, store.Gone: store.AccountGone,
}

// accounts lists the accounts.
func (h *history) accounts() []string {
	if h.ids != nil {
		return h.ids
	}
	all := map[string]bool{}
	for _, run := range h.runs {
		for id := range run.sights {
			all[id] = true
		}
	}
	return sorted(all)
}

// conclusions lists, for each run that is not silent, what was known of an account
// after it, "" before its first sight; and whether that run, or a silent one before it,
// saw the account, and whether its health is unknown then.
func (h *history) conclusions(id string) (known []store.Health, seen, unclear []bool) {
	var health store.Health
	vague := false
	for _, run := range h.runs {
		s, saw := run.sights[id]
		if saw {
			vague = s.health == store.Unknown
			if s.health != store.Unknown || health == "" {
				health = s.health
			}
		}
		if run.silent {
			known, seen, unclear = append(known, ""), append(seen, false), append(unclear, vague)
			continue
		}
		whole := run.state == store.Complete && run.scope == store.ScopeAll
		known, seen, unclear = append(known, health), append(seen, saw || whole), append(unclear, vague)
	}
	return known, seen, unclear
}

// accountEvents follows each account. It returns which accounts were told in which run,
// with the condition.
func (h *history) accountEvents(add func(int, store.Condition, alert.Event, string), quiet bool) map[string]bool {
	told := map[string]bool{}
	for _, id := range h.accounts() {
		known, seen, unclear := h.conclusions(id)
		var was, bad store.Health // bad: an alert about it holds
		polls := 0
		hasFired := false
		firstSeen := h.firstSight(id)
		for i := range h.runs {
			if h.runs[i].silent || known[i] == "" {
				continue
			}
			now := known[i]
			if was == "" { // first sight; if that was in a silent run, what came after it may be news
				was = firstSeen
			}
			if now != was && now != store.Unknown {
				if bad != "" {
					if !down(now) && hasFired && !quiet {
						add(i, conditions[bad], alert.Recovered, id[:1])
					}
					bad, hasFired, polls = "", false, 0
				}
				if down(now) {
					bad, polls = now, 1
				}
			} else if bad != "" && seen[i] && !unclear[i] {
				polls++
			}
			if bad != "" && !hasFired && polls >= h.rules.Conditions[conditions[bad]].For {
				hasFired = true
				told[fmt.Sprint(i, id+string(conditions[bad]))] = true
				if !quiet {
					add(i, conditions[bad], alert.Fired, id[:1])
				}
			}
			was = now
		}
	}
	return told
}

// firstSight is the first health that was seen of an account.
func (h *history) firstSight(id string) store.Health {
	for _, run := range h.runs {
		if s, saw := run.sights[id]; saw {
			return s.health
		}
	}
	return ""
}

func (h *history) runEvents(add func(int, store.Condition, alert.Event, string)) {
	open := map[store.Condition]int{} // polls; 0: none
	wide := false
	for i, run := range h.runs {
		got := run.state == store.Complete || run.state == store.Incomplete || len(run.sights) > 0
		holds := map[store.Condition]bool{store.KeyRefused: run.state == "refused", store.RunFailed: run.state == store.Failed, store.RunIncomplete: run.state == store.Incomplete}
		ends := map[store.Condition]bool{
			store.KeyRefused: got, store.RunFailed: got || run.state == "refused",
			store.RunIncomplete: run.state == store.Complete && (run.scope == store.ScopeAll || !wide) || run.state == store.Failed || run.state == "refused",
		}
		for c, holds := range holds {
			last := h.rules.Conditions[c].For
			switch {
			case holds && open[c] == 0 && c == store.RunIncomplete:
				wide = run.scope == store.ScopeAll
				fallthrough
			case holds:
				open[c]++
				if open[c] == last {
					add(i, c, alert.Fired, "")
				}
			case ends[c] && open[c] > 0:
				if silently := run.state == "refused" || c == store.RunIncomplete && run.silent; open[c] >= last && !silently {
					add(i, c, alert.Recovered, "")
				}
				open[c] = 0
			}
		}
	}
}
