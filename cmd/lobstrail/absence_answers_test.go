package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher"
	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// httpAnswer is what a server says to a detail call. Only the API's own 404 means gone.
type httpAnswer struct {
	code     int
	media    string // Content-Type; "" for none
	body     string
	cut      bool // the connection ends before the announced length
	redirect string
	gone     bool
}

const jsonMedia = "application/json"

// documented are the API's own ways to say 404.
var documented = []string{
	`{"detail":"Not found."}`,
	`{"detail":"No Account matches the given query."}`,
	`{"errors":{"message":"Account not found.","type":"NotFound","code":404}}`,
	`{"errors":{"type":"NotFound"}}`,
	`{"errors":{"message":"x","type":"NotFound","code":"not_found"}}`,
	`{"error":"Account not found.","type":"NotFound","code":404}`,
	`{"type":"NotFound","error":"Account not found."}`,
	` {"detail" : "Not found.", "more": [1, {"detail": 2}]}` + "\n",
}

// foreign are 404 bodies of others, or of nobody.
var foreign = []string{
	"", " ", "default backend - 404", "404 page not found\n", "Not Found", "<html><title>404</title></html>", "<h1>Not found</h1>",
	"{}", "[]", "null", "true", "404", `"detail"`, `[{"detail":"Not found."}]`, `{"detail":null}`, `{"detail":404}`, `{"detail":""}`,
	`{"detail":" "}`, `{"detail":["Not found."]}`, `{"detail":{"message":"Not found."}}`, `{"Detail":"Not found."}`,
	`{"message":"Not Found"}`, `{"message":"no Route matched with those values"}`, `{"error":"Not Found"}`, `{"type":"NotFound"}`,
	`{"error":{"type":"NotFound"},"type":"NotFound"}`, `{"error":"Not found.","type":null}`, `{"error":"","type":"NotFound"}`,
	`{"errors":[]}`, `{"errors":null}`, `{"errors":{}}`, `{"errors":{"message":"Not found."}}`, `{"errors":{"type":404}}`, `{"errors":{"type":""}}`,
	`{"errors":[{"type":"NotFound"}]}`, `{"errors":"Not found.","type":"NotFound"}`, `{"data":[]}`, `{"data":{"detail":"Not found."}}`,
	`{"errors":{"message":"Request was throttled.","type":"Throttled","code":429}}`,
	`{"error":"Rate limit exceeded.","type":"RateLimitExceeded","code":429}`, `{"detail":"Down.","code":"503"}`,
	`{"detail":"Not found.","detail":"Not found."}`, `{"errors":{"type":"NotFound","type":"NotFound"}}`, `{"detail":"Not found."}{}`,
	`{"detail":"Not found."},`, `{"detail":"Not found.",}`, `{'detail':'Not found.'}`, "\ufeff" + `{"detail":"Not found."}`, "{\"detail\":\"\xff\"}",
	`{"timestamp":1,"status":404,"error":"Not Found","path":"/v1/accounts"}`,
	`{"type":"about:blank","title":"Not Found","status":404,"detail":"There is nothing here."}`,
	`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not found","reason":"NotFound","code":404}`,
	`{"detail":"` + strings.Repeat("Not found. ", 10_000) + `"}`,
}

// constructed are the answers that need more than a body.
func constructed(id string) []httpAnswer {
	own := documented[0]
	all := []httpAnswer{
		{code: 404, media: "text/html", body: own}, {code: 404, media: "application/problem+json", body: own},
		{code: 404, media: jsonMedia, body: own, cut: true}, {code: 410, media: jsonMedia, body: own}, {code: 500, media: jsonMedia, body: own},
		{code: 502, media: jsonMedia, body: own}, {code: 405, media: jsonMedia, body: own}, {code: 200, media: jsonMedia, body: own},
		{code: 204}, {code: 302, redirect: "/login"}, {code: 302, redirect: "/v1/again/" + id, gone: true},
		{code: 404, media: jsonMedia + "; charset=utf-8", body: own, gone: true}, {code: 404, body: own, gone: true},
	}
	for _, body := range documented {
		all = append(all, httpAnswer{code: 404, media: jsonMedia, body: body, gone: true})
	}
	for _, body := range foreign {
		all = append(all, httpAnswer{code: 404, media: jsonMedia, body: body}, httpAnswer{code: 404, media: "text/plain", body: body})
	}
	return all
}

