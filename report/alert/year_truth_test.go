package alert_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// truth knows what truly happened in a simulated year, from the fake service alone, and
// which messages that must make.
type truth struct {
	y      *year
	is     map[string]reality // by account, now
	loaded []string           // accounts whose limits are watched
	runs   []runTruth
	stands map[string]stand // what was known after the last run that was not silent
	behind map[string]stand // what silent runs saw since
	first  map[string]store.Health
	bad    map[string]store.Health // of accounts with an alert
	gone   map[string]time.Time    // when accounts with such an alert were deleted
	lost   map[[2]string]time.Time // assignments with an alert, by account and squid
	squad  map[string]*squadAlert
	shares map[[2]string]float64
	near   map[[2]string]bool // limits with an alert
	open   map[store.Condition]bool
	spans  map[string]*span
	over   []*span
	ended  time.Time // when the newest complete run ended, by the machine's clock

	want, got map[string]map[string]int // messages since the last comparison, by sink
	counts    map[string]*tally
}

// reality is an account as it is.
type reality struct {
	health store.Health
	squids []string
	kind   string
}

// runTruth is how a run went: how many accounts of the list it saw.
type runTruth struct {
	state store.RunState
	seen  int
}

type squadAlert struct {
	condition store.Condition
	mine      bool // it was told to those who get all messages
}

// span is a time in which an account was seen to be locked.
type span struct {
	account           string
	began, last       time.Time
	first, end        int // runs
	works             bool
	fired, recoveries []int // runs of the messages
}

type tally struct{ want, got, missed, wrong int }

func newTruth(y *year) *truth {
	return &truth{
		y: y, is: map[string]reality{}, stands: map[string]stand{}, behind: map[string]stand{}, first: map[string]store.Health{},
		bad: map[string]store.Health{}, gone: map[string]time.Time{}, lost: map[[2]string]time.Time{}, squad: map[string]*squadAlert{}, shares: map[[2]string]float64{},
		near: map[[2]string]bool{}, open: map[store.Condition]bool{}, spans: map[string]*span{},
		want: map[string]map[string]int{}, got: map[string]map[string]int{}, counts: map[string]*tally{},
	}
}

// refresh asks the fake service how those accounts are that something happened to.
func (o *truth) refresh() {
	now := o.y.clock.Now()
	for id := range o.y.touched {
		r := reality{health: store.Health(o.y.world.HealthAt(id, now))}
		var object struct {
			Type   string `json:"type"`
			Squids []struct {
				Hash string `json:"hash_value"`
			} `json:"squids"`
		}
		if raw, there := o.y.world.StateAt(id, lobstrtest.ListView, now); there {
			o.y.must(json.Unmarshal(raw, &object))
			for _, s := range object.Squids {
				r.squids = append(r.squids, s.Hash)
			}
			r.kind = object.Type
		}
		o.is[id] = r
	}
	clear(o.y.touched)
}

// expect notes what a message must tell. Each is told once to each sink.
func (o *truth) expect(run int, sink string, c store.Condition, event alert.Event, item string) {
	put(o.want, sink, fmt.Sprintf("%06d %s %s %s", run, c, event, item))
}

func put(lists map[string]map[string]int, sink, line string) {
	if lists[sink] == nil {
		lists[sink] = map[string]int{}
	}
	lists[sink][line]++
}

// ran notes a run, and what must be told after it.
func (o *truth) ran(r runTruth) {
	o.runs = append(o.runs, r)
	n := len(o.runs)
	sights := o.sights(r)
	o.expectRun(n, r)
	if r.state == store.Complete {
		o.ended = o.y.now()
	}
	silent := r.state == store.Failed || r.state == "refused" || r.state == store.Interrupted && r.seen == 0
	if silent {
		for id, s := range sights {
			if _, known := o.first[id]; !known {
				o.first[id] = s.health
			}
		}
		maps.Copy(o.behind, sights)
		return
	}
	maps.Copy(o.behind, sights)
	o.learn(n)
	o.expectLimits(n, sights)
}

// sights are the accounts that a run saw. A complete run also finds out who is gone.
func (o *truth) sights(r runTruth) map[string]stand {
	sights := map[string]stand{}
	listed := o.y.world.Accounts(o.y.clock.Now())
	for _, id := range listed[:min(r.seen, len(listed))] {
		sights[id] = stand{health: o.is[id].health, squids: o.is[id].squids}
	}
	if r.state == store.Complete {
		for id := range o.stands {
			if _, there := sights[id]; !there {
				sights[id] = stand{health: store.Gone}
			}
		}
		for id := range o.behind {
			if _, there := sights[id]; !there {
				sights[id] = stand{health: store.Gone}
			}
		}
	}
	return sights
}

