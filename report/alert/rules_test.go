package alert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lobstrail/lobstrail/report/alert"
	"github.com/lobstrail/lobstrail/store"
)

// all is a complete run over all accounts, a quarter of an hour after the last one.
func (v *village) all(sights map[string]sight) {
	v.t.Helper()
	v.now = v.now.Add(15 * time.Minute)
	v.look(store.Complete, store.ScopeAll, nil, sights)
}

// refused is a run whose key was refused, failed one that got nothing.
func (v *village) refused(sights map[string]sight) {
	v.t.Helper()
	v.now = v.now.Add(15 * time.Minute)
	v.look(store.Failed, store.ScopeAll, []store.Failure{{Kind: store.FailAuth, Message: "HTTP 401"}}, sights)
}

// told lists what a sink was told since the last time, a line each.
func (v *village) told(sink string) []string {
	bodies := v.bodies(sink)
	var lines []string
	for _, b := range bodies {
		lines = append(lines, fmt.Sprintf("%s %s: %s", b.Event, b.Condition, b.Summary))
	}
	v.messages = nil
	return lines
}

// wantTold compares what a sink was told since the last time.
func (v *village) wantTold(sink string, want ...string) {
	v.t.Helper()
	if got := v.told(sink); !slices.Equal(got, want) {
		v.t.Errorf("%s was told\n  %s\ninstead of\n  %s", sink, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func healthy(squids ...string) sight { return sight{health: store.Healthy, squids: squids} }
func expired(squids ...string) sight { return sight{health: store.Expired, squids: squids} }

var (
	a, b, c, d = hash("a"), hash("b"), hash("c"), hash("d")
)

func TestFirstSightsNeverAlert(t *testing.T) {
	v := newVillage(t)
	v.all(map[string]sight{a: expired("1"), b: healthy()})
	v.all(map[string]sight{a: expired("1"), b: healthy(), c: {health: store.Failing}})
	v.all(map[string]sight{a: expired("1"), b: healthy(), c: {health: store.Unknown}})
	v.all(map[string]sight{a: expired("1"), b: healthy(), c: {health: store.Failing}}) // as at first sight
	v.wantTold("ops")
	if len(v.alerts) > 0 {
		t.Errorf("alerts: %+v", v.alerts)
	}
}

func TestOneMessagePerRunAndCause(t *testing.T) {
	v := newVillage(t)
	v.rules.Zone = time.FixedZone("Paris", 3600)
	v.all(map[string]sight{a: healthy("1"), b: healthy("1"), c: healthy(), d: healthy()})
	v.now = v.now.Add(time.Microsecond)
	v.all(map[string]sight{a: expired("1"), b: expired("1"), c: expired(), d: healthy()})
	body := v.bodies("ops")[0]
	if body.At.Nanosecond()%int(time.Millisecond) != 0 {
		t.Errorf("at %s: other times are whole milliseconds", body.At)
	}
	v.wantTold("ops", "fired account_expired: 3 LinkedIn accounts expired between 07:15 and 07:30; 3 of 4 down")
	if !body.PlatformEvent || body.Fleet != (alert.Fleet{Accounts: 4, Down: 3}) || len(body.Items) != 3 {
		t.Errorf("body %+v", body)
	}
	item := body.Items[0]
	if item.Account != a || item.HealthBefore != store.Healthy || item.HealthAfter != store.Expired || item.Info != "info-expired" ||
		item.Fix != "lobstr accounts sync linkedin-sync --account "+a+" --cookies-file cookies.json" ||
		len(item.Squids) != 1 || item.Squids[0].Name != "Squid 1" || item.Squids[0].HealthyAccounts != 0 {
		t.Errorf("item %+v", item)
	}
	v.all(map[string]sight{a: expired("1"), b: healthy("1"), c: expired(), d: healthy()})
	if body := v.bodies("ops")[0]; body.Items[0].HealthBefore != store.Expired || body.Items[0].HealthAfter != store.Healthy || body.Items[0].Fix != "" || body.PlatformEvent {
		t.Errorf("recovered: %+v", body)
	}
	v.wantTold("ops", "recovered account_expired: LinkedIn account user-b works again between 07:30 and 07:45; 2 of 4 down")
}

// Also a run by hand without the configuration is one whose alerts are told.
func TestWhatNobodyWasToldIsToldLater(t *testing.T) {
	v := newVillage(t)
	sinks := v.rules.Sinks
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.rules.Sinks = nil
	v.all(map[string]sight{a: expired(), b: expired()})
	v.rules.Sinks = []alert.Subscription{{Sink: "ops", Conditions: []store.Condition{store.Stale}}}
	v.all(map[string]sight{a: expired(), b: healthy()})
	v.rules.Sinks = sinks
	v.all(map[string]sight{a: expired(), b: healthy()})
	v.wantTold("ops", "fired account_expired: LinkedIn account user-a expired between 06:15 and 06:30; 1 of 2 down")
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.wantTold("ops", "recovered account_expired: LinkedIn account user-a works again between 07:00 and 07:15; 0 of 2 down")
}

// What many accounts of one type are: three, and a tenth of them.
func TestPlatformEvents(t *testing.T) {
	for _, test := range []struct {
		hit, watched int
		want         bool
	}{{2, 2, false}, {3, 3, true}, {3, 30, true}, {3, 31, false}, {4, 31, true}} {
		v := newVillage(t)
		before, after := map[string]sight{}, map[string]sight{}
		for i := range test.watched {
			id := fmt.Sprintf("%032x", i)
			before[id], after[id] = healthy(), healthy()
			if i < test.hit {
				after[id] = expired()
			}
		}
		v.all(before)
		v.all(after)
		if got := v.bodies("ops")[0].PlatformEvent; got != test.want {
			t.Errorf("%d of %d: %v", test.hit, test.watched, got)
		}
	}
}

func TestLaunchesOfSquidsAreTold(t *testing.T) {
	v := newVillage(t)
	v.launches = map[string]time.Time{"1": dawn.Add(time.Hour)}
	v.all(map[string]sight{a: healthy("1", "2")})
	v.all(map[string]sight{a: expired("1", "2")})
	squids := v.bodies("ops")[0].Items[0].Squids
	if len(squids) != 2 || squids[0].NextLaunchAt == nil || !squids[0].NextLaunchAt.Equal(dawn.Add(time.Hour)) || squids[1].NextLaunchAt != nil {
		t.Errorf("squids %+v", squids)
	}
}

// Who is only told about the squid learns from that how to repair it.
func TestASquidNamesWhatItLost(t *testing.T) {
	v := newVillage(t)
	v.rules.RemindEvery, v.rules.RemindTimes = time.Hour, 9
	v.rules.Sinks = []alert.Subscription{{Sink: "squids", Conditions: []store.Condition{store.SquidWithoutAccount, store.SquidOnLastAccount}}}
	resync := func(id string) string {
		return "lobstr accounts sync linkedin-sync --account " + id + " --cookies-file cookies.json"
	}
	want := func(account, username, info, fix string) {
		t.Helper()
		bodies := v.bodies("squids")
		v.messages = nil
		if len(bodies) != 1 || len(bodies[0].Items) != 1 {
			t.Fatalf("bodies %+v", bodies)
		}
		item := bodies[0].Items[0]
		if item.Account != account || item.Username != username || item.Info != info || item.Fix != fix || item.Squids[0].ID != "1" {
			t.Errorf("item %+v", item)
		}
	}
	v.all(map[string]sight{a: healthy("1"), b: healthy("1"), c: healthy("1")})
	v.all(map[string]sight{a: expired("1"), b: expired("1"), c: healthy("1")})
	want("", "", "", resync(a)) // two are lost: one of them is enough
	v.all(map[string]sight{a: healthy("1"), b: expired("1"), c: expired("1")})
	v.now = v.now.Add(time.Hour)
	v.tick()
	want("", "", "", resync(b)) // a is back
	v.all(map[string]sight{a: expired("1"), b: expired("1"), c: expired("1")})
	want(a, "user-a", "info-expired", resync(a))
	v.all(map[string]sight{a: healthy("1"), b: healthy("1"), c: expired("1")})
	want("", "", "", "") // it recovered
	v.all(map[string]sight{a: healthy("1"), b: healthy(), c: expired("1")})
	want(b, "user-b", "info-healthy", "lobstr squid update 1 --account "+b)
}

// While the key is refused nothing is told of accounts, and then with its own window.
func TestParentsSilenceChildren(t *testing.T) {
	v := newVillage(t)
	v.rules.Every = 10 * time.Minute
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.refused(map[string]sight{a: expired()})
	v.wantTold("ops", "fired key_refused: The API refused the key in run 2: HTTP 401")
	v.refused(nil)
	v.refused(nil)
	v.now = v.now.Add(2 * time.Hour)
	v.tick() // stale, but for the parent
	v.wantTold("ops")
	v.all(map[string]sight{a: expired(), b: healthy()})
	v.wantTold("ops", "fired account_expired: LinkedIn account user-a expired between 06:15 and 06:30; 1 of 2 down",
		"recovered key_refused: The API accepts the key again at 09:15")
}

func TestStaleIsToldOnceAndEnds(t *testing.T) {
	v := newVillage(t)
	v.rules.Every = 15 * time.Minute
	v.all(map[string]sight{a: healthy()})
	for range 10 {
		v.now = v.now.Add(15 * time.Minute)
		v.tick()
	}
	v.wantTold("ops", "fired stale: No complete run for too long: The newest complete run, 1, ended 2026-11-27 06:15")
	v.all(map[string]sight{a: healthy()})
	v.wantTold("ops", "recovered stale: There is a new complete run at 09:00")
}

func TestConditionsMustHoldForSoManyPolls(t *testing.T) {
	v := newVillage(t)
	v.rules.Conditions[store.AccountExpired] = alert.Rule{Enabled: true, For: 3}
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.all(map[string]sight{a: expired(), b: expired()})
	v.all(map[string]sight{a: expired(), b: healthy()}) // b was pending
	v.now = v.now.Add(time.Minute)
	v.look(store.Incomplete, store.ScopeAll, nil, map[string]sight{b: healthy()}) // did not see a
	v.wantTold("ops", "fired run_incomplete: Run 4 is incomplete")
	v.all(map[string]sight{a: {health: store.Unknown}, b: healthy()}) // tells nothing
	v.wantTold("ops", "recovered run_incomplete: The newest run is complete again at 07:01")
	v.all(map[string]sight{a: expired(), b: healthy()})
	v.wantTold("ops", "fired account_expired: LinkedIn account user-a expired between 06:15 and 06:30; 1 of 2 down")
}

func TestRemindersHaveAMaximum(t *testing.T) {
	v := newVillage(t)
	v.rules.RemindEvery, v.rules.RemindTimes = time.Hour, 2
	v.all(map[string]sight{a: healthy("1"), b: healthy("1")})
	v.all(map[string]sight{a: expired("1"), b: healthy()}) // b's assignment is lost: no reminder of that
	v.told("ops")
	v.now = v.now.Add(59 * time.Minute)
	v.tick()
	v.wantTold("ops")
	v.now = v.now.Add(5 * time.Hour) // nobody looked: one reminder, not five
	v.tick()
	v.tick()
	v.wantTold("ops", "reminder account_expired: Still: LinkedIn account user-a expired between 06:15 and 06:30; 1 of 2 down")
	v.now = v.now.Add(-30 * time.Minute) // the clock goes back
	v.tick()
	v.now = v.now.Add(90 * time.Minute)
	v.tick()
	v.now = v.now.Add(72 * time.Hour)
	v.tick()
	if lines := v.told("ops"); len(lines) != 1 {
		t.Errorf("told %q", lines)
	}
}

// Nobody can repair a deletion, and one on purpose lasts for ever.
func TestADeletionIsOverAfterADay(t *testing.T) {
	v := newVillage(t)
	v.rules.RemindEvery, v.rules.RemindTimes = time.Hour, 100
	gone := sight{health: store.Gone}
	v.all(map[string]sight{a: healthy(), b: healthy(), c: healthy()})
	v.all(map[string]sight{a: gone, b: gone, c: healthy()})
	v.told("ops")
	v.now = v.now.Add(12 * time.Hour)
	v.all(map[string]sight{a: healthy(), b: gone, c: healthy()})
	v.wantTold("ops", "recovered account_gone: LinkedIn account user-a is back between 06:30 and 18:45; 0 of 2 down")
	v.now = v.now.Add(12 * time.Hour)
	v.tick()
	if holding := v.holding(); len(holding) > 0 {
		t.Errorf("alerts hold: %+v", holding)
	}
	v.all(map[string]sight{a: healthy(), b: healthy(), c: healthy()})
	v.wantTold("ops")
}

func TestSilences(t *testing.T) {
	for _, test := range []struct {
		name    string
		silence store.Silence
		want    []string // conditions that are told while it lasts
	}{
		{"the account", store.Silence{Account: a}, []string{"account_expired", "squid_on_last_account"}}, // that of the other account
		{"the type", store.Silence{Type: "linkedin-sync"}, nil},
		{"the squid", store.Silence{Squid: "1"}, []string{"account_expired"}}, // that of the account without the squid
		{"something else", store.Silence{Account: d}, []string{"account_expired", "squid_on_last_account"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := newVillage(t)
			v.rules.Sinks = append(v.rules.Sinks, alert.Subscription{Sink: "squids", Conditions: []store.Condition{store.SquidOnLastAccount}})
			v.all(map[string]sight{a: healthy("1"), b: healthy(), c: healthy("1")})
			silence := test.silence
			silence.From, silence.Until = v.now, v.now.Add(time.Hour)
			v.silences = []store.Silence{silence}
			v.all(map[string]sight{a: expired("1"), b: expired(), c: healthy("1")})
			var got []string
			for _, m := range v.messages {
				got = append(got, string(m.Condition))
			}
			if slices.Sort(got); test.silence.Account == a {
				// The squid's only account that is down is silenced: so is the squid.
				test.want = []string{"account_expired"}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("told %q, want %q", got, test.want)
			}
			if silenced := test.silence.Account != d; silenced && slices.ContainsFunc(v.messages, func(m store.Message) bool { return slices.Contains(m.Accounts, a) }) {
				t.Error("the account was told")
			}
			before := len(v.messages)
			v.now = v.now.Add(2 * time.Hour)
			v.tick()
			items := 0
			for _, m := range v.messages[before:] {
				if m.Event != string(alert.Fired) {
					t.Errorf("told %s", m.Event)
				}
				items++
			}
			if quiet := test.silence.Account == d; quiet != (items == 0) {
				t.Errorf("%d messages when the silence ended", items)
			}
			v.messages = nil
			v.tick()
			v.wantTold("ops")
		})
	}
}

func TestWhatIsSilencedToItsEndIsNotTold(t *testing.T) {
	v := newVillage(t)
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.all(map[string]sight{a: healthy(), b: expired()})
	v.told("ops")
	v.silences = []store.Silence{{Type: "linkedin-sync", From: v.now, Until: v.now.Add(24 * time.Hour)}}
	v.all(map[string]sight{a: expired(), b: expired()})
	v.all(map[string]sight{a: healthy(), b: healthy()}) // the end of what was told before is told
	v.wantTold("ops", "recovered account_expired: LinkedIn account user-b works again between 06:45 and 07:00; 0 of 2 down")
	v.silences = nil
	v.tick()
	v.wantTold("ops")
	recorded := 0
	for _, alert := range v.alerts {
		if !alert.FiredAt.IsZero() && !alert.EndedAt.IsZero() {
			recorded++
		}
	}
	if recorded != 2 {
		t.Errorf("%d alerts are recorded", recorded)
	}
}

func TestTheDigestComesOnceADay(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	v := newVillage(t)
	v.rules.Zone, v.rules.Digest = paris, 8*time.Hour
	v.rules.Sinks = append(v.rules.Sinks, alert.Subscription{Sink: "key", Conditions: []store.Condition{store.KeyRefused}},
		alert.Subscription{Sink: "nothing", Conditions: []store.Condition{}})
	v.now = time.Date(2026, 3, 27, 10, 0, 0, 0, paris) // after the hour: not at once
	v.lastEnd = v.now
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.all(map[string]sight{a: expired(), b: healthy()})
	v.messages = nil
	var digests []string
	for range 4 * 24 * 4 { // the clocks go forward on the 29th
		v.now = v.now.Add(15 * time.Minute)
		v.tick()
		for _, body := range v.bodies("ops") {
			digests = append(digests, body.At.In(paris).Format("2 15:04 ")+body.Summary)
		}
		v.messages = slices.DeleteFunc(v.messages, func(m store.Message) bool { return slices.Contains(m.Sinks, "ops") })
	}
	want := []string{
		"28 08:00 Since 27 Mar 10:15: 1 alert fired, 0 ended, 1 open; 1 of 2 accounts down",
		"29 08:00 Since 28 Mar 08:00: 0 alerts fired, 0 ended, 1 open; 1 of 2 accounts down",
		"30 08:00 Since 29 Mar 08:00: 0 alerts fired, 0 ended, 1 open; 1 of 2 accounts down",
		"31 08:00 Since 30 Mar 08:00: 0 alerts fired, 0 ended, 1 open; 1 of 2 accounts down",
	}
	if !slices.Equal(digests, want) {
		t.Errorf("digests\n%s", strings.Join(digests, "\n"))
	}
	if bodies := v.bodies("key"); len(bodies) != 4 || len(bodies[0].Items) != 0 || !strings.Contains(bodies[0].Summary, "0 open") {
		t.Errorf("of the key alone: %+v", bodies)
	}
	if bodies := v.bodies("nothing"); len(bodies) != 0 {
		t.Errorf("a sink without conditions got %d", len(bodies))
	}
	v.messages = nil
	v.now = v.now.Add(3 * 24 * time.Hour) // several were missed
	v.tick()
	v.tick()
	if bodies := v.bodies("ops"); len(bodies) != 1 {
		t.Errorf("%d digests after three days", len(bodies))
	}
}

func TestLocksAlertOnlyWhenTheyLast(t *testing.T) {
	v := newVillage(t)
	v.rules.Conditions[store.AccountLocked] = alert.Rule{Enabled: true, LongerThan: time.Hour}
	locked := sight{health: store.Locked}
	v.all(map[string]sight{a: healthy(), b: healthy(), c: locked})
	v.all(map[string]sight{a: locked, b: locked, c: locked})
	v.all(map[string]sight{a: locked, b: healthy(), c: locked})
	for range 3 {
		v.all(map[string]sight{a: locked, b: locked, c: locked}) // c was so at first sight
	}
	v.wantTold("ops")
	v.all(map[string]sight{a: locked, b: expired(), c: locked})
	v.wantTold("ops", "fired account_expired: LinkedIn account user-b expired between 07:30 and 07:45; 1 of 3 down",
		"fired account_locked: LinkedIn account user-a was locked between 06:15 and 06:30 and still is; 1 of 3 down")
	v.all(map[string]sight{a: healthy(), b: expired(), c: healthy()})
	v.wantTold("ops", "recovered account_locked: LinkedIn account user-a is no longer locked between 07:45 and 08:00; 1 of 3 down")
}

func TestConditionsThatAreOffAreNotTold(t *testing.T) {
	v := newVillage(t)
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.all(map[string]sight{a: expired(), b: healthy()})
	v.told("ops")
	v.rules.Conditions[store.AccountExpired] = alert.Rule{}
	v.all(map[string]sight{a: expired(), b: expired()})
	v.all(map[string]sight{a: healthy(), b: healthy()})
	v.wantTold("ops")
}

// A store that is damaged cannot keep an alert.
func TestDamageIsTheSameMessageAllDay(t *testing.T) {
	first, again := alert.DamagedBody("w", dawn, "page 3"), alert.DamagedBody("w", dawn.Add(12*time.Hour), "page 3")
	if first.ID != again.ID || len(first.ID) != 32 || first.Condition != store.StoreDamaged || first.Items == nil {
		t.Errorf("%+v\n%+v", first, again)
	}
	if later := alert.DamagedBody("w", dawn.Add(24*time.Hour), "page 3"); later.ID == first.ID {
		t.Error("the next day has the same id")
	}
}

// TestHostileTextIsOneLine: usernames, types, keywords and names of squids are whatever
// the API sends.
func TestHostileTextIsOneLine(t *testing.T) {
	v := newVillage(t)
	v.text = "\n\x1b[31m" + strings.Repeat("é", 5000) + "\xff"
	v.rules.Sinks = []alert.Subscription{{Sink: "ops"}, {Sink: "squids", Conditions: []store.Condition{store.SquidOnLastAccount}}}
	v.all(map[string]sight{a: healthy("1"), b: healthy("1")})
	v.all(map[string]sight{a: {health: store.Failing, squids: []string{"1"}}, b: healthy("1")})
	v.all(map[string]sight{a: healthy("1"), b: healthy()})
	if len(v.messages) < 4 {
		t.Errorf("%d messages", len(v.messages))
	}
	for _, m := range v.messages {
		var body alert.Body
		if err := json.Unmarshal(m.Body, &body); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(body.Summary, "\n\x1b") || !utf8.ValidString(body.Summary) || utf8.RuneCountInString(body.Summary) > 600 {
			t.Errorf("%s %s: %d bytes: %q", m.Event, m.Condition, len(body.Summary), body.Summary)
		}
	}
}

// What depends on the time alone has parents too: the lock is told when the key works again.
func TestParentsSilenceWhatTimeBrings(t *testing.T) {
	v := newVillage(t)
	v.rules.Conditions[store.AccountLocked] = alert.Rule{Enabled: true, LongerThan: time.Hour}
	v.all(map[string]sight{a: healthy()})
	v.all(map[string]sight{a: {health: store.Locked}})
	for range 4 {
		v.refused(map[string]sight{a: {health: store.Locked}})
	}
	v.now = v.now.Add(time.Hour)
	v.refused(map[string]sight{a: {health: store.Locked}})
	v.wantTold("ops", "fired key_refused: The API refused the key in run 3: HTTP 401")
	v.all(map[string]sight{a: {health: store.Locked}})
	if lines := v.told("ops"); len(lines) != 2 || !strings.HasPrefix(lines[0], "fired account_locked") {
		t.Errorf("told %q", lines)
	}
}

// A squid that no longer uses an account that is gone has lost nothing.
func TestAnAssignmentOfAGoneAccountIsNotLost(t *testing.T) {
	v := newVillage(t)
	v.all(map[string]sight{a: healthy("1"), b: healthy()})
	v.refused(map[string]sight{a: healthy()})
	v.all(map[string]sight{a: {health: store.Gone}, b: healthy()})
	for _, line := range v.told("ops") {
		if strings.Contains(line, "assignment_lost") {
			t.Error(line)
		}
	}
}

func TestLostAssignmentsEndAfterADay(t *testing.T) {
	v := newVillage(t)
	v.all(map[string]sight{a: healthy("1")})
	v.all(map[string]sight{a: healthy()})
	v.wantTold("ops", "fired assignment_lost: LinkedIn account user-a was taken from squid Squid 1 between 06:15 and 06:30; 0 of 1 down")
	v.now = v.now.Add(25 * time.Hour)
	v.tick()
	v.all(map[string]sight{a: healthy("1")}) // too late to be a recovery
	v.wantTold("ops")
	if len(v.holding()) > 0 {
		t.Errorf("%+v", v.holding())
	}
}

// When the clock goes back, a run that has just ended is not old.
func TestClockThatGoesBackMakesNothingStale(t *testing.T) {
	v := newVillage(t)
	v.rules.Every = 15 * time.Minute
	v.all(map[string]sight{a: healthy()})
	v.now = v.now.Add(-3 * time.Hour)
	for range 8 {
		v.all(map[string]sight{a: healthy()})
		v.tick()
	}
	v.wantTold("ops")
}
