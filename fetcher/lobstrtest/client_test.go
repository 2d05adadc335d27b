package lobstrtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

var start = time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC)

// client is as right as the tests of the faults need it.
type client struct {
	t      *testing.T
	server *lobstrtest.Server
	token  string
	http   *http.Client
}

func newClient(t *testing.T, s *lobstrtest.Server) *client {
	t.Helper()
	transport := s.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{t: t, server: s, token: lobstrtest.DefaultToken,
		http: &http.Client{Transport: transport, Timeout: 5 * time.Second, CheckRedirect: stay}}
}

type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // the body did not arrive
}

// get asks for a path below the API base.
func (c *client) get(path string) answer {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, c.server.URL+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return answer{resp.StatusCode, resp.Header, body, err}
}

type envelope struct {
	TotalResults int `json:"total_results"`
	Limit        int
	Page         int
	TotalPages   int `json:"total_pages"`
	ResultFrom   int `json:"result_from"`
	ResultTo     int `json:"result_to"`
	Data         []json.RawMessage
	Next         *string
	Previous     *string
	Warning      string
}

func (c *client) list(path string) envelope {
	c.t.Helper()
	a := c.get(path)
	if a.err != nil || a.status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %v", path, a.status, a.err)
	}
	var e envelope
	if err := json.Unmarshal(a.body, &e); err != nil {
		c.t.Fatalf("GET %s: %v", path, err)
	}
	return e
}

// understood is what the client makes of an answer: a kind of failure or
// "none", and whether a list is whole.
func understood(a answer, asked string, page int) (kind string, whole bool) {
	switch {
	case a.err != nil:
		return "network", false
	case a.status == 401 || a.status == 403:
		return "auth", false
	case a.status == 429:
		return "rate_limit", false
	case a.status == 404 && asked != "":
		return "not_found", false
	case a.status == 204:
		return "decode", false
	case a.status != 200:
		return "http", false
	case strict(a.body) != nil:
		return "decode", false
	}
	if asked != "" {
		return detailKind(a.body, asked), true
	}
	return listKind(a.body, page)
}

func detailKind(body []byte, asked string) string {
	var bare struct {
		ID   json.RawMessage
		Data json.RawMessage
	}
	if json.Unmarshal(body, &bare) != nil {
		return "decode"
	}
	one := bare.Data
	if bare.ID != nil {
		one = body
	}
	var many []json.RawMessage
	if json.Unmarshal(one, &many) == nil && many != nil {
		if len(many) != 1 {
			return "mismatch"
		}
		one = many[0]
	}
	id, ok := accountOf(one)
	switch {
	case !ok:
		return "decode"
	case id != asked:
		return "mismatch"
	}
	return "none"
}

func listKind(body []byte, page int) (kind string, whole bool) {
	var e struct {
		envelope
		TotalResults *int `json:"total_results"`
		Data         *[]json.RawMessage
	}
	if json.Unmarshal(body, &e) != nil || e.Data == nil || e.Limit <= 0 {
		return "decode", false
	}
	if e.Page != page {
		return "mismatch", false
	}
	seen := map[string]bool{}
	kind = "none"
	for _, raw := range *e.Data {
		id, ok := accountOf(raw)
		if !ok {
			kind = "decode"
		}
		seen[id] = true
	}
	whole = kind == "none" && e.Warning == "" && e.TotalResults != nil &&
		len(seen) == min(e.Limit, *e.TotalResults-(page-1)*e.Limit)
	return kind, whole
}

// accountOf reads the id of an account; ok is false when it cannot be
// understood.
func accountOf(raw json.RawMessage) (id string, ok bool) {
	var a struct {
		ID     string
		Squids []struct {
			HashValue string `json:"hash_value"`
			ID, Hash  string
		}
	}
	if json.Unmarshal(raw, &a) != nil || len(a.ID) != 32 || strings.ToLower(a.ID) != a.ID {
		return "", false
	}
	for _, s := range a.Squids {
		if s.HashValue+s.ID+s.Hash == "" {
			return a.ID, false
		}
	}
	return a.ID, true
}

// strict says what is wrong with JSON that encoding/json lets pass.
func strict(body []byte) error {
	if !utf8.Valid(body) {
		return fmt.Errorf("not UTF-8")
	}
	if !json.Valid(body) {
		return fmt.Errorf("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return unique(dec)
}

// unique reads one value and looks for members that come twice.
func unique(dec *json.Decoder) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	members := map[any]bool{}
	for dec.More() {
		if open == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			if members[name] {
				return fmt.Errorf("%v comes twice", name)
			}
			members[name] = true
		}
		if err := unique(dec); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

type benchClient struct {
	b      *testing.B
	server *lobstrtest.Server
}

func (c *benchClient) page(n int) {
	req, _ := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/accounts?limit=100&page=%d", c.server.URL, n), nil)
	req.Header.Set("Authorization", "Token "+lobstrtest.DefaultToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.b.Fatal(err)
	}
	defer resp.Body.Close()
	if size, err := io.Copy(io.Discard, resp.Body); err != nil || size < 100<<10 {
		c.b.Fatal(size, err)
	}
}
