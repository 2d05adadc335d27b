package fetcher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lobstrail/lobstrail/store"
)

// rawDetail is the account inside the fixture of a detail, byte for byte.
func rawDetail(t testing.TB) string {
	body := fixture(t, "account-detail.json")
	from := strings.Index(body, "    {") + 4
	return body[from : strings.LastIndex(body, "}\n  ]")+1]
}

func TestAccountReadsEveryEnvelope(t *testing.T) {
	raw := rawDetail(t)
	bodies := map[string]string{
		"a list of one":               fixture(t, "account-detail.json"),
		"an object":                   `{"data":` + raw + `}`,
		"the bare account":            raw,
		"the bare account with space": "\n " + raw + " \n",
		"data before the counts":      `{"data":[` + raw + `],"next":null,"total_results":"1"}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			inBubble(t, script(ok(body)), Config{}, func(t *testing.T, c *Client) {
				before := time.Now()
				got, err := c.Account(t.Context(), strings.ToUpper(detailID))
				if err != nil {
					t.Fatal(err)
				}
				want := store.Response{
					Source: store.Detail, Sent: before, Received: before, ServerTime: before.UTC(), Requests: 1,
					Accounts: []store.Observed{{ID: detailID, Raw: json.RawMessage(raw)}},
				}
				if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestEveryRequestCarriesItsHeaders(t *testing.T) {
	var got http.Header
	var path string
	handler := func(w http.ResponseWriter, r *http.Request) {
		got, path = r.Header.Clone(), r.URL.String()
		fmt.Fprint(w, fixture(t, "account-detail.json"))
	}
	inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
		if _, err := c.Account(t.Context(), detailID); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"Authorization": "Token " + canary, "Accept": "application/json", "User-Agent": "lobstrail-test"}
		for name, value := range want {
			if got.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, got.Get(name), value)
			}
		}
		if path != "/v1/accounts/"+detailID {
			t.Errorf("path %s", path)
		}
	})
}

// TestAccountFails has the answers that are no account, what they are called,
// and how many requests they cost.
func TestAccountFails(t *testing.T) {
	shapes := make(map[string]json.RawMessage)
	if err := json.Unmarshal([]byte(fixture(t, "errors.json")), &shapes); err != nil {
		t.Fatal(err)
	}
	raw := rawDetail(t)
	tests := map[string]struct {
		reply    reply
		kind     store.FailureKind
		status   int
		message  string
		requests int
	}{
		"400 is not tried again":               {reply{code: 400, body: `{"detail":"Bad limit."}`}, store.FailHTTP, 400, "Bad limit.", 1},
		"401 in the older shape":               {reply{code: 401, body: string(shapes["older"])}, store.FailAuth, 401, "Invalid token.", 1},
		"403 means the same":                   {reply{code: 403, body: `{}`}, store.FailAuth, 403, "Forbidden", 1},
		"403 of a proxy":                       {reply{code: 403, body: `<h1>Go away</h1>`}, store.FailAuth, 403, "Go away", 1},
		"418 is not tried again":               {reply{code: 418}, store.FailHTTP, 418, "teapot", 1},
		"204 has no account":                   {reply{code: 204}, store.FailHTTP, 204, "No Content", 1},
		"304 has no account":                   {reply{code: 304}, store.FailHTTP, 304, "Not Modified", 1},
		"404 of a proxy says nothing":          {reply{code: 404, body: "<html><title>Not here</title>"}, store.FailHTTP, 404, "Not here", 1},
		"404 as plain text says nothing":       {reply{code: 404, body: "404 page not found"}, store.FailHTTP, 404, "page not found", 1},
		"429 in the current shape":             {reply{code: 429, body: string(shapes["current"])}, store.FailRateLimit, 429, "Request was throttled.", 5},
		"429 in the shape of its page":         {reply{code: 429, body: string(shapes["rate_limit_page"])}, store.FailRateLimit, 429, "Rate limit exceeded", 5},
		"500 is tried again":                   {reply{code: 500, body: "oops"}, store.FailHTTP, 500, "oops", 5},
		"502 of a proxy in HTML":               {reply{code: 502, body: "<html><head><title>Bad\ngateway</title></head>"}, store.FailHTTP, 502, "HTML page: Bad gateway", 5},
		"503 without a body":                   {reply{code: 503}, store.FailHTTP, 503, "Service Unavailable", 5},
		"a body that breaks off":               {reply{code: 200, body: raw, cutAt: 100}, store.FailNetwork, 0, "unexpected EOF", 5},
		"a body that is no JSON":               {reply{code: 200, body: "<html>"}, store.FailDecode, 200, "no JSON", 5},
		"an empty body":                        {reply{code: 200, body: ""}, store.FailDecode, 200, "breaks off", 5},
		"JSON that breaks off":                 {reply{code: 200, body: raw[:len(raw)-9]}, store.FailDecode, 200, "breaks off", 5},
		"an error with status 200":             {reply{code: 200, body: string(shapes["current"])}, store.FailDecode, 200, "no data", 5},
		"a body that is a list":                {reply{code: 200, body: "[]"}, store.FailDecode, 200, "no JSON object", 5},
		"a body with a tail":                   {reply{code: 200, body: raw + "{}"}, store.FailDecode, 200, "goes on", 5},
		"data twice":                           {reply{code: 200, body: `{"data":[],"data":[` + raw + `]}`}, store.FailDecode, 200, "twice", 5},
		"no account":                           {reply{code: 200, body: `{"data":[]}`}, store.FailMismatch, 0, "no account", 1},
		"two accounts":                         {reply{code: 200, body: `{"data":[` + raw + "," + raw + `]}`}, store.FailMismatch, 0, "several", 1},
		"another account":                      {reply{code: 200, body: `{"id":"` + accountA + `"}`}, store.FailMismatch, 0, accountA, 1},
		"squids in an unknown shape":           {reply{code: 200, body: `{"id":"` + detailID + `","squids":[7]}`}, store.FailDecode, 200, "squids: entry 0", 1},
		"a body over the limit":                {reply{code: 200, body: strings.Repeat(" ", 20000) + raw}, store.FailDecode, 200, "larger than the 10000 bytes", 1},
		"no answer in time":                    {reply{code: 200, body: raw, hang: time.Minute}, store.FailNetwork, 0, "no whole answer within 30s", 5},
		"a redirect to another host":           {redirect("https://evil.example/v1/accounts"), store.FailHTTP, 302, "another origin", 1},
		"a redirect to another port":           {redirect("http://127.0.0.1:81/"), store.FailHTTP, 302, "another origin", 1},
		"a redirect to another scheme":         {redirect("https://127.0.0.1/"), store.FailHTTP, 302, "another origin", 1},
		"a redirect with a password":           {redirect("http://a:b@127.0.0.1/"), store.FailHTTP, 302, "another origin", 1},
		"a redirect that cannot be parsed":     {redirect("http://[::1"), store.FailHTTP, 302, "cannot be parsed", 1},
		"a redirect in a circle":               {redirect("/v1/accounts/x"), store.FailHTTP, 302, "too often", 4},
		"a wait that is too long":              {reply{code: 429, header: map[string]string{"Retry-After": "301"}}, store.FailRateLimit, 429, "asks to wait 5m1s", 1},
		"a wait beyond all numbers":            {reply{code: 429, header: map[string]string{"Retry-After": strings.Repeat("9", 400)}}, store.FailRateLimit, 429, "longer than", 1},
		"a reset that is too far":              {reply{code: 429, header: map[string]string{"X-RateLimit-Reset": "9223372036854775807"}}, store.FailRateLimit, 429, "longer than", 1},
		"503 with a wait that is too long":     {reply{code: 503, header: map[string]string{"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}}, store.FailRateLimit, 503, "longer than", 1},
		"503 with a wait that makes no sense":  {reply{code: 503, header: map[string]string{"Retry-After": "-5"}}, store.FailHTTP, 503, "Unavailable", 5},
		"429 with a wait that is not a number": {reply{code: 429, header: map[string]string{"Retry-After": "Inf"}}, store.FailRateLimit, 429, "Too Many", 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, script(test.reply), Config{MaxBodyBytes: 10000}, func(t *testing.T, c *Client) {
				s := &session{Client: c}
				_, err := s.account(t.Context(), detailID)
				if err == nil {
					t.Fatal("no error")
				}
				got := FailureOf(detailID, err)
				want := store.Failure{Account: detailID, Kind: test.kind, HTTPStatus: test.status, Message: got.Message}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %s", err, diff)
				}
				if !strings.Contains(got.Message, test.message) {
					t.Errorf("message %q lacks %q", got.Message, test.message)
				}
				if s.sent() != test.requests {
					t.Errorf("%d requests, want %d", s.sent(), test.requests)
				}
				if refused := errors.Is(err, ErrKeyRefused); refused != (test.kind == store.FailAuth) {
					t.Errorf("key refused: %v", refused)
				}
			})
		})
	}
}

func redirect(to string) reply { return reply{code: 302, header: map[string]string{"Location": to}} }

func TestNotFoundMakesAnAccountAbsent(t *testing.T) {
	for name, body := range map[string]string{"in the API's words": `{"detail": "Not found."}`, "without a word": ""} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, script(reply{code: 404, body: body}), Config{}, func(t *testing.T, c *Client) {
				now := time.Now()
				got, err := c.Account(t.Context(), detailID)
				if err != nil {
					t.Fatal(err)
				}
				want := store.Response{Source: store.Detail, Sent: now, Received: now, ServerTime: now.UTC(), Requests: 1, Absent: []string{detailID}}
				if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestATryThatSucceedsDatesTheAnswer(t *testing.T) {
	body := fixture(t, "account-detail.json")
	handler := script(reply{code: 503}, reply{code: 200, body: "{", hang: time.Second},
		redirect("/v1/elsewhere"), reply{code: 200, body: body, hang: 3 * time.Second})
	inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
		got, err := c.Account(t.Context(), detailID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Requests != 4 || got.Received.Sub(got.Sent) != 3*time.Second || !got.Received.Equal(time.Now()) {
			t.Errorf("%d requests, sent %s, received %s, now %s", got.Requests, got.Sent, got.Received, time.Now())
		}
	})
}

func TestAWallClockSetBackDoesNotTurnTheInstantsAround(t *testing.T) {
	calls := 0
	synctestNow := func() time.Time {
		calls++
		return time.Now().Round(0).Add(-time.Duration(calls) * time.Hour)
	}
	handler := script(reply{code: 200, body: fixture(t, "account-detail.json"), hang: 2 * time.Second})
	inBubble(t, handler, Config{Now: synctestNow}, func(t *testing.T, c *Client) {
		got, err := c.Account(t.Context(), detailID)
		if err != nil || got.Received.Sub(got.Sent) != 2*time.Second {
			t.Errorf("sent %s, received %s, %v", got.Sent, got.Received, err)
		}
	})
}

func TestRetriesCanBeNone(t *testing.T) {
	inBubble(t, script(reply{code: 500}), Config{Retries: new(0)}, func(t *testing.T, c *Client) {
		s := &session{Client: c}
		if _, err := s.account(t.Context(), detailID); err == nil || s.sent() != 1 {
			t.Errorf("%d requests, %v", s.sent(), err)
		}
	})
}

func TestTheCauseOfADoneContextIsReturned(t *testing.T) {
	cause := errors.New("user went home")
	waits := map[string]reply{
		"while the API is silent": {code: 200, hang: time.Hour},
		"while backing off":       {code: 500},
		"while told to wait":      {code: 429, header: map[string]string{"Retry-After": "100"}},
	}
	for name, answer := range waits {
		t.Run(name, func(t *testing.T) {
			inBubble(t, script(answer), Config{}, func(t *testing.T, c *Client) {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					time.Sleep(100 * time.Millisecond)
					cancel(cause)
				}()
				start := time.Now()
				if _, err := c.Account(ctx, detailID); err != cause {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start); took != 100*time.Millisecond {
					t.Errorf("took %s", took)
				}
				synctest.Wait()
			})
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of every bubble
	reset := func(seconds int) string { return fmt.Sprint(start.Unix() + int64(seconds)) }
	tests := map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"in seconds":                      {map[string]string{"Retry-After": "7"}, 7 * time.Second},
		"in seconds with a point":         {map[string]string{"Retry-After": "6.2"}, 7 * time.Second},
		"as a date":                       {map[string]string{"Retry-After": start.Add(9 * time.Second).Format(http.TimeFormat)}, 9 * time.Second},
		"as a date by the server's clock": {map[string]string{"Retry-After": start.Add(time.Hour + 9*time.Second).Format(http.TimeFormat), "Date": start.Add(time.Hour).Format(http.TimeFormat)}, 9 * time.Second},
		"as a reset":                      {map[string]string{"X-RateLimit-Reset": reset(10), "X-RateLimit-Remaining": "0"}, 11 * time.Second},
		"as a reset and nothing else":     {map[string]string{"X-RateLimit-Reset": reset(10)}, 11 * time.Second},
		"as a reset although some is left": {map[string]string{"X-RateLimit-Reset": reset(10), "X-RateLimit-Remaining": "3"},
			11 * time.Second},
		"and the reset of a used budget too": {map[string]string{"Retry-After": "2", "X-RateLimit-Reset": reset(10), "X-RateLimit-Remaining": "0"}, 11 * time.Second},
		"not before the date has come":       {map[string]string{"Retry-After": start.Add(-time.Hour).Format(http.TimeFormat)}, time.Second},
		"not below zero":                     {map[string]string{"Retry-After": "-100"}, time.Second},
		"not when it is no number":           {map[string]string{"Retry-After": "soon"}, time.Second},
		"not when it is missing":             {nil, time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			handler := script(reply{code: 429, header: test.header}, ok(fixture(t, "account-detail.json")))
			inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
				start := time.Now()
				got, err := c.Account(t.Context(), detailID)
				if took := time.Since(start); err != nil || took != test.want || got.Requests != 2 {
					t.Errorf("took %s, want %s; %d requests; %v", took, test.want, got.Requests, err)
				}
			})
		})
	}
}

func TestTheKeyStaysOutOfEveryError(t *testing.T) {
	var escaped bytes.Buffer
	for _, b := range []byte(canary) {
		fmt.Fprintf(&escaped, "%%%02x", b)
	}
	spellings := map[string]string{
		"plain":                  canary,
		"escaped for a query":    url.QueryEscape(canary),
		"escaped for a path":     url.PathEscape(canary),
		"escaped for HTML":       html.EscapeString(canary),
		"escaped throughout":     escaped.String(),
		"escaped twice":          url.QueryEscape(url.QueryEscape(canary)),
		"quoted":                 fmt.Sprintf("%q", canary),
		"across the cut":         strings.Repeat("x", 190) + canary,
		"with control bytes":     "\x00" + canary + "\x1b[2J",
		"with a soft hyphen off": canary[:5] + "\u00ad" + canary[5:],
	}
	for name, spelling := range spellings {
		quoted, _ := json.Marshal(spelling)
		bodies := []reply{
			{code: 400, body: spelling},
			{code: 401, body: `{"detail":` + string(quoted) + `}`},
			{code: 500, body: `{"errors":{"message":` + string(quoted) + `,"type":` + string(quoted) + `}}`},
			{code: 502, body: "<title>" + spelling + "</title>"},
			{code: 200, body: `{"id":"` + detailID + `",` + string(quoted) + `:1,` + string(quoted) + `:2}`},
			{code: 200, body: string(quoted) + "x"},
			{code: 302, header: map[string]string{"Location": "https://evil.example/" + url.QueryEscape(spelling)}},
			{code: 302, header: map[string]string{"Location": "/" + url.QueryEscape(spelling) + "%zz"}},
		}
		for i, answer := range bodies {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) {
				inBubble(t, script(answer), Config{Retries: new(1)}, func(t *testing.T, c *Client) {
					_, err := c.Account(t.Context(), detailID)
					if err == nil {
						t.Fatal("no error")
					}
					text := fmt.Sprintf("%v %+v %#v %s", err, err, err, FailureOf(detailID, err).Message)
					if name != "with a soft hyphen off" {
						mustNotLeak(t, text)
					}
					if strings.ContainsAny(text, "\x00\x1b") {
						t.Errorf("control characters in %q", text)
					}
				})
			})
		}
	}
}

func TestTheKeyStaysOutOfNetworkErrors(t *testing.T) {
	c := newTestClient(t, Config{Retries: new(0), Transport: failing{}})
	_, err := c.Account(t.Context(), detailID)
	if err == nil || FailureOf(detailID, err).Kind != store.FailNetwork {
		t.Fatal(err)
	}
	mustNotLeak(t, fmt.Sprintf("%v %+v %#v", err, err, err))
}

// failing breaks every connection with an error that repeats the request.
type failing struct{}

func (failing) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("cannot send %v", r.Header)
}
