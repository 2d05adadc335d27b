package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lobstrail/lobstrail/store"
)

// group is what one message tells: alerts of one condition, to the sinks that get all of
// them.
type group struct {
	event     Event
	condition store.Condition
	alerts    []*tracked
	sinks     []string
}

// messages makes one message of all alerts of a condition that are told with the same
// event, for each sink. Sinks that get the same alerts share it.
func (e *evaluation) messages() (all []store.Message) {
	for _, event := range []Event{Fired, Reminder, Recovered} {
		for _, condition := range store.Conditions {
			for _, g := range e.groups(event, condition) {
				all = append(all, e.message(g))
			}
		}
	}
	return all
}

func (e *evaluation) groups(event Event, condition store.Condition) (groups []*group) {
	var told []*tracked
	for _, x := range e.tells {
		if x.event == event && x.alert.Condition == condition {
			told = append(told, x.alert)
		}
	}
	if len(told) == 0 {
		return nil
	}
	slices.SortStableFunc(told, func(a, b *tracked) int {
		return cmp.Or(store.CompareNames(a.Username, b.Username), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Squid, b.Squid), cmp.Compare(a.Limit, b.Limit))
	})
	for _, sink := range e.Rules.Sinks {
		var alerts []*tracked
		for _, t := range told {
			if sink.gets(t) {
				alerts = append(alerts, t)
			}
		}
		if len(alerts) == 0 {
			continue
		}
		at := slices.IndexFunc(groups, func(g *group) bool { return slices.Equal(g.alerts, alerts) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &group{event: event, condition: condition, alerts: alerts})
		}
		groups[at].sinks = append(groups[at].sinks, sink.Sink)
	}
	return groups
}

// message makes the message of a group.
func (e *evaluation) message(g *group) store.Message {
	body := Body{
		Version: BodyVersion, ID: e.messageID(g), Workspace: e.Workspace, Event: g.event, Condition: g.condition, Run: e.runOf(g),
		At: wholeMillis(e.at), PlatformEvent: e.isPlatformEvent(g), Fleet: e.fleet(), Items: []Item{},
	}
	for _, t := range g.alerts {
		if !aboutWorkspace(t.Condition) {
			body.Items = append(body.Items, e.item(g.event, t))
		}
	}
	body.Summary = e.summary(g, body.Fleet)
	return body.message(g.sinks)
}

// message is the body on its way to sinks.
func (b Body) message(sinks []string) store.Message {
	raw, err := json.Marshal(b)
	if err != nil {
		panic("alert: " + err.Error()) // a time beyond the year 9999, which no clock shows
	}
	m := store.Message{
		ID: b.ID, Workspace: b.Workspace, Event: string(b.Event), Condition: b.Condition, Run: b.Run, At: b.At, Body: raw,
		Sinks: sinks, Accounts: []string{},
	}
	for _, item := range b.Items {
		if item.Account != "" {
			m.Accounts = append(m.Accounts, item.Account)
		}
	}
	slices.Sort(m.Accounts)
	m.Accounts = slices.Compact(m.Accounts)
	return m
}

// runOf is the run that a message is about; 0: none, or several.
func (e *evaluation) runOf(g *group) int64 {
	if e.Run != nil && g.event != Reminder {
		return e.Run.ID
	}
	run := g.alerts[0].Run
	for _, t := range g.alerts {
		if t.Run != run {
			return 0
		}
	}
	return run
}

// messageID is the same for the same alerts, also when they are evaluated again after a
// backup was restored.
func (e *evaluation) messageID(g *group) string {
	parts := []string{string(g.event), string(g.condition)}
	if e.Run != nil {
		parts = append(parts, fmt.Sprint(e.Run.ID, e.Run.Started.UnixMilli()))
	}
	for _, t := range g.alerts {
		parts = append(parts, t.Account, t.Squid, t.Limit, fmt.Sprint(t.Run, t.Window.Before.UnixMilli(), t.Reminders))
	}
	return makeID(e.Workspace, parts...)
}

