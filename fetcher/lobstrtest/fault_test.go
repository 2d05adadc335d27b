package lobstrtest_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
)

// faulty is a world of five accounts in pages of two, of which the first is
// locked and uses a squid.
func faulty(t *testing.T) (*lobstrtest.Server, *client, string) {
	t.Helper()
	w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
	first := w.Add(lobstrtest.Account{Username: "ada", Type: lobstrtest.SalesNav, Squids: []string{"Leads", "Companies"}})
	for _, name := range []string{"bruno", "chiara", "dmitri", "elif"} {
		w.Add(lobstrtest.Account{Username: name})
	}
	w.Apply(lobstrtest.Lock(first, start.Add(time.Hour), lobstrtest.LockUnix))
	s := lobstrtest.New(t, w)
	s.SetPageLimits(2, 2)
	return s, newClient(t, s), first
}

func TestEachFaultIsWhatItsTableSays(t *testing.T) {
	names := map[string]bool{}
	for _, f := range lobstrtest.AllFaults() {
		if names[f.Name] || f.Name == "" || f.Note == "" {
			t.Errorf("%q: no note, or a name that another has", f.Name)
		}
		names[f.Name] = true
		for _, route := range []lobstrtest.Route{lobstrtest.List, lobstrtest.Detail} {
			if len(f.On) > 0 && !slices.Contains(f.On, route) {
				continue
			}
			t.Run(f.Name+"/"+string(route), func(t *testing.T) {
				t.Parallel()
				checkFault(t, f, route)
			})
		}
	}
}

func checkFault(t *testing.T, f lobstrtest.Fault, route lobstrtest.Route) {
	s, c, first := faulty(t)
	c.http.Timeout = time.Minute
	if strings.HasPrefix(f.Name, "hang") {
		c.http.Timeout = 300 * time.Millisecond
	}
	rule := s.Inject(f, lobstrtest.When{})
	path, asked, whole := "/accounts/"+first, first, true
	if route == lobstrtest.List {
		path, asked = "/accounts", ""
	}
	kind, _ := understood(c.get(path), asked, 1)
	if f.Name == "redirect-same" {
		kind = "none"
	}
	if !f.Expect.Accepts(kind) {
		t.Errorf("a right client records %q, the table says %q (or %q)", kind, f.Expect.Failure, f.Expect.Also)
	}
	if rule.Hits() < 1 {
		t.Error("the fault befell nothing")
	}
	if route == lobstrtest.List && f.Expect.Failure == "none" && f.Name != "redirect-same" {
		whole = walk(c)
		if whole == f.Expect.ListIncomplete {
			t.Errorf("list is whole: %t, table says incomplete: %t", whole, f.Expect.ListIncomplete)
		}
	}
	s.ClearFaults()
	c.http.Timeout = time.Minute
	if kind, _ := understood(c.get(path), asked, 1); kind != "none" {
		t.Errorf("after the fault: %s", kind)
	}
	if s.Elsewhere().Leaks() != 0 {
		t.Error("the key leaked")
	}
}

// walk reports whether the list is whole to a right client.
func walk(c *client) bool {
	seen, total, whole := map[string]bool{}, -1, true
	for page, pages := 1, 1; page <= pages && page < 10; page++ {
		a := c.get("/accounts?page=" + string(rune('0'+page)))
		kind, complete := understood(a, "", page)
		if kind != "none" {
			return false
		}
		e := decode(a.body)
		whole = whole && complete && (total < 0 || total == e.TotalResults)
		total, pages = e.TotalResults, e.TotalPages
		for _, raw := range e.Data {
			id, _ := accountOf(raw)
			whole = whole && !seen[id]
			seen[id] = true
		}
	}
	return whole && len(seen) == total
}