// randomAnswer spoils a documented body, or makes up another one.
func randomAnswer(r *rand.Rand) httpAnswer {
	own := documented[r.IntN(len(documented))]
	a := httpAnswer{code: 404, media: jsonMedia, body: own, gone: true}
	switch r.IntN(8) {
	case 0:
		return a
	case 1: // broken off: a proper prefix of an object is no JSON
		trimmed := strings.TrimRight(own, "\n")
		a.body = trimmed[:r.IntN(len(trimmed))]
	case 2: // another status
		a.code = []int{200, 402, 405, 409, 410, 418, 422, 500, 502, 503, 504}[r.IntN(11)]
	case 3: // in something else
		a.body = fmt.Sprintf([]string{"[%s]", `{"data":%s}`, "<pre>%s</pre>", "%s x", `{"response":%s}`}[r.IntN(5)], own)
	case 4: // one byte of the structure lost
		marks := indexesOf(own, `{}":,`)
		at := marks[r.IntN(len(marks))]
		a.body = own[:at] + own[at+1:]
	case 5: // the members have other names
		a.body = strings.NewReplacer("detail", "details", "errors", "failures", `"error"`, `"reason"`).Replace(own)
	case 6: // the announced length never comes
		a.cut = true
	default:
		a.body = randomJSON(r, 3)
	}
	a.gone = false
	return a
}

func indexesOf(text, any string) (at []int) {
	for i, c := range text {
		if strings.ContainsRune(any, c) {
			at = append(at, i)
		}
	}
	return at
}

