package report

import (
	"strings"
	"testing"

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
			both(fields(`"x":1`), fields(`"x":2`), store.Detail), both(fields(`"x":1`), fields(``), store.Detail),
			[]string{`schema /x 2->-`}},
		{"dropping a status leaves the other's word, and health says so",
			both(`{"status":"200"}`, `{"status":"401"}`, store.Detail), both(`{"status":"200"}`, `{}`, store.Detail),
			[]string{`status /status "401"->"200" [expired>healthy]`, `schema /status "401"->-`}},
	})
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
			if _, err := Read(bad); err == nil {
				t.Error("Read: no error")
			}
		})
	}
}
