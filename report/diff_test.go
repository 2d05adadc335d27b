package report

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

var at = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const (
	past   = "1700000000"             // before at
	live   = "4102444800"             // 2100-01-01T00:00:00Z
	liveTo = `"2100-01-01T00:00:00Z"` // the same instant
)

func list(doc string) store.State {
	return store.State{At: at, List: json.RawMessage(doc), Latest: store.List}
}

func detail(doc string) store.State {
	return store.State{At: at, Detail: json.RawMessage(doc), Latest: store.Detail}
}

// both has a document of each endpoint.
func both(listDoc, detailDoc string, latest store.Source) store.State {
	return store.State{At: at, List: json.RawMessage(listDoc), Detail: json.RawMessage(detailDoc), Latest: latest}
}

func later(s store.State, d time.Duration) store.State {
	s.At = s.At.Add(d)
	return s
}

// line writes a change for comparing: kind path old->new [before>after].
func line(c store.Change) string {
	text := func(raw json.RawMessage) string {
		if raw == nil {
			return "-"
		}
		return string(raw)
	}
	s := fmt.Sprintf("%s %s %s->%s", c.Kind, c.Path, text(c.Old), text(c.New))
	if c.HealthBefore != "" || c.HealthAfter != "" {
		s += fmt.Sprintf(" [%s>%s]", c.HealthBefore, c.HealthAfter)
	}
	return s
}

func lines(changes []store.Change) []string {
	all := []string{}
	for _, c := range changes {
		all = append(all, line(c))
	}
	return all
}

