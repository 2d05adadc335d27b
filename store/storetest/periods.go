package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// Periods is the law that the views health_periods and squid_health, and last_seen of
// account_versions, say what the model says of the same history.
func Periods(t *testing.T, open Opener) {
	base := newDesk(t, open)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		d, m := history(rt, base, fmt.Sprint("periods ", n))
		d.sameRows("health periods", `
			SELECT account, health, from_after, from_before, to_after, to_before, min_seconds, max_seconds
			FROM health_periods WHERE workspace = '`+d.workspace+`' ORDER BY account, from_before`, m.healthPeriods())
		d.sameRows("squid health", `
			SELECT squid, healthy_accounts, accounts, from_after, from_before, to_after, to_before, min_seconds, max_seconds
			FROM squid_health WHERE workspace = '`+d.workspace+`' ORDER BY squid, from_before`, m.squidHealth())
		d.sameRows("last seen", `
			SELECT account, version, last_seen
			FROM account_versions WHERE workspace = '`+d.workspace+`' ORDER BY account, version`, m.lastSeen())
	})
}

// sameRows compares the answer to a query with the rows that the model expects.
func (d *desk) sameRows(what, query string, want []string) {
	d.t.Helper()
	text := ""
	for _, row := range want {
		text += row
	}
	if got := d.rows(query); got != text {
		d.t.Fatalf("%s:\n%s\nthe model says:\n%s", what, got, text)
	}
}

// period is a time from one window to another; to is nil while it lasts.
type period struct {
	from store.Window
	to   *store.Window
}

// text is the period as the views say it. While it lasts it is measured to the request
// and the response of the last snapshot.
func (p period) text(sent, received time.Time) string {
	instant := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	least, most := sent, received
	to := store.Window{}
	if p.to != nil {
		to, least, most = *p.to, p.to.After, p.to.Before
	}
	minimum, maximum := any(max(0, least.Sub(p.from.Before).Seconds())), any(nil)
	if least.IsZero() {
		minimum = 0.0
	}
	if !p.from.After.IsZero() {
		maximum = most.Sub(p.from.After).Seconds()
	}
	return fmt.Sprintln(instant(p.from.After), instant(p.from.Before), instant(to.After), instant(to.Before), minimum, maximum)
}

// healthPeriod is a time in which an account had one health.
type healthPeriod struct {
	period
	health store.Health
}

func (m *model) periodsOf(n int) (periods []healthPeriod) {
	for _, r := range m.accounts[n] {
		last := len(periods) - 1
		if last >= 0 && periods[last].health == r.state.Facts.Health {
			continue
		}
		since := r.state.HealthSince
		if last >= 0 {
			periods[last].to = &since
		}
		periods = append(periods, healthPeriod{period{from: since}, r.state.Facts.Health})
	}
	return periods
}

func (m *model) healthPeriods() (rows []string) {
	for n := range accountCount {
		for _, p := range m.periodsOf(n) {
			last := m.last(n)
			rows = append(rows, fmt.Sprint(id(n), " ", p.health, " ", p.text(last.sent, last.state.SeenAt)))
		}
	}
	return rows
}

// lastSeen is when each version was last seen.
func (m *model) lastSeen() (rows []string) {
	for n := range accountCount {
		seen := map[int]time.Time{}
		for _, r := range m.accounts[n] {
			seen[r.state.Versions] = r.state.SeenAt
		}
		for _, version := range slices.Sorted(maps.Keys(seen)) {
			rows = append(rows, fmt.Sprintln(id(n), version, seen[version].Format("2006-01-02T15:04:05.000Z")))
		}
	}
	return rows
}

// squidHealth walks, for each squid, over the instants at which anything was noticed
// that is about it, and counts its accounts after each of them.
func (m *model) squidHealth() (rows []string) {
	squids := map[string]bool{}
	for _, use := range m.uses {
		squids[use.Squid] = true
	}
	for _, squid := range sorted(squids) {
		sent, received := m.lastLook(squid)
		for _, s := range m.stretches(squid) {
			rows = append(rows, fmt.Sprint(squid, " ", s.healthy, " ", s.accounts, " ", s.text(sent, received)))
		}
	}
	return rows
}

type stretch struct {
	period
	healthy, accounts int
}