// learn takes what was seen into what is known, and expects what must be told of it.
func (o *truth) learn(n int) {
	before := map[string]stand{}
	told, hit := map[string]bool{}, map[string]bool{}
	for id, s := range o.behind {
		was, known := o.stands[id]
		now := s
		if now.known = s.health; s.health == store.Unknown && was.known != "" {
			now.known = was.known
		}
		if !known {
			was = stand{health: now.health, known: now.known, squids: now.squids}
			if first := o.first[id]; first != "" {
				was.health, was.known = first, first
			}
			for _, squid := range now.squids {
				hit[squid] = true
			}
		}
		o.stands[id] = now
		if was.health == now.health && slices.Equal(was.squids, now.squids) {
			continue
		}
		before[id] = was
		for _, squid := range slices.Concat(was.squids, now.squids) {
			hit[squid] = true
		}
		o.expectAccount(n, id, was, now, told)
	}
	clear(o.behind)
	for _, s := range o.spans { // still locked
		if o.stands[s.account].health == store.Locked {
			s.last = o.y.now()
		}
	}
	for squid := range hit {
		o.expectSquid(n, squid, before, told)
	}
}

func (o *truth) expectAccount(n int, id string, was, now stand, told map[string]bool) {
	o.lock(n, id, was, now)
	if now.known != was.known && now.health != store.Unknown {
		if bad := o.bad[id]; bad != "" {
			if over := bad == store.Gone && o.y.now().Sub(o.gone[id]) >= 24*time.Hour; !down(now.health) && !over {
				o.expect(n, "ops", conditions[bad], alert.Recovered, id)
			}
			delete(o.bad, id)
		}
		if down(now.health) {
			o.bad[id] = now.health
			if now.health == store.Gone {
				o.gone[id] = o.y.now()
			}
			told[id+string(conditions[now.health])] = true
			o.expect(n, "ops", conditions[now.health], alert.Fired, id)
		}
	}
	if now.health == store.Gone {
		for pair := range o.lost {
			if pair[0] == id {
				delete(o.lost, pair)
			}
		}
		for limit := range o.near {
			if limit[0] == id {
				delete(o.near, limit)
			}
		}
		return
	}
	if was.health == store.Gone {
		return
	}
	for _, squid := range was.squids {
		if !now.uses(squid) {
			o.lost[[2]string{id, squid}] = o.y.now()
			told[id+string(store.AssignmentLost)+squid] = true
			o.expect(n, "ops", store.AssignmentLost, alert.Fired, id+" "+squid)
		}
	}
	for _, squid := range now.squids {
		if since, lost := o.lost[[2]string{id, squid}]; lost && !slices.Contains(was.squids, squid) {
			if o.y.now().Sub(since) < 24*time.Hour {
				o.expect(n, "ops", store.AssignmentLost, alert.Recovered, id+" "+squid)
			}
			delete(o.lost, [2]string{id, squid})
		}
	}
}

// lock follows the times in which an account was seen to be locked.
func (o *truth) lock(n int, id string, was, now stand) {
	s := o.spans[id]
	switch {
	case s == nil && now.health == store.Locked && was.known != store.Locked:
		o.spans[id] = &span{account: id, began: o.y.now(), last: o.y.now(), first: n}
	case s != nil && now.health != store.Locked && now.health != store.Unknown:
		s.end, s.works = n, now.health == store.Healthy
		o.over = append(o.over, s)
		delete(o.spans, id)
	}
}

