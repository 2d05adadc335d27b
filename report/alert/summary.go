package alert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// summary is the line for people about a group.
func (e *evaluation) summary(g *group, fleet Fleet) string {
	switch {
	case aboutWorkspace(g.condition):
		return e.workspaceSummary(g)
	case g.condition == store.SquidWithoutAccount || g.condition == store.SquidOnLastAccount:
		return e.squidSummary(g)
	}
	text := e.accountSummary(g)
	if g.event == Reminder {
		text = "Still: " + text
	}
	if fleet.Accounts > 0 {
		text += fmt.Sprintf("; %d of %d down", fleet.Down, fleet.Accounts)
	}
	return text
}

// verbs say what happened to one account, and to several, when an alert fires and when it
// recovers.
var verbs = map[store.Condition][4]string{
	store.AccountExpired:  {"expired", "expired", "works again", "work again"},
	store.AccountFailing:  {"began to fail", "began to fail", "works again", "work again"},
	store.AccountGone:     {"was deleted", "were deleted", "is back", "are back"},
	store.AccountLocked:   {"was locked", "were locked", "is no longer locked", "are no longer locked"},
	store.AssignmentLost:  {"was taken from", "were taken from", "was given back to", "were given back to"},
	store.LimitNearlyUsed: {"came near a limit", "came near a limit", "is no longer near a limit", "are no longer near a limit"},
}

// accountSummary tells which accounts it happened to, and when.
func (e *evaluation) accountSummary(g *group) string {
	verb := verbs[g.condition]
	n := len(accountsOf(g))
	form := 0
	if n > 1 {
		form = 1
	}
	if g.event == Recovered {
		form += 2
	}
	text := who(g) + " " + verb[form]
	switch g.condition {
	case store.AssignmentLost:
		text += " " + squidWords(g)
	case store.LimitNearlyUsed:
		if len(g.alerts) == 1 {
			text += " (" + clean(cmp.Or(g.alerts[0].usedAfter, g.alerts[0].Info)) + ")"
		}
	case store.AccountFailing:
		if info := commonInfo(g); info != "" && g.event != Recovered {
			text += " (" + clean(info) + ")"
		}
	}
	text += e.when(g)
	if g.condition == store.AccountLocked && g.event == Fired {
		text += " and still " + map[bool]string{true: "are", false: "is"}[n > 1]
	}
	return text
}

// who names the accounts of a group: one by its name, several by their number and type.
func who(g *group) string {
	accounts := accountsOf(g)
	byType := map[string]int{}
	for _, t := range accounts {
		byType[typeName(t.Type)]++
	}
	types := slices.Sorted(maps.Keys(byType))
	if len(accounts) == 1 {
		t := accounts[0]
		return strings.TrimSpace(types[0]+" account") + " " + clean(cmp.Or(t.Username, t.Account))
	}
	if len(types) == 1 {
		return strings.Join(strings.Fields(fmt.Sprintf("%d %s accounts", len(accounts), types[0])), " ")
	}
	slices.SortStableFunc(types, func(a, b string) int { return cmp.Compare(byType[b], byType[a]) })
	parts := make([]string, 0, len(types))
	for _, name := range types {
		parts = append(parts, fmt.Sprintf("%d %s", byType[name], cmp.Or(name, "of unknown type")))
	}
	return fmt.Sprintf("%d accounts (%s)", len(accounts), strings.Join(parts, ", "))
}

// accountsOf are the alerts of a group, one for each account.
func accountsOf(g *group) (all []*tracked) {
	seen := map[string]bool{}
	for _, t := range g.alerts {
		if !seen[t.Account] {
			seen[t.Account] = true
			all = append(all, t)
		}
	}
	return all
}

// typeNames are the names of account types whose id does not tell it.
var typeNames = map[string]string{"linkedin-sync": "LinkedIn", "sales-nav-sync": "Sales Navigator", "twitter-sync": "X"}

// typeName is what people call an account type: "Facebook" for facebook-sync.
func typeName(accountType string) string {
	if name, known := typeNames[accountType]; known {
		return name
	}
	words := strings.ReplaceAll(strings.TrimSuffix(accountType, "-sync"), "-", " ")
	if words == "" {
		return ""
	}
	return clean(strings.ToUpper(words[:1]) + words[1:])
}

