package fetcher

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lobstrail/lobstrail/store"
)

const plainKey = "0123456789CANARY"

func withID(members string) string { return `{"id":"` + accountA + `",` + members + `}` }

func TestAnAccountIsKeptAsReceived(t *testing.T) {
	accounts := map[string]string{
		"of the fixture":            rawDetail(t),
		"with nothing but its id":   `{"id":"` + accountA + `"}`,
		"with counters":             withID(`"params":{"user":{"profiles":{"name":"auth_token","value":143}}},"cookies":[{"name":"ct0"}]`),
		"with null where a list is": withID(`"squids":null,"object":null,"cookies":null`),
		"with large numbers":        withID(`"n": 123456789012345678901234567890.000`),
		"with escapes":              withID(`"\u0069\u0064x":"\ud83d\ude00\/"`),
		"with a value by itself":    withID(`"value":"auth_token","name":"ct0"`),
		"with unknown cookies":      withID(`"a":{"name":"other","value":1},"cookies":[{"name":"ct0","required":true}]`),
	}
	for name, raw := range accounts {
		t.Run(name, func(t *testing.T) {
			body := []byte(raw)
			got, err := newInspector(newSecret(plainKey)).account(body)
			if err != nil {
				t.Fatal(err)
			}
			want := store.Observed{ID: got.ID, Raw: json.RawMessage(raw)}
			if diff := cmp.Diff(want, got); diff != "" || string(body) != raw {
				t.Error(diff)
			}
			if &got.Raw[0] != &body[0] {
				t.Error("the bytes were copied")
			}
		})
	}
}

