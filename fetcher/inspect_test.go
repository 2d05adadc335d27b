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
		"with counters":             withID(`"params":{"user":{"profiles":{"name":"posts","value":143}}},"cookies":[{"name":"ct0"}]`),
		"with null where a list is": withID(`"squids":null,"object":null,"cookies":null`),
		"with large numbers":        withID(`"n": 123456789012345678901234567890.000`),
		"with locks":                withID(`"lock_time":1767598200000,"resets_in":"3.5","x":{"lock_time":"soon"}`),
		"with escapes":              withID(`"\u0069\u0064x":"\ud83d\ude00\/"`),
		"with a value by itself":    withID(`"value":"kept","name":"other"`),
		"with flags of cookies":     withID(`"cookies":[{"name":"auth_token","required":true,"optional":false,"note":null}],"has_cookies":true,"session":null`),
		"with text about cookies":   withID(`"status_code_info":"cookies_expired","status_code_description":"[Cookies expired]: log in","x":"{\"a\":\"no c00kie\"}"`),
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
		"of any type":                          {`"cookies":{"a":{"value":{"x":["S3CRET",{"value":17}]}},"b":{"value":null}}`, `"cookies":{"a":{"value":{"x":["[withheld]",{"value":"[withheld]"}]}},"b":{"value":null}}`},
		"behind escapes":                       {`"\u0063ookies":[{"v\u0061lue":"S3CRET"}]`, `"\u0063ookies":[{"v\u0061lue":"[withheld]"}]`},
		"beside the name of a cookie": {`"jar":[{"value":"S3CRET","name":"ct0"},{"value":"kept","name":"other"}],"cookies":[{"name":"ct0"}]`,
			`"jar":[{"value":"[withheld]","name":"ct0"},{"value":"kept","name":"other"}],"cookies":[{"name":"ct0"}]`},
		"beside the name of a cookie in a plain list": {`"cookies":["ct0"],"jar":{"name":"ct\u0030","value":["S3CRET"]}`, `"cookies":["[withheld]"],"jar":{"name":"ct\u0030","value":"[withheld]"}`},
		"the key in a value":                          {`"note":"it is 0123456789CANARY, twice: 0123456789CANARY"`, `"note":"it is [withheld], twice: [withheld]"`},
		"the key in a name":                           {`"x0123456789CANARY":1`, `"x[withheld]":1`},
		"the key behind escapes":                      {`"note":["\u00301234567\u00389CANARY\n"]`, `"note":["[withheld]\n"]`},
		"the key within a cookie":                     {`"cookies":[{"value":["0123456789CANARY"],"name":"0123456789CANARY"}]`, `"cookies":[{"value":["[withheld]"],"name":"[withheld]"}]`},
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

