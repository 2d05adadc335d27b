package notify

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// view is a message in words for people. All of its text is clean: it has no control
// character and no hidden one. What a chat or a mail makes of it has to be escaped there.
type view struct {
	Mark          string // one emoji for the event
	Summary       string
	Facts         []string // the workspace, the run, the time, how much is down
	PlatformEvent string   // "" if it is none
	Items         []itemView
	More          string // how many items were left out; "" for none
}

// itemView is an account or a squid.
type itemView struct {
	Name, Type string // Type is "" of a squid
	Change     string // "healthy → expired"; "" where there is none
	Info       string // the keyword of the reason
	When       string
	Squids     []squidView
	MoreSquids string
	Fix        string
}

type squidView struct{ Name, State string }

// The most characters of a name, the fix and a summary that are shown, and the most squids
// of an item.
const (
	maxName    = 100
	maxFix     = 300
	maxSummary = 1000
	maxSquids  = 5
)

var marks = map[alert.Event]string{
	alert.Fired: "🔴", alert.Recovered: "🟢", alert.Reminder: "🟠", alert.Digest: "📋", alert.Test: "🔔",
}

// newView writes a message with at most so many items.
func newView(body alert.Body, zone *time.Location, most int) view {
	v := view{
		Mark:    cmp.Or(marks[body.Event], "⚪"),
		Summary: cmp.Or(shown(body.Summary, maxSummary), "lobstrail: "+shown(string(body.Event)+" "+string(body.Condition), maxName)),
		Facts:   facts(body, zone),
	}
	if body.PlatformEvent {
		v.PlatformEvent = "Many accounts of one type changed at once: the platform is the likely cause, not each account."
	}
	shownItems := body.Items[:min(len(body.Items), most)]
	for _, item := range shownItems {
		v.Items = append(v.Items, newItemView(item, zone))
	}
	v.More = more(len(body.Items) - len(shownItems))
	return v
}

func facts(body alert.Body, zone *time.Location) []string {
	all := []string{"workspace " + shown(body.Workspace, maxName)}
	if body.Run > 0 {
		all = append(all, fmt.Sprintf("run %d", body.Run))
	}
	if !body.At.IsZero() {
		all = append(all, render.Time(body.At, zone)+" "+render.ZoneName(zone, body.At))
	}
	if body.Fleet.Accounts > 0 {
		all = append(all, fmt.Sprintf("%d of %d accounts down", body.Fleet.Down, body.Fleet.Accounts))
	}
	return all
}

func newItemView(item alert.Item, zone *time.Location) itemView {
	v := itemView{
		Name: cmp.Or(shown(item.Username, maxName), shown(item.Account, maxName)),
		Type: shown(item.Type, maxName), Info: shown(item.Info, maxName), Fix: shown(item.Fix, maxFix),
		When: render.Window(store.Window{After: orZero(item.After), Before: orZero(item.Before)}, zone),
	}
	before, after := shown(string(item.HealthBefore), maxName), shown(string(item.HealthAfter), maxName)
	switch {
	case before != "" && after != "" && before != after:
		v.Change = before + " → " + after
	default:
		v.Change = cmp.Or(after, before)
	}
	for _, squid := range item.Squids[:min(len(item.Squids), maxSquids)] {
		v.Squids = append(v.Squids, newSquidView(squid, zone))
	}
	v.MoreSquids = more(len(item.Squids) - len(v.Squids))
	return v
}

func newSquidView(squid alert.SquidItem, zone *time.Location) squidView {
	v := squidView{Name: cmp.Or(shown(squid.Name, maxName), shown(squid.ID, maxName))}
	switch squid.HealthyAccounts {
	case 0:
		v.State = "no healthy account left"
	case 1:
		v.State = "1 healthy account left"
	default:
		v.State = fmt.Sprintf("%d healthy accounts left", squid.HealthyAccounts)
	}
	if squid.NextLaunchAt != nil {
		v.State += ", next launch " + render.Time(*squid.NextLaunchAt, zone)
	}
	return v
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("and %d more", n)
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// shown makes text from elsewhere safe to show, and cuts it to so many characters.
func shown(text string, most int) string {
	// It is cut first too: what is to be cleaned may be very long.
	text = strings.TrimSpace(render.Clean(cut(text, most)))
	return cut(text, most)
}

// cut shortens a text to so many characters, an ellipsis included.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == most {
			return text[:i] + "…"
		}
	}
	return text
}
