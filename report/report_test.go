package report

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestReportOfStatus(t *testing.T) {
	expired := account("a", "ann", store.Expired, store.Squid{ID: "s1", Name: "A"})
	expired.Facts.Status, expired.Facts.Info = "401", "cookies_expired"
	expired.SeenAt = minute(100)
	in := Input{
		Since: minute(0), Until: minute(100), Sections: Sections{Status: true},
		Accounts: []store.AccountState{account("b", "bob", store.Healthy), expired},
		Steps: []store.StatusStep{
			{Account: "b", HealthAfter: store.Healthy, Window: store.Window{Before: minute(-100)}},
			{Account: "a", Username: "ann", StatusBefore: "200", StatusAfter: "401", HealthBefore: store.Healthy, HealthAfter: store.Expired,
				Window: window(40, 60), Run: 3},
			{Account: "a", HealthBefore: store.Expired, HealthAfter: store.Healthy, Window: window(90, 100), Run: 4},
		},
	}
	r := Build(in)
	if r.Squids != nil || r.Limits != nil {
		t.Error("sections that were not asked for")
	}
	wantJSON(t, r.Status.Summary, `{"accounts":2,"gone":0,"expired":1,"failing":0,"unknown":0,"locked":0,"healthy":1}`)
	wantJSON(t, r.Status.NeedResync, `[{"id":"a","username":"ann","type":null,"status":"401","status_code_info":"cookies_expired",`+
		`"since":{"after":"2026-11-01T11:55:00.000Z","before":"2026-11-01T11:56:00.000Z"},"squids":[{"id":"s1","name":"A"}],`+
		`"cookies":null,"command":"lobstr accounts sync TYPE --account a --cookies-file cookies.json"}]`)
	wantJSON(t, r.Status.Transitions, `[{"account":"a","username":"ann","health_before":"healthy","health_after":"expired",`+
		`"status_before":"200","status_after":"401","info_before":null,"info_after":null,`+
		`"after":"2026-11-01T12:40:00.000Z","before":"2026-11-01T13:00:00.000Z","run":3}]`)
	wantJSON(t, r.Status.Accounts, `[{"id":"a","username":"ann","health":"expired","type":null,"times":[`+
		`{"health":"expired","min_seconds":2400,"max_seconds":3600},{"health":"healthy","min_seconds":2400,"max_seconds":3600}],`+
		`"uncertain_seconds":1200,"not_watched_seconds":0},`+
		`{"id":"b","username":"bob","health":"healthy","type":null,"times":[{"health":"healthy","min_seconds":3000,"max_seconds":3000}],`+
		`"uncertain_seconds":0,"not_watched_seconds":3000}]`)
}

func TestReportOfSquids(t *testing.T) {
	end := func(after, before int) *store.Window { w := window(after, before); return &w }
	in := Input{
		Since: minute(0), Until: minute(100), Sections: Sections{Squids: true},
		Accounts: []store.AccountState{
			account("a", "ann", store.Expired, store.Squid{ID: "s1", Name: "One"}),
			account("b", "bob", store.Healthy, store.Squid{ID: "s2", Name: "Two"}),
		},
		Assignments: []store.Assignment{
			{Squid: "s2", SquidName: "Two", Account: "b", Username: "bob", From: window(10, 20), To: end(100, 110)},
			{Squid: "s1", SquidName: "One", Account: "a", Username: "ann", From: store.Window{Before: minute(-100)}},
			{Squid: "s1", SquidName: "One", Account: "b", Username: "bob", From: window(-20, -10), To: end(30, 40)},
			{Squid: "s3", SquidName: "Three", Account: "b", Username: "bob", From: window(-20, -10), To: end(30, 40)},
			{Squid: "s4", Account: "b", From: window(-20, -10), To: end(-5, 0)},
			{Squid: "s5", Account: "b", From: window(90, 100)},
		},
	}
	s := Build(in).Squids
	wantJSON(t, s.WithoutHealthy, `[{"id":"s1","name":"One","accounts":[{"id":"a","username":"ann","health":"expired"}]},`+
		`{"id":"s3","name":"Three","accounts":[]}]`)
	wantJSON(t, s.OnSingle, `[{"id":"s2","name":"Two","accounts":[{"id":"b","username":"bob","health":"healthy"}]}]`)
	type use struct {
		squid, account string
		ended          bool
	}
	var got []use
	for _, squid := range s.BySquid {
		for _, a := range squid.Accounts {
			got = append(got, use{squid.ID, a.ID, a.To != nil})
		}
	}
	want := []use{{"s1", "a", false}, {"s1", "b", true}, {"s3", "b", true}, {"s2", "b", false}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(use{})); diff != "" {
		t.Error(diff)
	}
	got = nil
	for _, a := range s.ByAccount {
		for _, squid := range a.Squids {
			got = append(got, use{squid.ID, a.ID, squid.To != nil})
		}
	}
	want = []use{{"s1", "a", false}, {"s1", "b", true}, {"s3", "b", true}, {"s2", "b", false}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(use{})); diff != "" {
		t.Error(diff)
	}
}