// randomJSON is a value that never has the members of an error body.
func randomJSON(r *rand.Rand, depth int) string {
	scalars := []string{"null", "true", "404", `"Not found."`, `""`, "-1.5e3"}
	if depth == 0 {
		return scalars[r.IntN(len(scalars))]
	}
	var parts []string
	object := r.IntN(3) > 0
	for _, i := range r.Perm(6)[:r.IntN(5)] {
		part := randomJSON(r, depth-1)
		if object {
			part = fmt.Sprintf("%q:%s", []string{"message", "error", "status", "code", "reason", "path"}[i], part)
		}
		parts = append(parts, part)
	}
	if object {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (a httpAnswer) write(w http.ResponseWriter) {
	w.Header()["Content-Type"] = nil // or the server guesses one
	w.Header().Set("X-RateLimit-Limit", "1000000")
	w.Header().Set("X-RateLimit-Remaining", "1000000")
	w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Minute).Unix()))
	if a.media != "" {
		w.Header().Set("Content-Type", a.media)
	}
	if a.redirect != "" {
		w.Header().Set("Location", a.redirect)
	}
	if a.cut {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)+1))
	}
	w.WriteHeader(a.code)
	fmt.Fprint(w, a.body)
	if a.cut {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// answersAPI lists nobody and says to detail calls what answers has; other accounts
// are healthy.
func answersAPI(t *testing.T, answers map[string]httpAnswer) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := path.Base(r.URL.Path)
		answer, ok := answers[id]
		switch {
		case r.URL.Path == "/v1/again/"+id || id == "login":
			httpAnswer{code: 404, media: jsonMedia, body: documented[0]}.write(w)
		case ok:
			answer.write(w)
		default:
			httpAnswer{code: 200, media: jsonMedia, body: `{"data":` + plainAccount(id) + `}`}.write(w)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func plainAccount(id string) string {
	return fmt.Sprintf(`{"id":%q,"username":%q,"status":"200","squids":[]}`, id, "u"+id[24:])
}

func accountNumber(n int) string { return fmt.Sprintf("%032x", n) }

// TestGoneOnlyByTheAPIsOwn404 asks a real server for a thousand accounts, each of which
// it answers in another way.
func TestGoneOnlyByTheAPIsOwn404(t *testing.T) {
	t.Parallel()
	const asked, known = 1000, 2500
	const seed = 20
	r := rand.New(rand.NewPCG(seed, 404))
	answers := map[string]httpAnswer{}
	var named, all []string
	fixed := constructed(accountNumber(10)) // the redirect's place in the list
	fixed[10].redirect = "/v1/again/" + accountNumber(10)
	for n := range known {
		all = append(all, accountNumber(n))
	}
	for n := range asked {
		if named = append(named, all[n], all[n+asked]); n < len(fixed) { // each second one exists: the service is not down
			answers[all[n]] = fixed[n]
		} else {
			answers[all[n]] = randomAnswer(r)
		}
	}
	s := openAnswers(t, all)
	outcome := fetchNamed(t, s, answersAPI(t, answers).URL, named)
	if outcome.State != store.Incomplete {
		t.Errorf("the run is %s", outcome.State)
	}
	gone := 0
	for account, err := range s.Accounts(t.Context(), store.AccountQuery{Workspace: "default"}) {
		if err != nil {
			t.Fatal(err)
		}
		answer := answers[account.ID]
		if is := account.Facts.Health == store.Gone; is != answer.gone {
			t.Errorf("gone: %v, want %v, after %d %q %q (seed %d)", is, answer.gone, answer.code, answer.media, answer.body, seed)
		} else if is {
			gone++
		}
	}
	if gone < 50 || gone > asked/2 {
		t.Errorf("%d accounts are gone: too few or too many to tell anything", gone)
	}
	checkFailures(t, s, answers)
}

// checkFailures: every answer that proves nothing is a failure, a 404 with its status.
func checkFailures(t *testing.T, s store.Store, answers map[string]httpAnswer) {
	t.Helper()
	run, err := s.Run(t.Context(), "default", 2)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]store.Failure{}
	for _, f := range run.Failures {
		failed[f.Account] = f
	}
	for id, answer := range answers {
		f, ok := failed[id]
		if ok == answer.gone {
			t.Errorf("failure: %v, after %d %q", ok, answer.code, answer.body)
		}
		if answer.code == http.StatusNotFound && !answer.gone && (f.Kind != store.FailHTTP || f.HTTPStatus != http.StatusNotFound) {
			t.Errorf("%+v after %q", f, answer.body)
		}
	}
}

// openAnswers makes a store that knows accounts.
func openAnswers(t *testing.T, ids []string) store.Store {
	t.Helper()
	s, _, err := sqlite.OpenWriter(t.Context(), filepath.Join(t.TempDir(), "h.db"), sqlite.Options{Rules: report.Rules()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	run, err := s.Begin(t.Context(), "default", store.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	for chunk := range slices.Chunk(ids, 500) {
		page := store.Response{Source: store.List, Sent: time.Now(), Received: time.Now()}
		for _, id := range chunk {
			page.Accounts = append(page.Accounts, store.Observed{ID: id, Raw: json.RawMessage(plainAccount(id))})
		}
		if _, err := run.Append(t.Context(), page); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Finish(t.Context(), store.Outcome{State: store.Complete}); err != nil {
		t.Fatal(err)
	}
	return s
}

func fetchNamed(t *testing.T, s store.Store, base string, ids []string) store.Outcome {
	t.Helper()
	client, err := fetcher.New(fetcher.Config{Token: "key", BaseURL: base + "/v1", UserAgent: "test", Retries: new(int)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	run, err := s.Begin(t.Context(), "default", store.ScopeNamed)
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := client.SnapshotNamed(context.WithoutCancel(t.Context()), run, slices.Values(ids), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Finish(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
	return outcome
}
