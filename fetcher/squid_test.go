package fetcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

// squidsAt answers each path below /v1/, with its query, with a body.
func squidsAt(bodies map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[strings.TrimPrefix(r.URL.RequestURI(), "/v1/")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = `{"detail": "Not found."}`
		}
		fmt.Fprint(w, body)
	}
}

func ask[T any](t *testing.T, bodies map[string]string, call func(context.Context, *Client) (T, error)) (got T, err error) {
	t.Helper()
	inBubble(t, squidsAt(bodies), Config{Retries: new(0)}, func(t *testing.T, c *Client) { got, err = call(t.Context(), c) })
	if err != nil {
		mustNotLeak(t, err.Error())
	}
	mustNotLeak(t, fmt.Sprintf("%+v", got))
	return got, err
}

const pageOne = "squids?limit=100&page=1"

func theSquids(ctx context.Context, c *Client) (SquidList, error) { return c.Squids(ctx) }

func theSquid(ctx context.Context, c *Client) (Squid, error) { return c.Squid(ctx, accountB) }

func TestASquidIsReadInAllShapes(t *testing.T) {
	next := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	linked := func(id, name string, active bool, chain []ChainLink) []ChainLink {
		return []ChainLink{{ID: id, Name: name, Active: active, Chain: chain}}
	}
	for members, want := range map[string]Squid{
		`"name":"Leads","is_active":true,"next_launch_at":"2026-11-28T06:00:00Z","schedule":"0 6 * * *"`: {
			Name: "Leads", Active: new(true), Cron: "0 6 * * *", NextLaunch: next},
		`"schedule":{"expression":"0 6 * * *","timezone":"Europe/Paris"},"next_launch_at":1795845600`: {
			Cron: "0 6 * * *", Zone: "Europe/Paris", NextLaunch: next},
		`"schedule":{"cron_expression":"1 * * * *"}`:                     {Cron: "1 * * * *"},
		`"cron_expression":"0 6 * * *","timezone":"UTC","schedule":null`: {Cron: "0 6 * * *", Zone: "UTC"},
		`"last_run_status":"DONE","last_run_done_reason":"no_accounts"`:  {LastRunStatus: "DONE", LastRunReason: "no_accounts"},
		`"crawler":"abc"`:                                                   {Crawler: "abc"},
		`"crawler":{"id":"abc","name":"x"}`:                                 {Crawler: "abc"},
		`"accounts":["` + accountA + `"]`:                                   {Accounts: []SquidAccount{{ID: accountA}}},
		`"accounts":[{"id":"` + accountA + `","status":"cookies_expired"}]`: {Accounts: []SquidAccount{{accountA, "cookies_expired"}}},
		`"accounts":[{"hash":"` + accountA + `"},"` + accountA + `"]`:       {Accounts: []SquidAccount{{ID: accountA}}},
		`"accounts":[]`:     {Accounts: []SquidAccount{}},
		`"accounts":null`:   {Accounts: []SquidAccount{}},
		`"accounts":[7]`:    {Unread: []string{"accounts"}},
		`"accounts":"none"`: {Unread: []string{"accounts"}},
		`"accounts":["` + accountA + `",{"id":"x"}]`: {Unread: []string{"accounts"}},
		`"name":7,"is_active":"yes","next_launch_at":"soon","schedule":[],"crawler":1`: {
			Unread: []string{"name", "is_active", "schedule", "next_launch_at", "crawler"}},
		`"chain":null`: {Chain: []ChainLink{}},
		`"chain":{"target_cluster":{"id":"` + accountA + `","name":"Next","chain":null},"is_active":true}`: {
			Chain: linked(accountA, "Next", true, []ChainLink{})},
		`"chain":[{"target_cluster":{"hash_value":"abc","chain":{"target_cluster":"def","is_active":false}}}]`: {
			Chain: linked("abc", "", true, linked("def", "", false, nil))},
		`"chain":{"to":"abc"}`:                        {Unread: []string{"chain"}},
		`"chain":"abc"`:                               {Unread: []string{"chain"}},
		`"chain":[{"target_cluster":{"id":"../me"}}]`: {Unread: []string{"chain"}},
		`"chain":` + strings.Repeat(`[{"target_cluster":"a","chain":`, 50) + `null` + strings.Repeat(`}]`, 50): {
			Unread: []string{"chain"}, Chain: deepest()},
	} {
		got, err := ask(t, map[string]string{"squids/" + accountB: `{"id":"` + accountB + `",` + members + `}`}, theSquid)
		want.ID = accountB
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%.200s: %v\n%s", members, err, diff)
		}
	}
}