// makeID makes the id of a message of what makes it unlike any other one.
func makeID(workspace string, parts ...string) string {
	raw, _ := json.Marshal(append([]string{workspace}, parts...))
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// fleet counts the accounts of the workspace.
func (e *evaluation) fleet() (f Fleet) {
	for _, a := range e.Accounts {
		if a.Facts.Health == store.Gone {
			continue
		}
		f.Accounts++
		if isDown(a.Facts.Health) {
			f.Down++
		}
	}
	return f
}

// A platform event is a message about so many accounts of one type at least, and about so
// large a part of all of that type.
const (
	leastOfPlatform = 3
	partOfPlatform  = 10
)

// isPlatformEvent reports whether many accounts of one type are in a message: the
// platform is the likely cause then.
func (e *evaluation) isPlatformEvent(g *group) bool {
	if g.event == Reminder || aboutWorkspace(g.condition) {
		return false
	}
	hit, watched := map[string]map[string]bool{}, map[string]int{}
	for _, t := range g.alerts {
		if t.Account == "" || t.Type == "" {
			continue
		}
		if hit[t.Type] == nil {
			hit[t.Type] = map[string]bool{}
		}
		hit[t.Type][t.Account] = true
	}
	for id, a := range e.Accounts {
		if a.Facts.Health != store.Gone || hit[a.Facts.Type][id] {
			watched[a.Facts.Type]++
		}
	}
	for accountType, accounts := range hit {
		if len(accounts) >= leastOfPlatform && len(accounts)*partOfPlatform >= watched[accountType] {
			return true
		}
	}
	return false
}

// item is what a message says of one alert.
func (e *evaluation) item(event Event, t *tracked) Item {
	item := Item{
		Account: t.Account, Username: t.Username, Type: t.Type, HealthBefore: t.HealthBefore, HealthAfter: t.HealthAfter, Info: t.Info,
		Squids: []SquidItem{},
	}
	window := t.Window
	if event == Recovered {
		window = t.over
		item.HealthBefore, item.HealthAfter = t.HealthAfter, cmp.Or(t.nowAfter, t.HealthAfter)
		item.Info = e.Accounts[t.Account].Facts.Info
		if t.Condition == store.LimitNearlyUsed {
			item.Info = cmp.Or(t.usedAfter, t.Info)
		}
	}
	item.After, item.Before = instant(window.After), instant(window.Before)
	for _, s := range e.squidsOf(t) {
		item.Squids = append(item.Squids, e.squidItem(s))
	}
	if event != Recovered {
		item.Fix = fix(t.Condition, t.Type, t.Account, t.Squid)
		e.nameCauses(&item, t)
	}
	return item
}

// squidsOf are the squids that a message names of an alert: those of the account now, or
// those that it had when it was lost to them.
func (e *evaluation) squidsOf(t *tracked) []squidName {
	state, known := e.Accounts[t.Account]
	if !known || t.Squid != "" || state.Facts.Health == store.Gone {
		return t.Squids
	}
	return namesOf(state.Facts.Squids)
}

func (e *evaluation) squidItem(s squidName) SquidItem {
	item := SquidItem{ID: s.ID, Name: s.Name}
	if e.Accounts != nil {
		q := e.squad(s.ID)
		item.Name = cmp.Or(q.name, item.Name)
		item.HealthyAccounts, _ = q.count()
	}
	if at, known := e.Launches[s.ID]; known {
		item.NextLaunchAt = instant(at)
	}
	return item
}

// wholeMillis is a moment as messages tell it: UTC, without parts of a millisecond.
func wholeMillis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// instant is nil for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// RepairedBody is the message that a store which was found damaged works again.
func RepairedBody(workspace string, at time.Time) Body {
	at = wholeMillis(at)
	return Body{
		Version: BodyVersion, ID: makeID(workspace, string(Recovered), string(store.StoreDamaged), at.Format(time.RFC3339)),
		Workspace: workspace, Event: Recovered, Condition: store.StoreDamaged, At: at, Items: []Item{},
		Summary: "The store works again: a run was stored.",
	}
}

// DamagedBody is the message that a store was found damaged. It cannot be queued in that
// store: deliver it directly. It has the same id all day (UTC).
func DamagedBody(workspace string, at time.Time, reason string) Body {
	at = wholeMillis(at)
	return Body{
		Version: BodyVersion, ID: makeID(workspace, string(Fired), string(store.StoreDamaged), at.Format(time.DateOnly)),
		Workspace: workspace, Event: Fired, Condition: store.StoreDamaged, At: at, Items: []Item{},
		Summary: "The store is damaged: " + clean(reason) + ". Keep the file as it is, and restore a backup.",
	}
}