func TestReportOfLimits(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	hours := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	use := func(limit, value string, seen, resets int) store.Use {
		u := store.Use{Account: "a", Username: "ann", Limit: limit, Value: json.RawMessage(value), Max: json.RawMessage("150"), SeenAt: hours(seen)}
		if resets != 0 {
			u.ResetsAt = hours(resets)
		}
		return u
	}
	a := account("a", "ann", store.Healthy)
	a.FirstSeen, a.SeenAt = hours(-99), hours(80)
	uses := []store.Use{
		use("profiles", "140", -5, 0),                               // carried into the first day
		use("profiles", "10", 1, 24), use("profiles", "75", 20, 24), // reset as the day ends
		use("profiles", `"30"`, 50, 72),
		use("searches", "null", 5, 0),
		use("late", "1", 100, 0), // after the period
	}
	uses[3].EditedMax = json.RawMessage("120")
	got := NewLimits(uses, []store.AccountState{a}, hours(0), hours(96))
	wantJSON(t, got, `[{"account":"a","username":"ann","limit":"profiles","value":"30","max":120,"share":0.25,`+
		`"resets_at":"2026-11-04T00:00:00.000Z","seen_at":"2026-11-03T02:00:00.000Z","days":[`+
		`{"day":"2026-11-01","highest":140,"max":150,"share":0.933},`+
		`{"day":"2026-11-03","highest":"30","max":150,"share":0.2}]},`+
		`{"account":"a","username":"ann","limit":"searches","value":null,"max":150,"share":null,"resets_at":null,`+
		`"seen_at":"2026-11-01T05:00:00.000Z","days":[]}]`)
}

func TestLimitsCarryCountersOverDays(t *testing.T) {
	a := account("a", "ann", store.Healthy)
	a.SeenAt = at.AddDate(0, 0, 2)
	uses := []store.Use{{Account: "a", Limit: "batch", Value: json.RawMessage("7"), SeenAt: at}}
	got := NewLimits(uses, []store.AccountState{a}, at.AddDate(0, 0, -1), at.AddDate(0, 0, 9))
	wantJSON(t, got[0].Days, `[{"day":"2026-11-01","highest":7,"max":null,"share":null},`+
		`{"day":"2026-11-02","highest":7,"max":null,"share":null},{"day":"2026-11-03","highest":7,"max":null,"share":null}]`)
}

func TestSharesOfNoNumbers(t *testing.T) {
	for _, test := range [][2]string{{"1", "0"}, {"1", "-5"}, {"x", "1"}, {"null", "1"}, {"1", "null"}, {"1e308", "1e-308"}, {"{}", "1"}} {
		if s := share(json.RawMessage(test[0]), json.RawMessage(test[1])); s != nil {
			t.Errorf("%s: %v", test, *s)
		}
	}
}

// TestBuildIsPure holds that the order of lists means nothing.
func TestBuildIsPure(t *testing.T) {
	var in Input
	in.Since, in.Until = minute(0), minute(100)
	for _, id := range []string{"c", "a", "b"} {
		in.Accounts = append(in.Accounts, account(id, "same", store.Healthy, store.Squid{ID: "s" + id}))
		in.Assignments = append(in.Assignments, store.Assignment{Squid: "s" + id, Account: id, From: window(1, 2)})
		in.Uses = append(in.Uses, store.Use{Account: id, Limit: "l", Value: json.RawMessage("1"), SeenAt: minute(3)})
		in.Steps = append(in.Steps, healthStep(store.Locked, store.Healthy, window(1, 2)))
		in.Steps[len(in.Steps)-1].Account = id
	}
	want, err := json.Marshal(Build(in))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rand.Shuffle(3, func(i, j int) {
			in.Accounts[i], in.Accounts[j] = in.Accounts[j], in.Accounts[i]
			in.Assignments[i], in.Assignments[j] = in.Assignments[j], in.Assignments[i]
			in.Uses[i], in.Uses[j] = in.Uses[j], in.Uses[i]
			in.Steps[i], in.Steps[j] = in.Steps[j], in.Steps[i]
		})
		wantJSON(t, Build(in), string(want))
	}
}