func (m *model) stretches(squid string) (all []stretch) {
	noticed := m.noticed(squid)
	for _, at := range slices.SortedFunc(maps.Keys(noticed), time.Time.Compare) {
		healthy, accounts := m.countAt(squid, at)
		now, last := stretch{healthy: healthy, accounts: accounts}, len(all)-1
		switch {
		case last < 0 && accounts == 0, last >= 0 && all[last].healthy == healthy && all[last].accounts == accounts:
			continue
		}
		afters := noticed[at]
		slices.SortFunc(afters, time.Time.Compare)
		now.from = store.Window{After: afters[len(afters)-1], Before: at} // of the last thing that happened
		if last >= 0 {
			all[last].to = &store.Window{After: afters[0], Before: at} // of the first
		}
		all = append(all, now)
	}
	return all
}

// noticed are, for each instant at which something about the squid was noticed, the
// beginnings of the windows of what was: its assignments, and the steps into and out
// of health of accounts while it used them. What began and ended in one instant was
// never there.
func (m *model) noticed(squid string) map[time.Time][]time.Time {
	noticed := map[time.Time][]time.Time{}
	add := func(w store.Window) { noticed[w.Before] = append(noticed[w.Before], w.After) }
	for _, use := range m.uses {
		if use.Squid != squid || use.To != nil && use.To.Before.Equal(use.From.Before) {
			continue
		}
		add(use.From)
		if use.To != nil {
			add(*use.To)
		}
		for n := range accountCount {
			if id(n) != use.Account {
				continue
			}
			was := store.Health("")
			for _, p := range m.periodsOf(n) {
				turned := (p.health == store.Healthy) != (was == store.Healthy)
				was = p.health
				if turned && p.from.Before.After(use.From.Before) && (use.To == nil || !p.from.Before.After(use.To.Before)) {
					add(p.from)
				}
			}
		}
	}
	return noticed
}

// countAt counts the accounts of a squid after all that was noticed up to a moment.
func (m *model) countAt(squid string, at time.Time) (healthy, accounts int) {
	for _, use := range m.uses {
		if use.Squid != squid || use.From.Before.After(at) || use.To != nil && !use.To.Before.After(at) {
			continue
		}
		accounts++
		for n := range accountCount {
			health := store.Health("")
			for _, r := range m.accounts[n] {
				if id(n) == use.Account && !r.state.SeenAt.After(at) {
					health = r.state.Facts.Health
				}
			}
			if health == store.Healthy {
				healthy++
			}
		}
	}
	return healthy, accounts
}

// lastLook is when the accounts of a squid were last looked at: the first of those
// requests and the last of those responses, or the last response where it has none.
func (m *model) lastLook(squid string) (sent, received time.Time) {
	for key := range m.open {
		for n := range accountCount {
			if key != [2]string{squid, id(n)} {
				continue
			}
			last := m.last(n)
			if sent.IsZero() || last.sent.Before(sent) {
				sent = last.sent
			}
			if last.state.SeenAt.After(received) {
				received = last.state.SeenAt
			}
		}
	}
	if received.IsZero() {
		return m.lastSent, m.times[len(m.times)-1]
	}
	return sent, received
}

// withoutIcon is the text of an object without its member icon; "" is none.
func withoutIcon(t failer, text string) string {
	t.Helper()
	if text == "\n" {
		return text
	}
	var out bytes.Buffer
	from, to := jsontext.NewDecoder(strings.NewReader(text)), jsontext.NewEncoder(&out)
	for {
		token, err := from.ReadToken()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if from.StackDepth() == 1 && token.Kind() == '"' && token.String() == "icon" {
			err = from.SkipValue()
		} else if from.StackDepth() == 1 && token.Kind() == '"' {
			if err = to.WriteToken(token); err == nil {
				var value jsontext.Value
				if value, err = from.ReadValue(); err == nil {
					err = to.WriteValue(value)
				}
			}
		} else {
			err = to.WriteToken(token)
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
}

// CurrentDocuments is the law that the view account_current has the documents that
// a reader gets, but for the icon.
func CurrentDocuments(t *testing.T, open Opener) {
	base := newDesk(t, open)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		d, m := history(rt, base, fmt.Sprint("documents ", n))
		for i := range accountCount {
			if m.last(i) == nil {
				continue
			}
			got := withoutIcon(rt, d.rows(`SELECT coalesce(document, '') FROM account_current
				WHERE workspace = '`+d.workspace+`' AND account = '`+id(i)+`'`))
			if want := d.document(id(i), time.Time{}, false); got != want+"\n" {
				rt.Fatalf("account_current has\n%s\na reader gets\n%s", got, want)
			}
		}
	})
}