// deepest is what is read of a chain that has no end.
func deepest() (chain []ChainLink) {
	for range maxChainDepth {
		chain = []ChainLink{{ID: "a", Active: true, Chain: chain}}
	}
	return chain
}

// A squid's document holds secrets, and its texts may hold anything.
func TestOfASquidOnlyNamedFieldsAreKept(t *testing.T) {
	raw, err := json.Marshal(map[string]any{
		"id": accountB, "name": "evil\x1b[31m\u202e " + canary, "email": "ops@example.com",
		"download_url": "https://files.example.com/?sig=S3CRET", "webhook_fields": map[string]string{"url": "https://x/S3CRET"},
		"last_run_status": canary, "accounts": []any{map[string]string{"id": accountA, "status": canary, "token": "S3CRET"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ask(t, map[string]string{"squids/" + accountB: string(raw)}, theSquid)
	text := fmt.Sprintf("%+v", got)
	if err != nil || got.Name != "evil [31m [withheld]" || strings.Contains(text, "S3CRET") || strings.Contains(text, "example.com") {
		t.Errorf("%v %s", err, text)
	}
}

func TestASquidInAnEnvelopeIsRead(t *testing.T) {
	for _, format := range []string{`{"data":%s}`, `{"data":[%s],"total_results":1}`} {
		squid := fmt.Sprintf(format, `{"id":"`+accountB+`","name":"Leads"}`)
		if got, err := ask(t, map[string]string{"squids/" + accountB: squid}, theSquid); err != nil || got.Name != "Leads" {
			t.Errorf("%s: %v %v", format, got, err)
		}
	}
}

func TestAnAnswerThatIsNoSquidIsAnError(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"` + accountA + `"}`:        "about another squid",
		`{"data":[]}`:                      "holds 0 objects",
		`{"data":[{"id":"a"},{"id":"b"}]}`: "holds 2 objects",
		`{}`:                               "no data",
		`[]`:                               "no JSON object",
		`{"data":{"id":"` + accountB + `","name":1,"name":2}}`: "member twice",
		`{"data":{"ID":"` + accountB + `"}}`:                   "no id",
		`{"data":{"id":7}}`:                                    "no id",
		`{"data":{"id":"` + accountB + `","name":"` + strings.Repeat("x", MaxAccountBytes) + `"}}`: "larger than",
		`<html>down</html>`: "no JSON",
	} {
		if _, err := ask(t, map[string]string{"squids/" + accountB: body}, theSquid); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v", body, err)
		}
	}
	if _, err := ask(t, nil, theSquid); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a squid that is not there: %v", err)
	}
	inBubble(t, script(reply{code: 404, body: "<html>not here</html>"}), Config{}, func(t *testing.T, c *Client) {
		if _, err := theSquid(t.Context(), c); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("the 404 of a proxy: %v", err)
		}
	})
	for _, id := range []string{"", "..", "../accounts", "a/b", "a?b", strings.Repeat("a", 65)} {
		_, err := ask(t, map[string]string{pageOne: `{"data":[]}`}, func(ctx context.Context, c *Client) (Squid, error) { return c.Squid(ctx, id) })
		if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "not an id") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestACrawlerSaysWhichAccountItNeeds(t *testing.T) {
	for account, want := range map[string]string{
		`"account":{"type":"twitter-sync","icon":"x"}`: "twitter-sync",
		`"account":{"name":"twitter-sync"}`:            "twitter-sync",
		`"account":"twitter-sync"`:                     "twitter-sync",
		`"account":null`:                               "",
		`"account":{}`:                                 "error",
		`"account":[]`:                                 "error",
		`"name":"x"`:                                   "error",
	} {
		got, err := ask(t, map[string]string{"crawlers/abc": `{"id":"abc",` + account + `}`}, func(ctx context.Context, c *Client) (string, error) {
			return c.CrawlerType(ctx, "abc")
		})
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %q %v", account, got, err)
		}
	}
}

// listPage is a page of the list of squids.
func listPage(page, total int, next string, ids ...string) string {
	data := []string{}
	for _, id := range ids {
		data = append(data, `{"id":"`+id+`","next_launch_at":null}`)
	}
	if next != "null" {
		next = `"` + next + `"`
	}
	return fmt.Sprintf(`{"total_results":%d,"limit":2,"page":%d,"next":%s,"data":[%s]}`, total, page, next, strings.Join(data, ","))
}

func TestTheListOfSquidsIsComplete(t *testing.T) {
	got, err := ask(t, map[string]string{
		pageOne:                   listPage(1, 3, "http://127.0.0.1/v1/squids?page=2", "a", "b"),
		"squids?limit=100&page=2": listPage(2, 3, "null", "c"),
	}, theSquids)
	if err != nil || len(got.Problems) > 0 || len(got.Squids) != 3 || got.Squids[2].ID != "c" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = ask(t, map[string]string{pageOne: listPage(1, 0, "null")}, theSquids); err != nil || len(got.Squids)+len(got.Problems) > 0 {
		t.Errorf("no squid at all: %+v, %v", got, err)
	}
	got, err = ask(t, map[string]string{pageOne: `{"data":[{"id":"a"}]}`}, theSquids)
	if err != nil || len(got.Problems) > 0 || len(got.Squids) != 1 {
		t.Errorf("without a total: %+v, %v", got, err)
	}
}

func TestAListOfSquidsThatMayLackSomeSaysWhy(t *testing.T) {
	two := "squids?limit=100&page=2"
	for want, bodies := range map[string]map[string]string{
		"it broke off at page 2":        {pageOne: listPage(1, 3, "http://127.0.0.1/v1/squids?page=2", "a", "b")},
		"next: the link leads to":       {pageOne: listPage(1, 3, "http://evil.example/v1/squids?page=2", "a", "b")},
		"it showed 2 squids of 3":       {pageOne: listPage(1, 3, "null", "a", "b")},
		"the API cuts it and says: pay": {pageOne: `{"warning":"pay","total_results":2,"data":[{"id":"a"},{"id":"b"}]}`},
		"does not say how many squids": {pageOne: `{"total_pages":2,"data":[{"id":"a"},{"id":"b"}]}`,
			two: `{"data":[]}`},
		"it showed squids twice": {pageOne: listPage(1, 9, "http://127.0.0.1/v1/squids?page=2", "a", "b"),
			two: listPage(2, 9, "http://127.0.0.1/v1/squids?page=3", "a", "b")},
		"page 2 was answered with page 1": {pageOne: listPage(1, 4, "http://127.0.0.1/v1/squids?page=2", "a", "b"),
			two: listPage(1, 4, "http://127.0.0.1/v1/squids?page=3", "a", "b")},
		"squid 1 on page 1 of the list: the squid has no id": {pageOne: listPage(1, 3, "null", "../me", "a", "b")},
		"squid 3 on page 1 of the list: the squid is no":     {pageOne: `{"total_results":3,"data":[{"id":"a"},{"id":"b"},7]}`},
	} {
		got, err := ask(t, bodies, theSquids)
		if problems := strings.Join(got.Problems, "\n"); err != nil || len(got.Squids) != 2 || !strings.Contains(problems, want) {
			t.Errorf("want %q: %+v, %v", want, got, err)
		}
	}
}

func TestWithoutAFirstPageThereIsNoListOfSquids(t *testing.T) {
	inBubble(t, script(reply{code: 401, body: `{"detail":"Invalid token."}`}), Config{}, func(t *testing.T, c *Client) {
		if _, err := c.Squids(t.Context()); !errors.Is(err, ErrKeyRefused) {
			t.Error(err)
		}
	})
	inBubble(t, script(ok(listPage(1, 3, "null", "a", "b")[:40])), Config{Retries: new(1)}, func(t *testing.T, c *Client) {
		if got, err := c.Squids(t.Context()); err == nil || !strings.Contains(err.Error(), "after 2 tries") {
			t.Error(got, err)
		}
	})
	next := listPage(1, 3, "http://127.0.0.1/v1/squids?page=2", "a", "b")
	inBubble(t, script(ok(next), reply{code: 403, body: `{"detail":"Revoked."}`}), Config{}, func(t *testing.T, c *Client) {
		if _, err := c.Squids(t.Context()); !errors.Is(err, ErrKeyRefused) {
			t.Error(err)
		}
	})
	inBubble(t, script(ok(next), reply{hang: time.Hour}), Config{Retries: new(0)}, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := c.Squids(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// The walk ends although the server promises more for ever, be it on the same page or on
// pages that look new.
func TestTheListOfSquidsEnds(t *testing.T) {
	number, same := 0, listPage(1, 1_000_000, "http://127.0.0.1/v1/squids?page=2", "a")
	inBubble(t, func(w http.ResponseWriter, r *http.Request) {
		number++
		fmt.Fprint(w, same)
	}, Config{}, func(t *testing.T, c *Client) {
		if got, err := c.Squids(t.Context()); err != nil || number != 2 || len(got.Problems) != 1 {
			t.Errorf("%d requests, %+v, %v", number, got, err)
		}
	})
	number = 0
	endless := func(w http.ResponseWriter, r *http.Request) {
		number++
		fmt.Fprint(w, listPage(number, 1_000_000, "http://127.0.0.1/v1/squids?page=2", fmt.Sprint("a", number)))
	}
	inBubble(t, endless, Config{}, func(t *testing.T, c *Client) {
		got, err := c.Squids(t.Context())
		if err != nil || len(got.Squids) != maxSquidPages || !strings.Contains(got.Problems[0], "did not end after 1000 pages") {
			t.Errorf("%d squids, %.300s, %v", len(got.Squids), got.Problems, err)
		}
	})
}

func TestNextLaunchesCostOnePageAndTheSquidsThatAreNotOnIt(t *testing.T) {
	const six, seven = "2026-11-28T06:00:00Z", "2026-11-28T07:00:00Z"
	launch := func(id, at string) string { return `{"id":"` + id + `","next_launch_at":` + at + `}` }
	bodies := map[string]string{
		pageOne: `{"total_results":900,"next":"http://127.0.0.1/v1/squids?page=2","data":[` +
			launch("a", `"`+six+`"`) + `,` + launch("b", "null") + `,` + launch("c", `"`+six+`"`) + `,` + launch("d", `"soon"`) + `]}`,
		"squids/z": launch("z", `"`+seven+`"`),
	}
	many := []string{"a", "b", "d", "z", "gone", "../me"}
	for i := range 50 {
		many = append(many, fmt.Sprint("x", i))
	}
	requests := 0
	handler := func(w http.ResponseWriter, r *http.Request) {
		if requests++; strings.HasSuffix(r.URL.Path, "/squids/a") {
			t.Error("a squid on the list was asked for")
		}
		squidsAt(bodies)(w, r)
	}
	inBubble(t, handler, Config{}, func(t *testing.T, c *Client) {
		got := c.NextLaunches(t.Context(), many)
		if len(got) != 2 || got["a"].Format(time.RFC3339) != six || got["z"].Format(time.RFC3339) != seven {
			t.Errorf("%v", got)
		}
		if requests != 1+mostLaunches-1 { // "../me" is not sent
			t.Errorf("%d requests", requests)
		}
	})
	requests = 0
	inBubble(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.WriteHeader(http.StatusForbidden)
	}, Config{}, func(t *testing.T, c *Client) {
		if got := c.NextLaunches(t.Context(), many); len(got) > 0 || requests != 1 {
			t.Errorf("%d requests, %v", requests, got)
		}
	})
	inBubble(t, script(ok(bodies[pageOne]), reply{hang: time.Hour}), Config{}, func(t *testing.T, c *Client) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if got := c.NextLaunches(ctx, many); len(got) != 1 || time.Since(began) > 11*time.Second {
			t.Errorf("%v after %s", got, time.Since(began))
		}
	})
}

func FuzzSquid(f *testing.F) {
	f.Add([]byte(`{"id":"` + accountB + `","schedule":{"expression":"* * * * *"},"accounts":[{"id":"` + accountA + `"}],"chain":{"target_cluster":"KEY"}}`))
	f.Add([]byte(`{"data":[{"id":"KEY","name":"KEY"}],"total_results":1}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		input = secrets(input)
		key := newSecret(plainKey)
		if raw, err := single(input); err == nil {
			input = raw
		}
		got, err := readSquid(input, key)
		if err != nil {
			mustNotHold(t, err.Error())
			return
		}
		if !squidID.MatchString(got.ID) || key.clean(got.Name) != got.Name {
			t.Fatalf("%+v", got)
		}
		mustNotHold(t, fmt.Sprintf("%+v", got))
	})
}
