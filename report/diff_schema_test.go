package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestDiffSchema(t *testing.T) {
	runDiffCases(t, []diffCase{
		fieldCase("newly sent", ``, `"x":1`, `schema /x -->1`),
		fieldCase("newly sent null", ``, `"x":null`, `schema /x -->null`),
		fieldCase("no longer sent", `"x":1`, ``, `schema /x 1->-`),
		fieldCase("a member newly sent", `"x":{}`, `"x":{"a":1}`, `schema /x/a -->1`),
		fieldCase("a container of another type", `"x":{"a":[1]}`, `"x":{"a":{}}`, `schema /x/a [1]->{}`),
		fieldCase("another type, same number", `"x":5`, `"x":"5"`, `schema /x 5->"5"`),
		fieldCase("another type, another value", `"x":5`, `"x":"6"`, `field /x 5->"6"`, `schema /x 5->"6"`),
		fieldCase("null is no type", `"x":null`, `"x":{"a":1}`, `field /x null->{"a":1}`),
	})
}

func TestDiffOfTwoEndpoints(t *testing.T) {
	runDiffCases(t, []diffCase{
		{"what one endpoint has and the other lacks has not changed",
			list(fields(`"primary_color":"#fff","x":{"a":1,"b":2},"params":{"user":{"p":{"max":1,"start":2}}}`)),
			both(fields(`"primary_color":"#fff","x":{"a":1,"b":2},"params":{"user":{"p":{"max":1,"start":2}}}`),
				fields(`"owner":1,"x":{"a":1,"c":2},"params":{"user":{"p":{"max":1,"end":3}}}`), store.Detail), nil},
		{"nor when the first speaks again",
			both(fields(`"primary_color":"#fff","params":{"p":1}`), fields(`"owner":1,"params":{"q":2}`), store.Detail),
			both(fields(`"primary_color":"#fff","params":{"p":1}`), fields(`"owner":1,"params":{"q":2}`), store.List), nil},
		{"a type that differs between endpoints", list(`{"status":"200"}`), both(`{"status":"200"}`, `{"status":200}`, store.Detail), nil},
		{"one says otherwise than the other", list(fields(`"x":1`)), both(fields(`"x":1`), fields(`"x":2`), store.Detail),
			[]string{`field /x 1->2`}},
		{"and the first insists", both(fields(`"x":1`), fields(`"x":2`), store.Detail), both(fields(`"x":1`), fields(`"x":2`), store.List),
			[]string{`field /x 2->1`}},
		{"newly sent, and known from the other", both(fields(`"x":1`), fields(``), store.List), both(fields(`"x":1`), fields(`"x":2`), store.Detail),
			[]string{`field /x 1->2`, `schema /x -->2`}},
		{"no longer sent, and kept by the other", both(fields(`"x":1`), fields(`"x":1`), store.Detail), both(fields(`"x":1`), fields(``), store.Detail),
			[]string{`schema /x 1->-`}},
		{"a setting no longer sent, and kept by the other",
			both(fields(`"params":{"p":1}`), fields(`"params":{"p":1}`), store.Detail),
			both(fields(`"params":{"p":1}`), fields(`"params":{}`), store.Detail), []string{`schema /params/p 1->-`}},
		{"dropping a field does not bring back the other's word",
			told(t, said{store.List, fields(`"x":1`)}, said{store.Detail, fields(`"x":2`)}),
			told(t, said{store.List, fields(`"x":1`)}, said{store.Detail, fields(`"x":2`)}, said{store.Detail, fields(``)}),
			[]string{`schema /x 2->-`}},
		{"dropping a status does not bring back the other's word",
			told(t, said{store.List, `{"status":"200"}`}, said{store.Detail, `{"status":"401"}`}),
			told(t, said{store.List, `{"status":"200"}`}, said{store.Detail, `{"status":"401"}`}, said{store.Detail, `{}`}),
			[]string{`schema /status "401"->-`}},
		{"a field that was dropped comes back as another",
			told(t, said{store.List, fields(`"x":1`)}, said{store.List, fields(``)}),
			told(t, said{store.List, fields(`"x":1`)}, said{store.List, fields(``)}, said{store.List, fields(`"x":2`)}),
			[]string{`field /x 1->2`, `schema /x -->2`}},
	})
}

// said is a document that a source showed.
type said struct {
	source store.Source
	doc    string
}

// told is the state after documents, a minute apart, without what is known of resets_in.
func told(t failer, documents ...said) (s store.State) {
	t.Helper()
	for i, d := range documents {
		next, err := s.Next(at.Add(time.Duration(i)*time.Minute), d.source, json.RawMessage(d.doc))
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		s = next
	}
	return s
}

