package lobstrtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// team is a world of three accounts: ada and ben use Leads, cleo uses Mentions.
func team(t *testing.T) (*lobstrtest.World, *lobstrtest.Server, *client) {
	t.Helper()
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	for _, name := range []string{"ada", "ben"} {
		w.Add(lobstrtest.Account{ID: lobstrtest.ID(name), Username: name, Type: lobstrtest.Facebook, Squids: []string{"Leads"}})
	}
	w.Add(lobstrtest.Account{ID: lobstrtest.ID("cleo"), Username: "cleo", Squids: []string{"Mentions"}})
	s := lobstrtest.New(t, w)
	return w, s, newClient(t, s)
}

// object asks for a document and decodes it.
func (c *client) object(path string) (o map[string]any) {
	c.t.Helper()
	a := c.get(path)
	if err := json.Unmarshal(a.body, &o); err != nil || a.status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return o
}

// post sends a body to a path and decodes the answer.
func (c *client) post(path, body string) (status int, o map[string]any) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodPost, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&o); err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, o
}

// names lists a member of the entries of a list.
func (c *client) names(path, member string) (all []string) {
	c.t.Helper()
	for _, raw := range c.list(path).Data {
		var o map[string]any
		if err := json.Unmarshal(raw, &o); err != nil {
			c.t.Fatal(err)
		}
		all = append(all, fmt.Sprint(o[member]))
	}
	return all
}

func TestAccountTypesAreNamedAsTheirAccounts(t *testing.T) {
	_, _, c := team(t)
	var one struct{ Name, Domain, Icon, Object string }
	for _, raw := range c.list("/account_types").Data {
		if json.Unmarshal(raw, &one); one.Domain == "Facebook" {
			break
		}
	}
	if one.Name != "facebook-sync" || one.Object != "account_type" || len(one.Icon) < 1000 {
		t.Errorf("%+v", one)
	}
}

func TestTheOwnerOfTheKeyHasAPlanAndABalance(t *testing.T) {
	_, _, c := team(t)
	me := c.object("/me")
	if plan, ok := me["plan"].([]any); !ok || len(plan) != 1 || me["first_name"] == nil || me["last_name"] == nil {
		t.Errorf("%v", me)
	}
	if balance := c.object("/user/balance"); balance["available"] != 10000.0 || balance["total_available_slots"] != 20.0 {
		t.Errorf("%v", balance)
	}
}