// fields makes an object of a working account and further members.
func fields(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"status":"200"` + members + `}`
}

type diffCase struct {
	name     string
	old, new store.State
	want     []string
}

// field cases differ in members of one list document.
func fieldCase(name, old, new string, want ...string) diffCase {
	return diffCase{name, list(fields(old)), list(fields(new)), want}
}

func runDiffCases(t *testing.T, cases []diffCase) {
	t.Helper()
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			changes, err := Diff(test.old, test.new)
			if err != nil {
				t.Fatal(err)
			}
			want := append([]string{}, test.want...)
			if diff := cmp.Diff(want, lines(changes)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDiffPresence(t *testing.T) {
	gone := store.State{At: at, Gone: true}
	doc := list(`{"status":"401"}`)
	runDiffCases(t, []diffCase{
		{"the first sight is one appeared", store.State{}, doc, []string{"appeared  -->- [>expired]"}},
		{"an account answers 404", doc, gone, []string{"gone  -->- [expired>gone]"}},
		{"an account comes back", gone, doc, []string{"returned  -->- [gone>expired]"}},
		{"a gone account stays gone", gone, gone, nil},
		{"nothing is nothing", store.State{}, store.State{}, nil},
	})
}

func TestDiffStatus(t *testing.T) {
	runDiffCases(t, []diffCase{
		{"one change for each status field",
			list(`{"status":"200","status_code_info":"synchronized","status_code_description":"Success!"}`),
			list(`{"status":"401","status_code_info":"cookies_expired","status_code_description":"Expired."}`),
			[]string{
				`status /status "200"->"401" [healthy>expired]`,
				`status /status_code_description "Success!"->"Expired." [healthy>expired]`,
				`status /status_code_info "synchronized"->"cookies_expired" [healthy>expired]`,
			}},
		{"200 and the text of it are the same status", list(`{"status":200}`), list(`{"status":"200"}`),
			[]string{`schema /status 200->"200"`}},
		{"another spelling of a number", list(`{"status":200}`), list(`{"status":2.00e2}`), nil},
		{"another spelling of a number in a text", list(`{"status":"200"}`), list(`{"status":"2.00e2"}`), nil},
		{"another status of another type is both", list(`{"status":"200"}`), list(`{"status":401}`),
			[]string{`status /status "200"->401 [healthy>expired]`, `schema /status "200"->401`}},
		{"a status becomes null", list(`{"status":"200"}`), list(`{"status":null}`),
			[]string{`status /status "200"->null [healthy>unknown]`}},
		{"a status is no longer sent", list(`{"status":"200"}`), list(`{}`),
			[]string{`status /status "200"->- [healthy>unknown]`, `schema /status "200"->-`}},
		{"a status is newly sent", list(`{}`), list(`{"status":"200"}`),
			[]string{`status /status -->"200" [unknown>healthy]`, `schema /status -->"200"`}},
		{"no status newly sent as null is no status", list(`{}`), list(`{"status":null}`),
			[]string{`schema /status -->null`}},
		{"a status becomes an object", list(`{"status":"200"}`), list(`{"status":{"a":1}}`),
			[]string{`status /status "200"->{"a":1} [healthy>unknown]`, `schema /status "200"->{"a":1}`}},
	})
}

func TestDiffLock(t *testing.T) {
	lock := func(value string) store.State { return list(fields(`"lock_time":` + value)) }
	soon := fmt.Sprint(at.Add(time.Hour).Unix())
	runDiffCases(t, []diffCase{
		{"a lock begins", lock("null"), lock(live), []string{"locked /lock_time null->4102444800 [healthy>locked]"}},
		{"a lock begins whatever the health", list(`{"status":"401","lock_time":null}`), list(`{"status":"401","lock_time":4102444800}`),
			[]string{"locked /lock_time null->4102444800 [expired>expired]"}},
		{"a lock is cleared", lock(live), lock("null"), []string{"unlocked /lock_time 4102444800->null [locked>healthy]"}},
		{"a lock passes by time", lock(soon), later(lock(soon), 2*time.Hour),
			[]string{"unlocked /lock_time " + soon + "->null [locked>healthy]"}},
		{"a lock ends at the second it names", lock(soon), later(lock(soon), time.Hour),
			[]string{"unlocked /lock_time " + soon + "->null [locked>healthy]"}},
		{"a lock goes on", lock(soon), later(lock(soon), time.Minute), nil},
		{"clearing a lock that ran out is nothing", lock(past), lock("null"), nil},
		{"a lock that never was live is nothing", lock("null"), lock(past), nil},
		{"a lock is replaced by a past one", lock(live), lock(past), []string{"unlocked /lock_time 4102444800->null [locked>healthy]"}},
		{"a lock is moved while it lasts", lock(live), lock("4102444801"), []string{"field /lock_time 4102444800->4102444801"}},
		{"a lock ends and another begins", lock(soon), later(lock(live), 2*time.Hour), []string{
			"unlocked /lock_time " + soon + "->null [locked>locked]",
			"locked /lock_time null->4102444800 [locked>locked]"}},
		{"another spelling of the instant", lock(live), lock(liveTo), []string{"schema /lock_time 4102444800->" + liveTo}},
		{"a numeric text", lock(live), lock(`"4102444800"`), []string{`schema /lock_time 4102444800->"4102444800"`}},
		{"what is no time is no lock, and kept", lock("null"), lock(`"soon"`), []string{`field /lock_time null->"soon"`}},
		{"a lock becomes nonsense", lock(live), lock(`"soon"`), []string{
			"unlocked /lock_time 4102444800->null [locked>healthy]",
			`field /lock_time 4102444800->"soon"`, `schema /lock_time 4102444800->"soon"`}},
		{"a live lock is newly sent", list(fields("")), lock(live), []string{
			"locked /lock_time null->4102444800 [healthy>locked]", "schema /lock_time -->4102444800"}},
		{"a live lock is first heard of from the list", detail(fields("")),
			both(fields(`"lock_time":4102444800`), fields(""), store.List),
			[]string{"locked /lock_time null->4102444800 [healthy>locked]"}},
		{"a live lock is no longer sent", lock(live), list(fields("")), []string{
			"unlocked /lock_time 4102444800->null [locked>healthy]", "schema /lock_time 4102444800->-"}},
	})
}

func TestDiffSync(t *testing.T) {
	sync := func(value string) string { return `"last_synchronization_time":` + value }
	const field = "/last_synchronization_time"
	runDiffCases(t, []diffCase{
		fieldCase("a synchronisation", sync(`"2024-12-16T10:28:43Z"`), sync(`"2024-12-17T10:28:43Z"`),
			`synced `+field+` "2024-12-16T10:28:43Z"->"2024-12-17T10:28:43Z"`),
		fieldCase("forward only in spelling", sync(`"2024-12-16T10:28:43Z"`), sync(`"2024-12-16T11:28:43.000+01:00"`)),
		fieldCase("backward", sync(`"2024-12-17T10:28:43Z"`), sync(`"2024-12-16T10:28:43Z"`),
			`field `+field+` "2024-12-17T10:28:43Z"->"2024-12-16T10:28:43Z"`),
		fieldCase("from null", sync("null"), sync(`"2024-12-16T10:28:43Z"`), `field `+field+` null->"2024-12-16T10:28:43Z"`),
		fieldCase("to nonsense", sync(`"2024-12-16T10:28:43Z"`), sync(`"never"`), `field `+field+` "2024-12-16T10:28:43Z"->"never"`),
	})
}

func TestDiffSquids(t *testing.T) {
	runDiffCases(t, []diffCase{
		fieldCase("assigned and unassigned, in any order",
			`"squids":[{"name":"A","hash_value":"a"},{"name":"B","hash_value":"b"}]`,
			`"squids":[{"name":"C","id":"c"},{"name":"A","hash":"a"}]`,
			`squid_assigned /squids/c -->"C"`, `squid_unassigned /squids/b "B"->-`),
		fieldCase("renamed", `"squids":[{"name":"A","hash_value":"a"}]`, `"squids":[{"name":"B","hash_value":"a"}]`,
			`squid_renamed /squids/a "A"->"B"`),
		fieldCase("a squid without a name", `"squids":[]`, `"squids":[{"hash_value":"a/~"}]`, `squid_assigned /squids/a~1~0 -->null`),
		fieldCase("null is no squids", `"squids":null`, `"squids":[]`),
		fieldCase("null unassigns", `"squids":[{"hash_value":"a"}]`, `"squids":null`, `squid_unassigned /squids/a null->-`),
		fieldCase("a missing field says nothing", `"squids":[{"hash_value":"a"}]`, ``, `schema /squids [{"hash_value":"a"}]->-`),
		fieldCase("newly sent", ``, `"squids":[{"hash_value":"a","name":"A"}]`,
			`squid_assigned /squids/a -->"A"`, `schema /squids -->[{"hash_value":"a","name":"A"}]`),
		fieldCase("unknown members of an entry are kept", `"squids":[{"hash_value":"a"}]`, `"squids":[{"hash_value":"a","role":2}]`,
			`field /squids/a/role -->2`),
	})
}

func TestDiffLimits(t *testing.T) {
	user := func(members string) string { return `"params":{"default":{},"user":{"profiles":{` + members + `}}}` }
	runDiffCases(t, []diffCase{
		fieldCase("edited", user(`"max":150`), user(`"max":120`), "limit /params/user/profiles/max 150->120"),
		fieldCase("new and vanished", user(`"max":150`), user(`"start_time":"09:00"`),
			"limit /params/user/profiles/max 150->-", `limit /params/user/profiles/start_time -->"09:00"`),
		fieldCase("null is no setting", user(`"start_time":null`), user(``)),
		fieldCase("another spelling of a number", user(`"max":150`), user(`"max":1.5e2`)),
		fieldCase("counters are no changes", user(`"value":1,"timestamp":5,"current":null`), user(`"value":"9","last_batch_at":"x"`)),
		fieldCase("an attribute with counters only", `"params":{"user":{}}`, user(`"value":1`)),
		fieldCase("null and an object of settings", `"params":null`, user(`"max":1`), "limit /params/user/profiles/max -->1"),
		fieldCase("a setting becomes an object", user(`"max":1`), user(`"max":{"day":2}`),
			"limit /params/user/profiles/max 1->-", "limit /params/user/profiles/max/day -->2"),
		fieldCase("lists of one length by element", user(`"days":[1,2]`), user(`"days":[1,3]`), "limit /params/user/profiles/days/1 2->3"),
		fieldCase("lists as a whole", user(`"days":[1,2]`), user(`"days":[1]`), "limit /params/user/profiles/days [1,2]->[1]"),
		fieldCase("params that hold nothing are still sent", `"params":[1]`, `"params":{"user":{}}`,
			"limit /params [1]->null", `schema /params [1]->{"user":{}}`),
		fieldCase("no longer sent: no heap of changes", user(`"max":150`), ``,
			`schema /params {"default":{},"user":{"profiles":{"max":150}}}->-`),
		fieldCase("under default too", `"params":{"default":{"a":{"max":1,"value":1}}}`, `"params":{"default":{"a":{"max":2,"value":2}}}`,
			"limit /params/default/a/max 1->2", "limit /params/default/a/value 1->2"),
	})
}

func TestDiffFields(t *testing.T) {
	runDiffCases(t, []diffCase{
		fieldCase("username", `"username":"a"`, `"username":"b"`, `username /username "a"->"b"`),
		fieldCase("username is mere text", `"username":"2024-01-01T00:00:00Z"`, `"username":"2024-01-01T00:00:00.0Z"`,
			`username /username "2024-01-01T00:00:00Z"->"2024-01-01T00:00:00.0Z"`),
		fieldCase("username as a number", `"username":"5"`, `"username":5`, `schema /username "5"->5`),
		fieldCase("username escaped", `"username":"\u0061"`, `"username":"a"`),
		fieldCase("cookies as a whole", `"cookies":[{"name":"a"},{"name":"b"}]`, `"cookies":[{"name":"a"}]`,
			`cookies /cookies [{"name":"a"},{"name":"b"}]->[{"name":"a"}]`),
		fieldCase("cookies are a set", `"cookies":[{"name":"a","required":true},{"name":"b"}]`,
			`"cookies":[{"name":"b"},{"required":true,"name":"a"}]`),
		fieldCase("icon", `"icon":"sha256:aa"`, `"icon":"sha256:bb"`, `icon /icon "sha256:aa"->"sha256:bb"`),
		fieldCase("from null", `"updated_at":null`, `"updated_at":"2025-03-01T09:00:00Z"`, `field /updated_at null->"2025-03-01T09:00:00Z"`),
		fieldCase("another spelling of an instant", `"updated_at":"2025-03-01T09:00:00Z"`, `"updated_at":"2025-03-01T10:00:00.00+01:00"`),
		fieldCase("the deepest pointer", `"x":{"a":{"b":1,"c":2}}`, `"x":{"a":{"c":2,"b":3}}`, `field /x/a/b 1->3`),
		fieldCase("a list of one length by element", `"x":[1,{"a":1}]`, `"x":[1,{"a":2}]`, `field /x/1/a 1->2`),
		fieldCase("a list as a whole", `"x":[1]`, `"x":[1,2]`, `field /x [1]->[1,2]`),
		fieldCase("a version is no number", `"x":"1.10"`, `"x":"1.1"`, `field /x "1.10"->"1.1"`),
		fieldCase("big integers are exact", `"x":9007199254740993`, `"x":9007199254740992`, `field /x 9007199254740993->9007199254740992`),
		fieldCase("hostile exponents", `"x":1e999999999`, `"x":10e999999998`),
		fieldCase("counting down is nothing", `"resets_in":null`, `"resets_in":5`),
		fieldCase("newly sending what counts down is nothing", ``, `"resets_in":5`),
	})
}
