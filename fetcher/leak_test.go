package fetcher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lobstrail/lobstrail/store"
)

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

func TestAKeyThatIsCutInTwoStaysInToo(t *testing.T) {
	const half = "k3y-"
	if text := newSecret(canary).clean(strings.Repeat(" ", maxRawMessage-10) + canary); strings.Contains(text, half) {
		t.Errorf("half of the key leaks: %s", text)
	}
	body := strings.Repeat("<", maxErrorBytes/2) + strings.Repeat(">", maxErrorBytes/2-20) + " " + canary + " tail"
	for shift := range 20 {
		answer := reply{code: 400, body: body[shift:]}
		inBubble(t, script(answer), Config{}, func(t *testing.T, c *Client) {
			_, err := c.Account(t.Context(), detailID)
			// All but the very end of the markup is gone, so what follows is shown.
			if err == nil || strings.Contains(strings.ReplaceAll(err.Error(), ">", ""), half) {
				t.Errorf("half of the key leaks: %v", err)
			}
		})
	}
}