func (o *truth) expectSquid(n int, squid string, before map[string]stand, told map[string]bool) {
	h := history{}
	for id := range o.stands {
		if _, moved := before[id]; moved || o.stands[id].uses(squid) {
			h.ids = append(h.ids, id)
		}
	}
	was := map[string]stand{}
	for _, id := range h.ids {
		if b, moved := before[id]; moved {
			was[id] = b
		} else {
			was[id] = o.stands[id]
		}
	}
	f := h.countSquid(was, o.stands, squid)
	a := o.squad[squid]
	if a != nil {
		switch {
		case a.condition == store.SquidWithoutAccount && f.working > 0, a.condition == store.SquidOnLastAccount && f.working > 1:
			o.expectSinks(n, squid, a, alert.Recovered)
			a = nil
		case a.condition == store.SquidWithoutAccount && f.members == 0 && f.detached, a.condition == store.SquidOnLastAccount && f.working == 0 && f.unknown == 0:
			a = nil
		}
	}
	if len(f.lost) > 0 && f.unknown == 0 && a == nil {
		mine := !slices.ContainsFunc(f.lost, func(c string) bool { return told[c] })
		switch {
		case f.working == 0 && f.total > 0:
			a = &squadAlert{store.SquidWithoutAccount, mine}
		case f.working == 1 && f.total > 1:
			a = &squadAlert{store.SquidOnLastAccount, mine}
		}
		if a != nil {
			o.expectSinks(n, squid, a, alert.Fired)
		}
	}
	if o.squad[squid] = a; a == nil {
		delete(o.squad, squid)
	}
}

func (o *truth) expectSinks(n int, squid string, a *squadAlert, event alert.Event) {
	o.expect(n, "squids", a.condition, event, squid)
	if a.mine {
		o.expect(n, "ops", a.condition, event, squid)
	}
}

// expectLimits follows the limits of the accounts that use much of them.
func (o *truth) expectLimits(n int, sights map[string]stand) {
	for _, id := range o.loaded {
		raw, there := o.y.world.StateAt(id, lobstrtest.ListView, o.y.clock.Now())
		if s, seen := sights[id]; !seen || s.health == store.Gone || !there {
			continue
		}
		var object struct {
			Params struct {
				User map[string]struct{ Max, Value, Current *float64 }
			}
		}
		o.y.must(json.Unmarshal(raw, &object))
		for name, limit := range object.Params.User {
			value := limit.Value
			if value == nil {
				value = limit.Current
			}
			if value == nil || limit.Max == nil || *limit.Max <= 0 {
				continue
			}
			key := [2]string{id, name}
			now := *value / *limit.Max
			was, known := o.shares[key]
			o.shares[key] = now
			switch {
			case o.near[key] && now < 0.9:
				delete(o.near, key)
				o.expect(n, "ops", store.LimitNearlyUsed, alert.Recovered, id+" "+name)
			case !o.near[key] && known && was < 0.9 && now >= 0.9:
				o.near[key] = true
				o.expect(n, "ops", store.LimitNearlyUsed, alert.Fired, id+" "+name)
			}
		}
	}
}

// expectRun follows how runs ended.
func (o *truth) expectRun(n int, r runTruth) {
	got := r.seen > 0
	for _, c := range []struct {
		condition           store.Condition
		holds, ends, silent bool
	}{
		{store.KeyRefused, r.state == "refused", got && r.state != "refused", false},
		{store.RunFailed, r.state == store.Failed, got || r.state == "refused", r.state == "refused"},
		{store.RunIncomplete, r.state == store.Incomplete, r.state == store.Complete || r.state == store.Failed || r.state == "refused", r.state != store.Complete},
	} {
		switch {
		case c.holds && !o.open[c.condition]:
			o.open[c.condition] = true
			o.expect(n, "ops", c.condition, alert.Fired, "")
		case !c.holds && c.ends && o.open[c.condition]:
			delete(o.open, c.condition)
			if !c.silent {
				o.expect(n, "ops", c.condition, alert.Recovered, "")
			}
		}
	}
}

// expectStale is called after each evaluation: no run at all may have come.
func (o *truth) expectStale() {
	if o.ended.IsZero() {
		return
	}
	old := o.y.now().Sub(o.ended) > 30*time.Minute
	switch {
	case old && !o.open[store.Stale] && !o.open[store.KeyRefused] && !o.open[store.RunFailed]:
		o.open[store.Stale] = true
		o.expect(0, "ops", store.Stale, alert.Fired, "")
	case !old && o.open[store.Stale]:
		delete(o.open, store.Stale)
		o.expect(0, "ops", store.Stale, alert.Recovered, "")
	}
}