func TestSecretsAreWithheld(t *testing.T) {
	tests := map[string]struct{ raw, want string }{
		"a value in the cookies specification": {`"cookies":[{"name":"ct0","value":"S3CRET"}]`, `"cookies":[{"name":"ct0","value":"[withheld]"}]`},
		"in any case and depth":                {`"a":[{"SessionCOOKIES":[[{"b":{"Value":"S3CRET"}}]]}]`, `"a":[{"SessionCOOKIES":[[{"b":{"Value":"[withheld]"}}]]}]`},
		"of any type":                          {`"cookies":{"a":{"value":{"x":["S3CRET",{"value":"S3CRET"}]}},"b":{"value":null}}`, `"cookies":{"a":{"value":"[withheld]"},"b":{"value":"[withheld]"}}`},
		"behind escapes":                       {`"\u0063ookies":[{"v\u0061lue":"S3CRET"}]`, `"\u0063ookies":[{"v\u0061lue":"[withheld]"}]`},
		"beside the name of a cookie": {`"jar":[{"value":"S3CRET","name":"ct0"},{"value":"kept","name":"other"}],"cookies":[{"name":"ct0"}]`,
			`"jar":[{"value":"[withheld]","name":"ct0"},{"value":"kept","name":"other"}],"cookies":[{"name":"ct0"}]`},
		"beside the name of a cookie in a plain list": {`"cookies":["ct0"],"jar":{"name":"ct\u0030","value":["S3CRET"]}`, `"cookies":["ct0"],"jar":{"name":"ct\u0030","value":"[withheld]"}`},
		"the key in a value":                          {`"note":"it is 0123456789CANARY, twice: 0123456789CANARY"`, `"note":"it is [withheld], twice: [withheld]"`},
		"the key in a name":                           {`"x0123456789CANARY":1`, `"x[withheld]":1`},
		"the key behind escapes":                      {`"note":["\u00301234567\u00389CANARY\n"]`, `"note":["[withheld]\n"]`},
		"the key within a cookie":                     {`"cookies":[{"value":["0123456789CANARY"],"name":"0123456789CANARY"}]`, `"cookies":[{"value":"[withheld]","name":"[withheld]"}]`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newInspector(newSecret(plainKey)).account([]byte(withID(test.raw)))
			want := store.Observed{ID: accountA, Raw: json.RawMessage(withID(test.want)), Withheld: true}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func TestAnAccountThatCannotBeUnderstoodIsAFailure(t *testing.T) {
	deep := strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100)
	tests := map[string]struct{ raw, id, message string }{
		"a number":                                  {`7`, "", "no JSON object"},
		"without id":                                {`{"x":1}`, "", "no id"},
		"with a number for its id":                  {`{"id":7}`, "", "32 lower-case hex digits"},
		"with a short id":                           {`{"id":"abc"}`, "", "32 lower-case hex digits"},
		"with two ids":                              {`{"id":"` + accountA + `","id":"` + accountB + `"}`, "", "twice: id"},
		"with a member twice":                       {withID(`"x":1,"x":2`), accountA, "twice: x"},
		"with a deep member twice":                  {withID(`"x":{"y":[{"z":1,"z":1}]}`), accountA, "twice: z"},
		"with bytes that are no text":               {withID(`"x":"` + "\xff" + `"`), accountA, "no valid JSON"},
		"with half a surrogate":                     {withID(`"x":"\ud800"`), accountA, "no valid JSON"},
		"of another object":                         {withID(`"object":"squid"`), accountA, "no account"},
		"of an object by number":                    {withID(`"object":1`), accountA, "no account"},
		"with a squid by number":                    {withID(`"squids":[{"id":"a"},7]`), accountA, "squids: entry 1"},
		"with squids by object":                     {withID(`"squids":{}`), accountA, "squids: not a list"},
		"nested too deep":                           {withID(`"x":` + deep), accountA, "100 levels"},
		"too large":                                 {withID(`"x":"` + strings.Repeat("x", 1<<20) + `"`), accountA, "larger"},
		"whose names meet when the key is withheld": {withID(`"` + plainKey + `":1,"[withheld]":2`), accountA, "cannot be withheld"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			good := `{"id":"` + accountC + `"}`
			body := `{"data":[` + test.raw + `,` + good + `]}`
			got, err := newInspector(newSecret(plainKey)).page([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.accounts) != 1 || got.accounts[0].ID != accountC || len(got.failures) != 1 {
				t.Fatalf("%+v", got)
			}
			want := store.Failure{Account: test.id, Kind: store.FailDecode, HTTPStatus: 200, Message: got.failures[0].Message}
			if diff := cmp.Diff(want, got.failures[0]); diff != "" || !strings.Contains(want.Message, test.message) {
				t.Errorf("%s lacks %s %s", want.Message, test.message, diff)
			}
		})
	}
}

func TestAnEnvelopeIsReadInEverySpelling(t *testing.T) {
	bare := func(e envelope) envelope { e.data = nil; return e }
	tests := map[string]struct {
		body string
		want envelope
	}{
		"of the fixture":    {fixture(t, "accounts-page.json"), envelope{total: 3, limit: 100, page: 1, pages: 1}},
		"with nothing":      {`{}`, envelope{total: -1, limit: -1, page: -1, pages: -1}},
		"with strings":      {`{"total_results":"12","limit":"50","page":"2","total_pages":"3","next":"x"}`, envelope{total: 12, limit: 50, page: 2, pages: 3, next: "x"}},
		"with other types":  {`{"total_results":[1],"limit":1.5,"page":-1,"total_pages":99999999999999999999,"next":false}`, envelope{total: -1, limit: -1, page: -1, pages: -1}},
		"with a warning":    {`{"warning":"cut","page":1}`, envelope{total: -1, limit: -1, page: 1, pages: -1, warning: []byte(`"cut"`)}},
		"with null warning": {`{"warning":null}`, envelope{total: -1, limit: -1, page: -1, pages: -1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := split([]byte(test.body))
			if diff := cmp.Diff(test.want, bare(got), cmp.AllowUnexported(envelope{})); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func TestAPageOfTooManyObjectsIsRefused(t *testing.T) {
	body := `{"data":[` + strings.Repeat("1,", maxObjects) + `1]}`
	if _, err := newInspector(newSecret(plainKey)).page([]byte(body)); err == nil || retryable(err) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkPage(b *testing.B) {
	account := []byte(strings.Replace(rawDetail(b), `"icon": "`, `"icon": "`+strings.Repeat("iVBOR", 800), 1))
	body := append([]byte(`{"data":[`), bytes.Repeat(append(account, ','), 99)...)
	body = append(append(body, account...), `]}`...)
	in := newInspector(newSecret(plainKey))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := in.page(body); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/account")
}
