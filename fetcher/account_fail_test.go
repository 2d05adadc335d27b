package fetcher

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

// failCase is an answer that is no account, what it is called, and how many
// requests it costs.
type failCase struct {
	reply    reply
	kind     store.FailureKind
	status   int
	message  string
	requests int
}

func (test failCase) run(t *testing.T) {
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
}

func TestAStatusThatIsNotOK(t *testing.T) {
	shapes := make(map[string]json.RawMessage)
	if err := json.Unmarshal([]byte(fixture(t, "errors.json")), &shapes); err != nil {
		t.Fatal(err)
	}
	tests := map[string]failCase{
		"400 is not tried again":       {reply{code: 400, body: `{"detail":"Bad limit."}`}, store.FailHTTP, 400, "Bad limit.", 1},
		"401 in the older shape":       {reply{code: 401, body: string(shapes["older"])}, store.FailAuth, 401, "Invalid token.", 1},
		"403 means the same":           {reply{code: 403, body: `{}`}, store.FailAuth, 403, "Forbidden", 1},
		"403 of a proxy":               {reply{code: 403, body: `<h1>Go away</h1>`}, store.FailAuth, 403, "Go away", 1},
		"418 is not tried again":       {reply{code: 418}, store.FailHTTP, 418, "teapot", 1},
		"204 has no account":           {reply{code: 204}, store.FailHTTP, 204, "No Content", 1},
		"304 has no account":           {reply{code: 304}, store.FailHTTP, 304, "Not Modified", 1},
		"404 of a proxy says nothing":  {reply{code: 404, body: "<html><title>Not here</title>"}, store.FailHTTP, 404, "Not here", 1},
		"429 in the current shape":     {reply{code: 429, body: string(shapes["current"])}, store.FailRateLimit, 429, "Request was throttled.", 5},
		"429 in the shape of its page": {reply{code: 429, body: string(shapes["rate_limit_page"])}, store.FailRateLimit, 429, "Rate limit exceeded", 5},
		"500 is tried again":           {reply{code: 500, body: "oops"}, store.FailHTTP, 500, "oops", 5},
		"502 of a proxy in HTML":       {reply{code: 502, body: "<html><head><title>Bad\ngateway</title></head>"}, store.FailHTTP, 502, "HTML page: Bad gateway", 5},
		"503 without a body":           {reply{code: 503}, store.FailHTTP, 503, "Service Unavailable", 5},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

func TestABodyThatIsNoAccount(t *testing.T) {
	raw := rawDetail(t)
	current := `{"errors": {"message": "Request was throttled.", "type": "Throttled", "code": 429}}`
	tests := map[string]failCase{
		"a body that breaks off":     {reply{code: 200, body: raw, cutAt: 100}, store.FailNetwork, 0, "unexpected EOF", 5},
		"a body that is no JSON":     {reply{code: 200, body: "<html>"}, store.FailDecode, 200, "no JSON", 5},
		"an empty body":              {reply{code: 200, body: ""}, store.FailDecode, 200, "breaks off", 5},
		"JSON that breaks off":       {reply{code: 200, body: raw[:len(raw)-9]}, store.FailDecode, 200, "breaks off", 5},
		"an error with status 200":   {reply{code: 200, body: current}, store.FailDecode, 200, "no data", 5},
		"a body that is a list":      {reply{code: 200, body: "[]"}, store.FailDecode, 200, "no JSON object", 5},
		"a body with a tail":         {reply{code: 200, body: raw + "{}"}, store.FailDecode, 200, "goes on", 5},
		"data twice":                 {reply{code: 200, body: `{"data":[],"data":[` + raw + `]}`}, store.FailDecode, 200, "twice", 5},
		"no account":                 {reply{code: 200, body: `{"data":[]}`}, store.FailMismatch, 0, "no account", 1},
		"two accounts":               {reply{code: 200, body: `{"data":[` + raw + "," + raw + `]}`}, store.FailMismatch, 0, "several", 1},
		"another account":            {reply{code: 200, body: `{"id":"` + accountA + `"}`}, store.FailMismatch, 0, accountA, 1},
		"squids in an unknown shape": {reply{code: 200, body: `{"id":"` + detailID + `","squids":[7]}`}, store.FailDecode, 200, "squids: entry 0", 1},
		"a body over the limit":      {reply{code: 200, body: strings.Repeat(" ", 20000) + raw}, store.FailDecode, 200, "larger than the 10000 bytes", 1},
		"no answer in time":          {reply{code: 200, body: raw, hang: time.Minute}, store.FailNetwork, 0, "no whole answer within 30s", 5},
	}
	for name, test := range tests {
		t.Run(name, test.run)
	}
}

func TestARedirectOrWaitThatIsNotFollowed(t *testing.T) {
	tests := map[string]failCase{
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
		t.Run(name, test.run)
	}
}