// told notes what a message says.
func (o *truth) told(sink string, b alert.Body) {
	run := int(b.Run)
	if b.Condition == store.Stale {
		run = 0
	}
	line := func(item string) string { return fmt.Sprintf("%06d %s %s %s", run, b.Condition, b.Event, item) }
	if len(b.Items) == 0 {
		put(o.got, sink, line(""))
	}
	for _, item := range b.Items {
		switch b.Condition {
		case store.AccountLocked:
			o.toldLock(int(b.Run), b.Event, item.Account)
		case store.SquidWithoutAccount, store.SquidOnLastAccount:
			put(o.got, sink, line(item.Squids[0].ID))
		case store.AssignmentLost:
			put(o.got, sink, line(item.Account+" "+item.Squids[0].ID))
		case store.LimitNearlyUsed:
			name, _, _ := strings.Cut(item.Info, " ")
			put(o.got, sink, line(item.Account+" "+name))
		default:
			put(o.got, sink, line(item.Account))
		}
	}
	if b.Condition != store.AccountLocked { // each message is one of its run, condition and event
		put(o.got, sink, fmt.Sprintf("%06d %s %s message", run, b.Condition, b.Event))
	}
}

// compare compares what was told with what was expected.
func (o *truth) compare() {
	for sink, lines := range o.want {
		groups := map[string]bool{}
		for line := range lines {
			fields := strings.Fields(line)
			groups[strings.Join(fields[:3], " ")] = true
		}
		for group := range groups {
			put(o.want, sink, group+" message")
		}
	}
	for _, sink := range []string{"ops", "squids"} {
		lines := maps.Clone(o.want[sink])
		if lines == nil {
			lines = map[string]int{}
		}
		for line := range o.got[sink] {
			lines[line] += 0
		}
		for line := range lines {
			o.count(sink, line, o.want[sink][line], o.got[sink][line])
		}
	}
	clear(o.want)
	clear(o.got)
}

func (o *truth) count(sink, line string, want, got int) {
	fields := strings.Fields(line)
	what := fields[1] + " " + fields[2]
	if sink != "ops" {
		what += " (sink for squids alone)"
	}
	if strings.HasSuffix(line, " message") {
		what = "messages to " + sink
	}
	if o.counts[what] == nil {
		o.counts[what] = &tally{}
	}
	c := o.counts[what]
	c.want, c.got = c.want+want, c.got+got
	c.missed, c.wrong = c.missed+max(0, want-got), c.wrong+max(0, got-want)
	if want != got && c.missed+c.wrong < 4 {
		o.y.t.Errorf("%s to %s: %d times, and %d expected", line, sink, got, want)
	}
}

// lateRuns is for how many runs a lock may seem to last that is over: the machine's clock
// may be hours behind.
const lateRuns = 16

func (o *truth) toldLock(run int, event alert.Event, account string) {
	all := slices.Collect(maps.Values(o.spans))
	for _, s := range append(all, o.over...) {
		if s.account != account || run < s.first || s.end > 0 && run > s.end+lateRuns {
			continue
		}
		if event == alert.Recovered {
			s.recoveries = append(s.recoveries, run)
		} else {
			s.fired = append(s.fired, run)
		}
		return
	}
	o.y.t.Errorf("run %d tells %s about a lock of %s, which was not locked", run, event, account)
}

// checkLocks compares the messages about locks with how long they lasted. The clock of
// the machine may have jumped by a few hours meanwhile.
func (o *truth) checkLocks() {
	const limit, slack = 24 * time.Hour, 6 * time.Hour
	fired, recovered := &tally{}, &tally{}
	o.counts["account_locked fired"], o.counts["account_locked recovered"] = fired, recovered
	for _, s := range append(slices.Collect(maps.Values(o.spans)), o.over...) {
		lasted := s.last.Sub(s.began)
		if lasted > limit || len(s.fired) > 0 {
			fired.want++
		}
		fired.got += len(s.fired)
		recovered.got += len(s.recoveries)
		ends := 0
		if len(s.fired) > 0 && s.works {
			ends = 1
		}
		recovered.want += ends
		if long := lasted > limit+slack; len(s.fired) > 1 || long && len(s.fired) == 0 || lasted < limit-slack && len(s.fired) > 0 || len(s.recoveries) != ends {
			o.y.t.Errorf("a lock of %s lasted %s from run %d to %d: fired in %v, recovered in %v", s.account, lasted, s.first, s.end, s.fired, s.recoveries)
			fired.wrong++
		}
	}
}

// table prints what was told.
func (o *truth) table(days int) {
	o.y.t.Logf("%d days, %d runs, %d accounts", days, len(o.runs), o.y.made)
	for _, what := range slices.Sorted(maps.Keys(o.counts)) {
		c := o.counts[what]
		o.y.t.Logf("%-60s true %6d  told %6d  missed %d  wrong %d", what, c.want, c.got, c.missed, c.wrong)
	}
	if len(o.counts) < 10 {
		o.y.t.Errorf("only %d kinds of messages: too little happened", len(o.counts))
	}
}