// TestCookiesAreWithheldByStructure: below a name that speaks of cookies only names and
// flags are left, in whatever shape they come.
func TestCookiesAreWithheldByStructure(t *testing.T) {
	const s = `"S3CRET"`
	const w = `"[withheld]"`
	tests := map[string]struct{ raw, want string }{
		"a text":                    {`"cookies":"auth_token=S3CRET; ct0=x"`, `"cookies":` + w},
		"a number":                  {`"cookie":17`, `"cookie":` + w},
		"a map":                     {`"cookies":{"auth_token":` + s + `,"name":` + s + `,"ct0":-1.5,"set":true}`, `"cookies":{"auth_token":` + w + `,"name":` + w + `,"ct0":` + w + `,"set":true}`},
		"a map of entries":          {`"cookies":{"ct0":{"name":` + s + `,"value":` + s + `}}`, `"cookies":{"ct0":{"name":` + w + `,"value":` + w + `}}`},
		"a list of texts":           {`"cookies":["ct0","a=S3CRET"]`, `"cookies":[` + w + `,` + w + `]`},
		"a list of pairs":           {`"cookies":[["ct0",` + s + `]]`, `"cookies":[[` + w + `,` + w + `]]`},
		"a list of entries":         {`"cookies":[{"name":"ct0","value":` + s + `,"domain":".x.com","path":"/","expires":1.5,"secure":true}]`, `"cookies":[{"name":"ct0","value":` + w + `,"domain":` + w + `,"path":` + w + `,"expires":` + w + `,"secure":true}]`},
		"a name that is a cookie":   {`"cookies":[{"name":"ct0=S3CRET"},{"name":"a b"},{"name":"` + strings.Repeat("x", 65) + `"}]`, `"cookies":[{"name":` + w + `},{"name":` + w + `},{"name":` + w + `}]`},
		"a member that is a cookie": {`"cookies":{"ct0=S3CRET":null}`, `"cookies":{` + w + `:null}`},
		"another name":              {`"Cookie_Jar":` + s + `,"x":{"SESSION-COOKIES":{"y":` + s + `}},"coo\u212aie":` + s, `"Cookie_Jar":` + w + `,"x":{"SESSION-COOKIES":{"y":` + w + `}},"coo\u212aie":` + w},
		"a session":                 {`"session":{"id":` + s + `},"auth_token":` + s + `,"sessionId":7,"Password":` + s, `"session":{"id":` + w + `},"auth_token":` + w + `,"sessionId":` + w + `,"Password":` + w},
		"headers by name":           {`"headers":{"Set-Cookie":[` + s + `]}`, `"headers":{"Set-Cookie":[` + w + `]}`},
		"headers as pairs":          {`"headers":[{"name":"Cookie","value":` + s + `},{"key":"set-cookie","value":` + s + `}]`, `"headers":[{"name":"Cookie","value":` + w + `},{"key":"set-cookie","value":` + w + `}]`},
		"headers as texts":          {`"headers":["Cookie: ct0=S3CRET","curl -H 'cookie: a=S3CRET'"]`, `"headers":[` + w + `,` + w + `]`},
		"the cookies of a browser":  {`"state":[{"name":"x","value":` + s + `,"httpOnly":true}]`, `"state":[{"name":"x","value":` + w + `,"httpOnly":true}]`},
		"JSON in a text":            {`"a":"{\"cookies\":{\"ct0\":\"S3CRET\"}}","b":" [{\"name\":\"x\",\"value\":\"S3CRET\",\"domain\":\"y\"}]"`, `"a":` + w + `,"b":` + w},
		"JSON in JSON in a text":    {`"a":"{\"b\":\"{\\\"cookie\\\":\\\"S3CRET\\\"}\"}"`, `"a":` + w},
		"broken JSON in a text":     {`"a":"{\"cookies\":{\"ct0\":\"S3CR","b":"{'session_cookies': 'S3CRET'}","c":"{\"a\":\"{\\\"cookie\\\":1"`, `"a":` + w + `,"b":` + w + `,"c":` + w},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newInspector(newSecret("")).account([]byte(withID(test.raw)))
			want := store.Observed{ID: accountA, Raw: json.RawMessage(withID(test.want)), Withheld: true}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

// TestNoCookieIsInAMessage: neither what is wrong with an account nor the words of the
// API repeat one.
func TestNoCookieIsInAMessage(t *testing.T) {
	in := newInspector(newSecret(""))
	for _, raw := range []string{
		`"cookies":{"S3CRET":1,"S3CRET":2}`, `"cookies":{"a=S3CRET":1,"b=S3CRET":2}`, `"cookies":"S3CRET`, `"cookies":{"a":S3CRET}`,
	} {
		_, err := in.account([]byte(withID(raw)))
		if err == nil || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, body := range []string{
		`{"detail":"Bad cookies: auth_token=S3CRET; ct0=S3CRET"}`, `{"errors":{"message":"auth_token \"S3CRET\" / auth_token='S3CRET', li_at:S3CRET","type":"x"}}`,
		"Set-Cookie: a=S3CRET; Path=/", `{"cookies":{"x":"S3CRET"}} is wrong`,
	} {
		if text := newStatusError(400, []byte(body), newSecret("")).Error(); strings.Contains(text, "S3CRET") {
			t.Errorf("%s", text)
		}
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
		"with a lock that is no time":               {withID(`"lock_time":"soon"`), accountA, "lock_time is neither"},
		"with a lock that is empty":                 {withID(`"lock_time":""`), accountA, "lock_time is neither"},
		"with a lock by object":                     {withID(`"lock_time":{"until":1}`), accountA, "lock_time is neither"},
		"with a reset that is no number":            {withID(`"lock_time":null,"resets_in":"5 minutes"`), accountA, "resets_in is neither"},
		"with a reset by boolean":                   {withID(`"resets_in":false`), accountA, "resets_in is neither"},
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