// TestDiffOfTheReducedShape: the vendor's CLI prints accounts without a status and other
// fields. What a document lacks concludes nothing; what one shape has newly or no longer
// is a change of schema.
func TestDiffOfTheReducedShape(t *testing.T) {
	const more = `,"status_code_description":"Success!","params":{"user":{"p":{"max":1}}},"lock_time":null`
	full := func(status, info, extra string) said {
		return said{store.Import, `{"username":"u","status":"` + status + `","status_code_info":"` + info + `"` + more + extra + `}`}
	}
	list := func(status, info, extra string) said { return said{store.List, full(status, info, extra).doc} }
	reduced := func(info, extra string) said {
		return said{store.Import, `{"username":"u","status_code_info":"` + info + `"` + extra + `}`}
	}
	for _, test := range []struct {
		name string
		said []said
		want []string // of the last one
	}{
		{"reduced, full", []said{reduced("synchronized", ""), full("200", "synchronized", "")}, []string{}},
		{"full, reduced", []said{full("200", "synchronized", ""), reduced("synchronized", "")}, []string{}},
		{"full, reduced, full", []said{full("200", "synchronized", ""), reduced("synchronized", ""), full("200", "synchronized", "")}, []string{}},
		{"expired, reduced, expired", []said{full("401", "cookies_expired", ""), reduced("cookies_expired", ""), list("401", "cookies_expired", "")}, []string{}},
		{"blocked, reduced", []said{list("500", "account_blocked", ""), reduced("account_blocked", "")}, []string{}},
		{"reduced, blocked", []said{reduced("account_blocked", ""), list("500", "account_blocked", "")},
			[]string{`status /status -->"500" [unknown>failing]`}},
		{"expired, then reduced and working", []said{full("401", "cookies_expired", ""), reduced("synchronized", "")},
			[]string{`status /status_code_info "cookies_expired"->"synchronized" [expired>healthy]`}},
		{"and then full", []said{full("401", "cookies_expired", ""), reduced("synchronized", ""), full("200", "synchronized", "")},
			[]string{`status /status "401"->"200" [healthy>healthy]`}},
		{"full again as before, after another keyword", []said{full("500", "a", ""), reduced("b", ""), full("500", "b", "")},
			[]string{`status /status -->"500" [unknown>failing]`}},
		{"working, then reduced and blocked", []said{full("200", "synchronized", ""), reduced("account_blocked", "")},
			[]string{`status /status_code_info "synchronized"->"account_blocked" [healthy>unknown]`}},
		{"a detail and a list that were saved", []said{
			full("200", "synchronized", ""), {store.Import, `{"username":"u","status":"200","status_code_info":"synchronized","squids":[]}`},
			full("200", "synchronized", "")}, []string{}},
		{"a limit that is known already", []said{full("200", "synchronized", ""), reduced("synchronized", `,"params":{"user":{"p":{"max":2}}}`)},
			[]string{`limit /params/user/p/max 1->2`}},
		{"a real new field", []said{full("200", "synchronized", ""), reduced("synchronized", ""), full("200", "synchronized", `,"x":1`)},
			[]string{`schema /x -->1`}},
		{"a real new reduced field", []said{reduced("synchronized", ""), full("200", "synchronized", ""), reduced("synchronized", `,"x":1`)},
			[]string{`schema /x -->1`}},
		{"a field that is dropped", []said{full("200", "synchronized", `,"x":1`), reduced("synchronized", ""), full("200", "synchronized", "")},
			[]string{`schema /x 1->-`}},
		{"a field that the reduced shape drops", []said{reduced("synchronized", `,"x":1`), full("200", "synchronized", `,"x":1`), reduced("synchronized", "")},
			[]string{`schema /x 1->-`}},
		{"a list that drops its status", []said{list("401", "wrong_credentials", ""), {store.List, `{"username":"u","status_code_info":"wrong_credentials"` + more + `}`}},
			[]string{`schema /status "401"->-`}},
	} {
		last := len(test.said) - 1
		changes := mustDiff(t, told(t, test.said[:last]...), told(t, test.said...))
		if diff := cmp.Diff(test.want, lines(changes)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestDiffRefuses(t *testing.T) {
	good := list(fields(""))
	for name, bad := range map[string]store.State{
		"a list":             list(`[]`),
		"broken JSON":        list(`{"a":`),
		"a repeated member":  list(`{"a":1,"a":2}`),
		"two values":         list(`{} {}`),
		"squids as a number": list(fields(`"squids":1`)),
		"a squid without id": list(fields(`"squids":[{"name":"a"}]`)),
		"deep nesting":       list(fields(`"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000))),
		"no document":        {At: at},
	} {
		t.Run(name, func(t *testing.T) {
			if changes, err := Diff(good, bad); err == nil {
				t.Errorf("no error, but %v", lines(changes))
			}
			if name == "deep nesting" {
				return // not looked into by Read
			}
			if _, err := FactsOf(bad); err == nil {
				t.Error("Read: no error")
			}
		})
	}
}
