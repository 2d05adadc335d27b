package fetcher

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
				digest := sha256.Sum256([]byte(raw))
				want := store.Response{
					Source: store.Detail, Sent: before, Received: before, ServerTime: before.UTC(), Requests: 1,
					Accounts: []store.Observed{{ID: detailID, Raw: json.RawMessage(raw), Digest: digest[:]}},
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

func redirect(to string) reply { return reply{code: 302, header: map[string]string{"Location": to}} }

func TestNotFoundMakesAnAccountAbsent(t *testing.T) {
	for name, body := range map[string]string{
		"older": `{"detail": "Not found."}`, "current": `{"errors": {"message": "No account.", "type": "NotFound", "code": 404}}`,
		"page": ` {"error": "No account.", "type": "NotFound", "code": 404} `,
	} {
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