func TestEachAnswerTellsTheBudget(t *testing.T) {
	_, s, c := team(t)
	for _, path := range []string{"/accounts", "/accounts/" + lobstrtest.ID("nobody"), "/runs", "/nowhere", "/accounts?page=0"} {
		if h := c.get(path).header; h.Get("X-RateLimit-Limit") == "" || h.Get("X-RateLimit-Remaining") == "" || h.Get("X-RateLimit-Reset") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	s.Inject(lobstrtest.FaultNamed("http-503-current"), lobstrtest.When{Times: 1})
	unavailable := c.get("/accounts")
	c.token = "unknown"
	for status, a := range map[int]answer{503: unavailable, 401: c.get("/accounts")} {
		if a.status != status || a.header.Get("X-RateLimit-Remaining") == "" {
			t.Errorf("%d: %v", a.status, a.header)
		}
	}
}

func TestListsAreFiltered(t *testing.T) {
	w, _, c := team(t)
	w.Apply(lobstrtest.Fail(lobstrtest.ID("ben"), 200, "cookies_expired", "Success!"))
	for path, want := range map[string][]string{
		"/accounts?type=twitter-sync":           {"cleo"},
		"/accounts?type=facebook-sync&status=1": {"ada"},
		"/accounts?status=1":                    {"ada", "cleo"},
		"/accounts?type=other-sync":             nil,
		"/squids?name=eaD":                      {"Leads"},
		"/squids?name=nothing":                  nil,
	} {
		member := "username"
		if strings.HasPrefix(path, "/squids") {
			member = "name"
		}
		if got := c.names(path, member); !slices.Equal(sorted(got), want) || c.list(path).TotalResults != len(want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	next := *c.list("/accounts?limit=1&status=1").Next
	if second := c.names(strings.TrimPrefix(next, c.server.URL), "username"); !slices.Equal(second, []string{"cleo"}) {
		t.Errorf("%s leads to %q", next, second)
	}
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}

func TestASquidTellsItsAccountsAndItsSchedule(t *testing.T) {
	w, _, c := team(t)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	leads := w.SetSquid("Leads", lobstrtest.Squid{Launch: "07:30", Zone: paris, Chain: "Mentions"})
	w.SetSquid("Mentions", lobstrtest.Squid{Manual: true})
	if got := c.object("/squids/" + leads)["next_launch_at"]; got != "2026-01-05T06:30:00Z" {
		t.Errorf("next_launch_at %v", got)
	}
	w.Apply(lobstrtest.Expire(lobstrtest.ID("ben")), lobstrtest.Run("Leads", "limit_exceeded"))
	one := c.object("/squids/" + leads)
	users := map[any]any{}
	for _, user := range one["accounts"].([]any) {
		users[user.(map[string]any)["id"]] = user.(map[string]any)["status"]
	}
	if want := map[any]any{lobstrtest.ID("ada"): "synchronized", lobstrtest.ID("ben"): "cookies_expired"}; !reflect.DeepEqual(users, want) {
		t.Errorf("accounts: %v", users)
	}
	if got := fmt.Sprintln(one["schedule"], one["last_run_status"], one["last_run_done_reason"], one["next_launch_at"]); got !=
		"map[expression:30 7 * * * timezone:Europe/Paris] PAUSED limit_exceeded 2026-01-05T07:00:00Z\n" {
		t.Error(got)
	}
	if raw := c.get("/squids/" + leads).body; strings.Count(string(raw), lobstrtest.SquidSecret) != 5 {
		t.Errorf("secrets: %s", raw)
	}
	target := one["chain"].(map[string]any)["target_cluster"].(map[string]any)["id"]
	if chained := c.object(fmt.Sprint("/squids/", target)); chained["name"] != "Mentions" || chained["schedule"] != nil ||
		chained["next_launch_at"] != nil || chained["chain"] != nil || chained["last_run_status"] != "DONE" {
		t.Errorf("%v", chained)
	}
	crawler := c.object(fmt.Sprint("/crawlers/", one["crawler"]))
	if account := crawler["account"].(map[string]any); account["type"] != "facebook-sync" {
		t.Errorf("%v", crawler)
	}
	if a := c.get("/squids/" + lobstrtest.ID("nobody")); a.status != http.StatusNotFound {
		t.Errorf("%d", a.status)
	}
}

func TestTheListOfSquidsHasNoAccounts(t *testing.T) {
	w, _, c := team(t)
	w.Clock().Set(start.Add(30 * time.Minute))
	list := c.list("/squids")
	var one map[string]any
	json.Unmarshal(list.Data[0], &one)
	if _, has := one["accounts"]; has || one["schedule"] != "0 6 * * *" || one["next_launch_at"] != "2026-01-06T06:00:00Z" {
		t.Errorf("%v", one)
	}
}

func TestRunsTellWhyTheyEnded(t *testing.T) {
	w, _, c := team(t)
	leads := lobstrtest.ID("squid/Leads")
	w.At(start.Add(time.Hour), lobstrtest.Run("Leads", "cookies_expired"))
	w.At(start.Add(3*time.Hour), lobstrtest.Run("Leads", "tasks_done"))
	w.History("", start.Add(4*time.Hour))                                 // looks into the future
	w.At(start.Add(time.Minute), lobstrtest.Expire(lobstrtest.ID("ada"))) // so that all is played again
	w.History("", start.Add(4*time.Hour))
	w.Clock().Set(start.Add(2 * time.Hour))
	path := "/runs?squid=" + leads
	if got := fmt.Sprint(c.names(path, "done_reason"), c.names(path, "status")); got != "[cookies_expired tasks_done] [error done]" {
		t.Error(got)
	}
	last := c.names(path, "id")[0]
	if run := c.object("/runs/" + last); run["squid"] != leads || run["ended_at"] != "2026-01-05T07:00:00Z" {
		t.Errorf("%v", run)
	}
	for path, want := range map[string]string{
		"/runs":               "A required parameter squid is missing from the route.",
		"/runs?squid=" + last: "Not found.",
		"/runs/" + leads:      "Run not found",
	} {
		if a := c.get(path); a.status < 400 || !strings.Contains(string(a.body), want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestAnExpiredAccountIsSynchronisedOverHTTP(t *testing.T) {
	w, _, c := team(t)
	ada := lobstrtest.ID("ada")
	w.Apply(lobstrtest.Expire(ada), lobstrtest.SetLimit(ada, "profiles", 7))
	body := func(account, value string) string {
		return fmt.Sprintf(`{"account":%q,"type":"facebook-sync","cookies":{"c_user":"1","xs":%q}}`, account, value)
	}
	synchronise := func(body string) (statuses []float64, account any) {
		_, task := c.post("/accounts/cookies", body)
		for status := task["status_code"].(float64); ; {
			statuses = append(statuses, status)
			if status >= 200 {
				return statuses, account
			}
			told := c.object(fmt.Sprint("/synchronize/", task["id"]))
			status, account = told["status_code"].(float64), told["account_hash"]
		}
	}
	if got, _ := synchronise(body(ada, lobstrtest.ExpiredCookie)); !slices.Equal(got, []float64{100, 120, 401}) ||
		w.HealthAt(ada, w.Clock().Now()) != "expired" {
		t.Errorf("with an expired cookie: %v", got)
	}
	if got, account := synchronise(body(ada, "fresh")); !slices.Equal(got, []float64{100, 120, 200}) || account != ada ||
		w.HealthAt(ada, w.Clock().Now()) != "healthy" {
		t.Errorf("%v of %v", got, account)
	}
	raw, _ := w.StateAt(ada, lobstrtest.DetailView, w.Clock().Now())
	if !strings.Contains(string(raw), `"profiles":{"max":7,`) {
		t.Errorf("the limit did not stay: %s", raw)
	}
	if _, account := synchronise(`{"type":"facebook-sync","cookies":{"c_user":2,"xs":"y"}}`); c.object(fmt.Sprint("/accounts/", account)) == nil {
		t.Errorf("no new account %v", account)
	}
	for body, want := range map[string]int{
		body(lobstrtest.ID("nobody"), "x"):                        404,
		body(lobstrtest.ID("cleo"), "x"):                          400,
		`{"type":"facebook-sync","cookies":{"c_user":"1"}}`:       400,
		`{"type":"other-sync","cookies":{"c_user":"1","xs":"2"}}`: 400,
		`{`: 400,
	} {
		if status, told := c.post("/accounts/cookies", body); status != want {
			t.Errorf("%s: %d %v", body, status, told)
		}
	}
}

func TestLocksAreSpelledInEachForm(t *testing.T) {
	until := start.Add(90 * time.Minute)
	for _, test := range []struct {
		form lobstrtest.LockForm
		want string
		ends time.Time
	}{
		{lobstrtest.LockISO, `"2026-01-05T07:30:00Z"`, until},
		{lobstrtest.LockUnix, `1767598200`, until},
		{lobstrtest.LockMillis, `1767598200000`, until},
		{lobstrtest.LockDate, `"2026-01-06"`, start.Add(18 * time.Hour)},
		{lobstrtest.LockGarbage, `"until the platform is done"`, start},
	} {
		w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
		id := w.Add(lobstrtest.Account{Username: "ada"})
		at := w.Apply(lobstrtest.Lock(id, until, test.form))
		var told struct {
			LockTime json.RawMessage `json:"lock_time"`
		}
		raw, _ := w.StateAt(id, lobstrtest.ListView, at)
		if json.Unmarshal(raw, &told); string(told.LockTime) != test.want {
			t.Errorf("form %d: %s, want %s", test.form, told.LockTime, test.want)
		}
		for instant, want := range map[time.Time]bool{at: test.ends.After(at), test.ends.Add(-1): test.ends.After(at), test.ends: false} {
			if got := w.HealthAt(id, instant) == "locked"; got != want {
				t.Errorf("form %d: locked at %s: %t", test.form, instant, got)
			}
		}
	}
}

func TestTheCommandLineToolShowsElevenFields(t *testing.T) {
	w, _, _ := team(t)
	w.Apply(lobstrtest.DropField(lobstrtest.ID("ada"), "squids"))
	raw, ok := w.StateAt(lobstrtest.ID("ada"), lobstrtest.CLIView, w.Clock().Now())
	if got := fieldNames(t, raw); !ok || len(got) != 11 || got["status"] || !strings.Contains(string(raw), `"squids":[],"params":{"default":`) {
		t.Errorf("%s", raw)
	}
	if _, ok := w.StateAt(lobstrtest.ID("nobody"), lobstrtest.CLIView, start); ok {
		t.Error("nobody is shown")
	}
}