func TestFaultsKeepToTheirRequests(t *testing.T) {
	s, c, first := faulty(t)
	boom := lobstrtest.FaultNamed("http-502-html")
	statuses := func(when lobstrtest.When, paths ...string) (got []int) {
		s.ClearFaults()
		s.Inject(boom, when)
		for _, p := range paths {
			got = append(got, c.get(p).status)
		}
		return got
	}
	list, second, detail := "/accounts", "/accounts?page=2", "/accounts/"+first
	for _, test := range []struct {
		name string
		when lobstrtest.When
		want []int // of list, second, detail, list, second, detail
	}{
		{"all", lobstrtest.When{}, []int{502, 502, 502, 502, 502, 502}},
		{"a route", lobstrtest.When{Route: lobstrtest.List}, []int{502, 502, 200, 502, 502, 200}},
		{"a page", lobstrtest.When{Route: lobstrtest.List, Page: 2}, []int{200, 502, 200, 200, 502, 200}},
		{"a path", lobstrtest.When{Path: "/v1/accounts"}, []int{502, 502, 200, 502, 502, 200}},
		{"an account", lobstrtest.When{Account: first}, []int{200, 200, 502, 200, 200, 502}},
		{"so many", lobstrtest.When{Times: 2}, []int{502, 502, 200, 200, 200, 200}},
		{"from the third on", lobstrtest.When{Skip: 2}, []int{200, 200, 502, 502, 502, 502}},
		{"the second of a route", lobstrtest.When{Route: lobstrtest.List, Skip: 1, Times: 1},
			[]int{200, 502, 200, 200, 200, 200}},
	} {
		got := statuses(test.when, list, second, detail, list, second, detail)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	if got := s.Unspent(); got != nil {
		t.Errorf("unspent: %v", got)
	}
	s.Inject(lobstrtest.FaultNamed("gzip"), lobstrtest.When{Times: 3})
	if got := s.Unspent(); !slices.Equal(got, []string{"gzip"}) {
		t.Errorf("unspent: %v", got)
	}
}

func TestChanceIsDeterministic(t *testing.T) {
	run := func() (hits []bool) {
		s, c, _ := faulty(t)
		s.Seed(7)
		s.Inject(lobstrtest.FaultNamed("http-503-empty"), lobstrtest.When{Chance: 0.5})
		for range 30 {
			hits = append(hits, c.get("/accounts").status == 503)
		}
		return hits
	}
	first, second := run(), run()
	if !slices.Equal(first, second) || !slices.Contains(first, true) || !slices.Contains(first, false) {
		t.Errorf("hits: %v then %v", first, second)
	}
}

func TestErrorBodiesHaveTheirShapes(t *testing.T) {
	s, c, _ := faulty(t)
	for shape, want := range map[string]string{
		"current": `{"errors":{"message":"Something is wrong: Too Many Requests.","type":"Throttled","code":429}}`,
		"older":   `{"detail":"Something is wrong: Too Many Requests."}`,
		"flat":    `{"error":"Something is wrong: Too Many Requests.","type":"Throttled","code":429}`,
		"empty":   ``,
	} {
		s.ClearFaults()
		s.Inject(lobstrtest.FaultNamed("http-429-"+shape), lobstrtest.When{})
		if got := string(c.get("/accounts").body); got != want {
			t.Errorf("%v: %s", shape, got)
		}
	}
}

func TestFaultsShowTheirSecrets(t *testing.T) {
	for _, f := range lobstrtest.AllFaults() {
		if f.Expect.Secret == "" && !f.Expect.EchoesToken {
			continue
		}
		s, c, first := faulty(t)
		s.Inject(f, lobstrtest.When{})
		secret := f.Expect.Secret
		if f.Expect.EchoesToken {
			secret = lobstrtest.DefaultToken
		}
		if !bytes.Contains(c.get("/accounts/"+first).body, []byte(secret)) {
			t.Errorf("%s: no secret in the answer", f.Name)
		}
	}
}

func TestAPlanThatCutsTheListSaysSo(t *testing.T) {
	s, c, _ := faulty(t)
	s.Inject(lobstrtest.FaultNamed("warning"), lobstrtest.When{})
	if e := c.list("/accounts"); len(e.Data) != 1 || e.TotalResults != 5 || e.Next != nil || !strings.Contains(e.Warning, "Upgrade") {
		t.Errorf("%d accounts: %+v", len(e.Data), e)
	}
}

func TestAListOfOnePageShowsAnAccountTwice(t *testing.T) {
	s, c, first := faulty(t)
	s.SetPageLimits(10, 10)
	s.Inject(lobstrtest.FaultNamed("duplicate-account"), lobstrtest.When{})
	all := c.list("/accounts").Data
	if id, _ := accountOf(all[4]); id != first || len(all) != 5 {
		t.Errorf("%d accounts, the last one %s", len(all), id)
	}
}

func TestARefusalInFrontOfTheServiceTellsNoBudget(t *testing.T) {
	s, c, _ := faulty(t)
	for _, name := range []string{"http-429-html", "retry-after-1"} {
		s.Inject(lobstrtest.FaultNamed(name), lobstrtest.When{Times: 1})
		if a := c.get("/accounts"); a.status != 429 || a.header.Get("X-RateLimit-Reset") != "" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
}

func TestRedirectsNameTheirPlaces(t *testing.T) {
	s, c, first := faulty(t)
	s.Inject(lobstrtest.FaultNamed("redirect-elsewhere"), lobstrtest.When{Times: 1})
	got := c.get("/accounts/" + first).header.Get("Location")
	if want := s.Elsewhere().URL + "/accounts/" + first; got != want || strings.HasPrefix(got, s.URL) {
		t.Errorf("elsewhere: %s", got)
	}
	s.ClearFaults()
	s.Inject(lobstrtest.FaultNamed("redirect-same"), lobstrtest.When{})
	there := c.get("/accounts?page=2").header.Get("Location")
	path, ok := strings.CutPrefix(there, s.URL)
	if e := c.list(path); !ok || e.Page != 2 || len(e.Data) != 2 {
		t.Errorf("same: %s: %+v", there, e)
	}
}

func TestElsewhereCountsLeaks(t *testing.T) {
	s, c, _ := faulty(t)
	elsewhere := s.Elsewhere()
	c.server = &lobstrtest.Server{URL: elsewhere.URL}
	c.get("/accounts")
	if elsewhere.Requests() != 1 || elsewhere.Leaks() != 1 {
		t.Errorf("%d requests, %d leaks", elsewhere.Requests(), elsewhere.Leaks())
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	s, c, _ := faulty(t)
	s.Inject(lobstrtest.FaultNamed("hang"), lobstrtest.When{})
	done := make(chan answer)
	go func() { done <- c.get("/accounts") }()
	for s.Count(lobstrtest.List) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	if a := <-done; a.err == nil {
		t.Errorf("answered %d", a.status)
	}
}
