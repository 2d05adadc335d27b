package report

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

const idA = "d3e97f2cd33658f301bdbe807402ab30"

func account(id, username string, health store.Health, squids ...store.Squid) store.AccountState {
	return store.AccountState{
		Workspace: "default", ID: id, FirstSeen: minute(-100), SeenAt: minute(50), Versions: 2,
		HealthSince: window(-5, -4),
		Facts:       store.Facts{Username: username, Health: health, Squids: squids},
	}
}

func wantJSON(t *testing.T, v any, want string) {
	t.Helper()
	got, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestJSONOfRuns(t *testing.T) {
	run := store.Run{
		ID: 7, Workspace: "default", State: store.Incomplete, Started: minute(0), Finished: minute(1), Requested: 4,
		Changed: 1, Unchanged: 1, Gone: 1, Failed: 1, Requests: 3, Skew: new(-1500 * time.Millisecond), Held: 3 * time.Second,
		Failures: []store.Failure{{Kind: store.FailNetwork, Message: "cut"}, {Account: idA, Kind: store.FailHTTP, HTTPStatus: 503, Message: "down"}},
	}
	wantJSON(t, NewRunJSON(run), `{"run":7,"workspace":"default","started_at":"2026-11-01T12:00:00.000Z","finished_at":"2026-11-01T12:01:00.000Z",`+
		`"complete":false,"requested":4,"captured":2,"changed":1,"unchanged":1,"gone":1,"failed":1,"requests":3,"warnings":[],`+
		`"failures":[{"account":null,"kind":"network","http_status":null,"message":"cut"},`+
		`{"account":"`+idA+`","kind":"http","http_status":503,"message":"down"}],"state":"incomplete",`+
		`"clock_skew_seconds":-1.5,"clock_held_seconds":3}`)
	wantJSON(t, NewRunJSON(store.Run{State: store.Complete}), `{"run":0,"workspace":"","started_at":null,"finished_at":null,`+
		`"complete":true,"requested":0,"captured":0,"changed":0,"unchanged":0,"gone":0,"failed":0,"requests":0,"warnings":[],`+
		`"failures":[],"state":"complete","clock_skew_seconds":null,"clock_held_seconds":0}`)
}

func TestJSONOfChanges(t *testing.T) {
	changes := []store.AccountChange{
		{Account: idA, Window: store.Window{Before: minute(0)}, Run: 1,
			Change: store.Change{Kind: store.Appeared, HealthAfter: store.Healthy}},
		{Account: idA, Username: "ann", Window: window(0, 1), Run: 2,
			Change: store.Change{Kind: store.LimitChanged, Path: "/params/user/p/max", Old: json.RawMessage("1e2")}},
	}
	wantJSON(t, []ChangeJSON{NewChangeJSON(changes[0]), NewChangeJSON(changes[1])}, `[{"account":"`+idA+`","username":null,"kind":"appeared","path":"","old":null,"new":null,`+
		`"after":null,"before":"2026-11-01T12:00:00.000Z","run":1,"health_before":null,"health_after":"healthy"},`+
		`{"account":"`+idA+`","username":"ann","kind":"limit","path":"/params/user/p/max","old":1e2,"new":null,`+
		`"after":"2026-11-01T12:00:00.000Z","before":"2026-11-01T12:01:00.000Z","run":2}]`)
}

func TestJSONOfAccounts(t *testing.T) {
	a := account(idA, "ann", store.Healthy, store.Squid{ID: "s1", Name: "A"}, store.Squid{ID: "s2"})
	a.Facts.Status, a.Facts.Type = "200", "x-sync"
	a.Document = json.RawMessage(`{"n":1.0}`)
	const common = `{"id":"` + idA + `","username":"ann","type":"x-sync","workspace":"default","health":"healthy","status":"200",` +
		`"status_code_info":null,"status_code_description":null,"last_synchronization_time":null,` +
		`"squids":[{"id":"s1","name":"A"},{"id":"s2","name":null}],` +
		`"health_since":{"after":"2026-11-01T11:55:00.000Z","before":"2026-11-01T11:56:00.000Z"},` +
		`"seen_at":"2026-11-01T12:50:00.000Z","unlisted_since":null`
	wantJSON(t, NewAccountJSON(a), common+"}")
	wantJSON(t, NewShowJSON(a), common+`,"document":{"n":1.0},"versions":2,"first_seen_at":"2026-11-01T10:20:00.000Z"}`)
	wantJSON(t, NewAccountJSON(store.AccountState{}).Squids, `[]`)
}

func TestJSONOfSquids(t *testing.T) {
	older := account("b", "bob", store.Expired, store.Squid{ID: "s1", Name: "Old name"})
	older.SeenAt = minute(1)
	accounts := []store.AccountState{older, account("a", "ann", store.Healthy, store.Squid{ID: "s1", Name: "New name"}), account("c", "", store.Gone)}
	wantJSON(t, NewSquidsJSON(accounts), `[{"id":"s1","name":"New name","accounts":[`+
		`{"id":"a","username":"ann","health":"healthy"},{"id":"b","username":"bob","health":"expired"}]}]`)
	to := window(2, 3)
	wantJSON(t, []AssignmentJSON{
		NewAssignmentJSON(store.Assignment{Squid: "s1", SquidName: "A", Account: "a", Username: "ann", From: store.Window{Before: minute(1)}, To: &to}),
		NewAssignmentJSON(store.Assignment{Squid: "s2", Account: "a", From: window(0, 1)}),
	}, `[{"squid":"s1","squid_name":"A","account":"a","username":"ann","from":{"after":null,"before":"2026-11-01T12:01:00.000Z"},`+
		`"to":{"after":"2026-11-01T12:02:00.000Z","before":"2026-11-01T12:03:00.000Z"}},`+
		`{"squid":"s2","squid_name":null,"account":"a","username":null,"from":{"after":"2026-11-01T12:00:00.000Z",`+
		`"before":"2026-11-01T12:01:00.000Z"},"to":null}]`)
}

func TestEmptyListsAreNotNull(t *testing.T) {
	for name, v := range map[string]any{
		"squids": NewSquidsJSON(nil), "limits": NewLimits(nil, nil, at, at), "queues": NewQueuesJSON(nil, at),
	} {
		t.Run(name, func(t *testing.T) { wantJSON(t, v, `[]`) })
	}
	wantJSON(t, Build(Input{Workspace: "w", Since: at, Until: minute(1)}), `{"workspace":"w","since":"2026-11-01T12:00:00.000Z",`+
		`"until":"2026-11-01T12:01:00.000Z","status":{"summary":{"accounts":0,"gone":0,"expired":0,"failing":0,"unknown":0,"locked":0,`+
		`"healthy":0},"need_resync":[],"transitions":[],"accounts":[]},"squids":{"without_healthy_account":[],"on_single_account":[],"by_squid":[],`+
		`"by_account":[]},"limits":{"limits":[]},"changes":[],"runs":{"summary":{"runs":0,"complete":0,"incomplete":0,"interrupted":0,`+
		`"failed":0,"running":0,"requested":0,"captured":0,"failures":0,"requests":0},"days":[],"longest_gap":{`+
		`"from":"2026-11-01T12:00:00.000Z","to":"2026-11-01T12:01:00.000Z","seconds":60},"incomplete":[]}}`)
}

func TestTimeAndSeconds(t *testing.T) {
	zone := time.FixedZone("", 3600)
	wantJSON(t, Time{time.Date(2026, 1, 2, 3, 4, 5, 6999999, zone)}, `"2026-01-02T02:04:05.006Z"`)
	var back Time
	if err := json.Unmarshal([]byte(`"2026-01-02T02:04:05.006Z"`), &back); err != nil || back.UnixMilli() != 1767319445006 {
		t.Errorf("%v %v", back, err)
	}
	for want, d := range map[string]time.Duration{
		"0": 0, "1": time.Second, "0.05": 50 * time.Millisecond, "-1.5": -1500 * time.Millisecond, "86400.001": 24*time.Hour + time.Millisecond,
	} {
		wantJSON(t, Seconds(d), want)
		var s Seconds
		if err := json.Unmarshal([]byte(want), &s); err != nil || time.Duration(s) != d {
			t.Errorf("%s: %v %v", want, time.Duration(s), err)
		}
	}
}