func commonInfo(g *group) string {
	info := g.alerts[0].Info
	for _, t := range g.alerts {
		if t.Info != info {
			return ""
		}
	}
	return info
}

// squidWords names the squid of a group, or counts them.
func squidWords(g *group) string {
	squids := map[string]string{}
	for _, t := range g.alerts {
		squids[t.Squid] = t.squidName()
	}
	if len(squids) > 1 {
		return fmt.Sprintf("%d squids", len(squids))
	}
	return "squid " + g.alerts[0].squidName()
}

// squidName is the name of the squid that the alert is about, or its id.
func (t *tracked) squidName() string {
	for _, s := range t.Squids {
		if s.ID == t.Squid && s.Name != "" {
			return clean(s.Name)
		}
	}
	return clean(t.Squid)
}

func (e *evaluation) squidSummary(g *group) string {
	n := len(g.alerts)
	subject, has := fmt.Sprintf("%d squids", n), "have"
	if n == 1 {
		subject, has = "Squid "+g.alerts[0].squidName(), "has"
	}
	if g.event == Reminder {
		has = "still " + has
	}
	text := subject + " " + has
	switch {
	case g.event == Recovered && g.condition == store.SquidWithoutAccount:
		text += " a working account again"
	case g.event == Recovered:
		text += " more than one working account again"
	case g.condition == store.SquidWithoutAccount:
		text += " no working account left"
	default:
		text += " one working account left"
	}
	return text + e.when(g)
}

// workspaceSummary tells of runs.
func (e *evaluation) workspaceSummary(g *group) string {
	t := g.alerts[0]
	recovered := map[store.Condition]string{
		store.KeyRefused: "The API accepts the key again", store.RunFailed: "Runs get answers again",
		store.RunIncomplete: "The newest run is complete again", store.Stale: "There is a new complete run",
	}
	fired := map[store.Condition]string{
		store.KeyRefused: fmt.Sprintf("The API refused the key in run %d", t.Run), store.RunFailed: fmt.Sprintf("Run %d failed", t.Run),
		store.RunIncomplete: fmt.Sprintf("Run %d is incomplete", t.Run), store.Stale: "No complete run for too long",
	}
	if g.event == Recovered {
		return recovered[g.condition] + e.when(g)
	}
	text := fired[g.condition]
	if g.event == Reminder {
		text = "Still: " + strings.ToLower(text[:1]) + text[1:]
	}
	if t.Reason != "" {
		text += ": " + t.Reason
	}
	return text
}

// when says between which moments it happened, in the zone of the rules, with the day
// where it is another than that of the message.
func (e *evaluation) when(g *group) string {
	var w store.Window
	for i, t := range g.alerts {
		window := t.Window
		if g.event == Recovered {
			window = t.over
		}
		if i == 0 || window.After.Before(w.After) {
			w.After = window.After
		}
		if window.Before.After(w.Before) {
			w.Before = window.Before
		}
	}
	if w.Before.IsZero() {
		return ""
	}
	after, before := e.clockText(w.After, e.at), e.clockText(w.Before, e.at)
	switch {
	case w.After.IsZero():
		return " by " + before
	case after == before:
		return " at " + before
	}
	if sameDay(w.After, w.Before, e.zone()) && !sameDay(w.Before, e.at, e.zone()) {
		before = w.Before.In(e.zone()).Format("15:04")
	}
	if !sameDay(w.After, w.Before, e.zone()) && sameDay(w.After, e.at, e.zone()) {
		after = w.After.In(e.zone()).Format("2 Jan 15:04")
	}
	return " between " + after + " and " + before
}

func (e *evaluation) zone() *time.Location { return e.Rules.zone() }

// clockText is the time of the day, with the day unless it is that of now.
func (e *evaluation) clockText(t, now time.Time) string {
	if sameDay(t, now, e.zone()) {
		return t.In(e.zone()).Format("15:04")
	}
	return t.In(e.zone()).Format("2 Jan 15:04")
}

func sameDay(a, b time.Time, zone *time.Location) bool {
	return a.In(zone).Format(time.DateOnly) == b.In(zone).Format(time.DateOnly)
}

// longestText bounds a text of the API in a summary, in characters.
const longestText = 120

// clean makes text from elsewhere safe in a line.
func clean(text string) string {
	runes := []rune(render.Clean(text))
	if len(runes) > longestText {
		runes = append(runes[:longestText], '…')
	}
	return string(runes)
}
