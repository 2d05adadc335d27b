package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

// stampOf writes an instant as a page does.
func stampOf(t report.Time) string {
	return strings.Replace(report.FormatTime(t.Time), ".000Z", "Z", 1)
}

func stampsOf(windows ...report.WindowJSON) (all []string) {
	for _, w := range windows {
		if !w.After.IsZero() {
			all = append(all, stampOf(w.After))
		}
		all = append(all, stampOf(w.Before))
	}
	return all
}

func equalLists(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// TestThePageSaysWhatJSONSays reads the page back and compares each figure.
func TestThePageSaysWhatJSONSays(t *testing.T) {
	page, r := readBack(t, demoStore(t), nil)
	if len(r.Status.NeedResync) == 0 || len(r.Squids.OnSingle) == 0 || len(r.Limits.Limits) == 0 || len(r.Changes) < 50 || r.Runs.Summary.Runs < 100 {
		t.Fatal("the demo has too little to tell")
	}
	t.Run("summary", func(t *testing.T) { comparePageSummary(t, page, r) })
	t.Run("needs", func(t *testing.T) { comparePageNeeds(t, page.find("#needs")[0], r) })
	t.Run("health", func(t *testing.T) { comparePageHealth(t, page.find("#health")[0], r) })
	t.Run("squids", func(t *testing.T) { comparePageSquids(t, page.find("#squids")[0], r.Squids) })
	t.Run("limits", func(t *testing.T) { comparePageLimits(t, page.find("#limits")[0], r.Limits) })
	t.Run("changes", func(t *testing.T) { comparePageChanges(t, page.find("#changes")[0], r.Changes) })
	t.Run("runs", func(t *testing.T) { comparePageRuns(t, page.find("#runs")[0], r.Runs) })
}

// TestThePageSaysWhatJSONSaysOfRuns that failed, whose figures differ.
func TestThePageSaysWhatJSONSaysOfRuns(t *testing.T) {
	t.Parallel()
	world := nowWorld()
	id := world.Add(lobstrtest.Account{Username: "ada"})
	world.Add(lobstrtest.Account{Username: "ben"})
	h := newHome(t).asks(serve(t, world), lobstrtest.DefaultToken)
	within(0, h.vars, "snapshot")
	if o := within(0, h.vars, "snapshot", id, lobstrtest.ID("nobody"), lobstrtest.ID("no one")); o.code != exitIncomplete {
		t.Fatal(o)
	}
	page, r := readBack(t, h.db, h.vars)
	if s := r.Runs.Summary; s.Incomplete != 1 || s.Requested != 5 || s.Captured != 3 || s.Failures != 2 || s.Requests == s.Requested {
		t.Fatalf("%+v", s)
	}
	runs := page.find("#runs")[0]
	comparePageRuns(t, runs, r.Runs)
	if text := runs.text(); !strings.Contains(text, "1 of 3 capturednot_found: "+r.Runs.Incomplete[0].Failures[0].Message) {
		t.Errorf("what happened: %s", text)
	}
}

func comparePageSummary(t *testing.T, page element, r report.Report) {
	c := r.Status.Summary
	equalLists(t, "counts", texts(page.find(".counts")[0].find("li")), []string{
		fmt.Sprint(c.Accounts, " accounts"), fmt.Sprint(c.Gone, " gone"), fmt.Sprint(c.Expired, " expired"), fmt.Sprint(c.Failing, " failing"),
		fmt.Sprint(c.Unknown, " unknown"), fmt.Sprint(c.Locked, " locked"), fmt.Sprint(c.Healthy, " healthy"),
	})
	equalLists(t, "period", page.find("h1")[0].instants(), []string{stampOf(r.Since), stampOf(r.Until)})
}

func comparePageNeeds(t *testing.T, needs element, r report.Report) {
	equalLists(t, "counts", texts(needs.find(".n")), []string{
		fmt.Sprint(len(r.Status.NeedResync)), fmt.Sprint(len(r.Squids.WithoutHealthy)), fmt.Sprint(len(r.Squids.OnSingle)),
	})
	var rows, windows []string
	for _, account := range r.Status.NeedResync {
		var cookies []string
		for _, c := range account.Cookies {
			cookies = append(cookies, c.Name)
		}
		rows = append(rows, fmt.Sprint(account.Username, strings.Join(cookies, ", "), account.Command))
		windows = append(windows, stampsOf(account.Since)...)
	}
	var got []string
	for _, item := range needs.find(".todo")[0].find("li") {
		fields := item.find("dd")
		got = append(got, item.find("bdi")[0].text()+fields[len(fields)-1].text()+item.find(".cmd")[0].text())
	}
	equalLists(t, "accounts to re-synchronise", got, rows)
	equalLists(t, "windows", needs.instants(), windows)
	rows = nil
	for _, squids := range [][]report.SquidJSON{r.Squids.WithoutHealthy, r.Squids.OnSingle} {
		for _, squid := range squids {
			var accounts []string
			for _, account := range squid.Accounts {
				accounts = append(accounts, string(account.Username)+" "+string(account.Health))
			}
			rows = append(rows, string(squid.Name)+strings.Join(accounts, ", "))
		}
	}
	equalLists(t, "squids", texts(needs.find("tbody")), rows)
}

// comparePageHealth compares the times of each account, in any order.
func comparePageHealth(t *testing.T, health element, r report.Report) {
	var got, want []string
	for _, table := range health.find("tbody") {
		for _, row := range table.find("tr") {
			all := append(strings.Split(strings.Join(texts(row.find("small")), ""), ", "), strings.Split(row.find("title")[0].text(), ", ")...)
			slices.Sort(all)
			got = append(got, row.find("bdi")[0].text()+row.find(".p")[0].text()+strings.TrimPrefix(strings.Join(all, ", "), ", "))
		}
	}
	for _, account := range r.Status.Accounts {
		var all []string
		for _, span := range account.Times {
			all = append(all, string(span.Health)+" "+render.Span(time.Duration(span.Min), time.Duration(span.Max)))
		}
		for what, span := range map[string]report.Seconds{"uncertain": account.Uncertain, "not watched": account.NotWatched} {
			if !report.Negligible(span, r.Until.Sub(r.Since.Time)) {
				all = append(all, what+" "+render.Rounded(time.Duration(span)))
			}
		}
		slices.Sort(all)
		want = append(want, string(account.Username)+string(account.Health)+strings.Join(all, ", "))
	}
	slices.Sort(got)
	slices.Sort(want)
	equalLists(t, "accounts", got, want)
}

func comparePageSquids(t *testing.T, squids element, s *report.SquidSection) {
	var got, want []string
	for _, row := range squids.find(".strips")[0].find("tr") {
		if stamps := row.instants(); len(stamps) > 0 {
			got = append(got, row.find("bdi")[0].text()+fmt.Sprint(stamps))
		}
	}
	names := map[string]bool{}
	for _, squid := range s.BySquid {
		names[string(squid.Name)] = true
		for _, use := range squid.Accounts {
			var windows []report.WindowJSON
			if !use.From.After.IsZero() {
				windows = append(windows, use.From)
			}
			if use.To != nil {
				windows = append(windows, *use.To)
			}
			if squidMoved(squid) && len(windows) > 0 {
				want = append(want, string(use.Username)+fmt.Sprint(stampsOf(windows...)))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	equalLists(t, "assignments", got, want)
	for _, bdi := range squids.find("bdi") {
		delete(names, bdi.text())
	}
	if len(names) > 0 {
		t.Errorf("squids that are not on the page: %v", names)
	}
}

func squidMoved(squid report.SquidUsesJSON) bool {
	return slices.ContainsFunc(squid.Accounts, func(u report.AccountUseJSON) bool { return u.To != nil || !u.From.After.IsZero() })
}

func comparePageLimits(t *testing.T, limits element, s *report.LimitSection) {
	got := map[string]string{}
	for _, list := range limits.find(".charts") {
		for _, card := range list.find("li") {
			got[card.find("bdi")[0].text()+" "+card.find("b")[0].text()] = strings.Join(texts(card.find("p"))[:2], "; ")
		}
	}
	for _, row := range limits.find("tbody") {
		for _, tr := range row.find("tr") {
			cells := texts(tr.find("td"))
			got[tr.find("bdi")[0].text()+" "+cells[0]] = "; now " + cells[1]
		}
	}
	resets := regexp.MustCompile(`, resets .*`)
	for _, l := range s.Limits {
		key := string(l.Username) + " " + l.Limit
		peak := ""
		best := -1
		for i, day := range l.Days {
			if day.Share != nil && *day.Share > 0 && (best < 0 || *day.Share > *l.Days[best].Share) {
				best = i
			}
		}
		now := fmt.Sprintf("now %s of %s", l.Value, l.Max)
		if best >= 0 {
			day := l.Days[best]
			date, _ := time.Parse(time.DateOnly, day.Day)
			peak = fmt.Sprintf("peak %s of %s, %.0f %%, on %s", day.Highest, day.Max, *day.Share*100, date.Format("2 Jan"))
			now += fmt.Sprintf(", %.0f %%", *l.Share*100)
		}
		if have := resets.ReplaceAllString(got[key], ""); have != peak+"; "+now {
			t.Errorf("%s: got %q, want %q", key, have, peak+"; "+now)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		t.Errorf("on the page only: %v", got)
	}
}

// comparePageChanges compares every change, in the order of the page.
func comparePageChanges(t *testing.T, section element, changes []report.ChangeJSON) {
	if n := section.find(".n")[0].text(); n != fmt.Sprint(len(changes)) {
		t.Errorf("%s changes, want %d", n, len(changes))
	}
	var got, want []string
	for _, day := range section.find(".day") {
		for _, row := range day.find("tbody")[0].find("tr") {
			labels := row.find("b")
			for range labels {
				got = append(got, fmt.Sprint(row.find("bdi")[0].text(), row.find("td")[0].instants()))
			}
		}
	}
	for _, c := range changes {
		want = append(want, fmt.Sprint(string(c.Username), stampsOf(report.WindowJSON{After: c.After, Before: c.Before})))
	}
	slices.Sort(got)
	slices.Sort(want)
	equalLists(t, "changes", got, want)
	text := section.text()
	if raw := regexp.MustCompile(`(lock|until|lock_time) [0-9]{10}`).FindString(text); raw != "" {
		t.Errorf("raw seconds on the page: %s", raw)
	}
	instants := section.instants()
	for _, c := range changes {
		for _, raw := range []json.RawMessage{c.Old, c.New} {
			if at, ok := store.ParseInstant(raw); ok && c.Path == "/lock_time" {
				if stamp := stampOf(report.Time{Time: at}); !slices.Contains(instants, stamp) {
					t.Errorf("the instant %s is not on the page", stamp)
				}
				continue
			}
			if value := strings.Join(strings.Fields(valueText(raw)), " "); value != "-" && !strings.Contains(text, value) {
				t.Errorf("the value %s is not on the page", raw)
			}
		}
	}
}

func comparePageRuns(t *testing.T, runs element, s *report.RunSection) {
	figures := func(name string, c report.RunCounts) []string {
		return []string{name, fmt.Sprint(c.Runs), fmt.Sprint(c.Complete), fmt.Sprint(c.Incomplete), fmt.Sprint(c.Interrupted),
			fmt.Sprint(c.Failed), fmt.Sprint(c.Requested), fmt.Sprint(c.Captured), fmt.Sprint(c.Failures), fmt.Sprint(c.Requests)}
	}
	cells := func(row element) []string { return append(texts(row.find("th")), texts(row.find("td"))...) }
	table := runs.find(".numbers")[0]
	equalLists(t, "all", cells(table.find("tfoot")[0]), figures("All", s.Summary))
	rows := table.find("tbody")[0].find("tr")
	if len(rows) != len(s.Days) {
		t.Fatalf("%d days, want %d", len(rows), len(s.Days))
	}
	for i, day := range s.Days {
		date, _ := time.Parse(time.DateOnly, day.Day)
		equalLists(t, day.Day, cells(rows[i]), figures(date.Format("Mon 2 Jan 2006"), day.RunCounts))
	}
	gap := "The longest time without a run: " + render.Rounded(time.Duration(s.LongestGap.Seconds))
	if !strings.Contains(runs.text(), gap+",") {
		t.Errorf("%q is not on the page", gap)
	}
}
