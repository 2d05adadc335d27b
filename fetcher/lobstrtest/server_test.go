package lobstrtest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lobstrail/lobstrail/fetcher/lobstrtest"
	"github.com/lobstrail/lobstrail/fetcher/lobstrtest/oracle"
)

func decode(body []byte) (e envelope) {
	json.Unmarshal(body, &e) // the zero value when it is no envelope
	return e
}

func seven(t *testing.T) (*lobstrtest.World, *lobstrtest.Server, *client) {
	t.Helper()
	w := oracle.RandomWorld(3, oracle.RandomOptions{Accounts: 7, Events: -1, Start: start})
	s := lobstrtest.New(t, w)
	return w, s, newClient(t, s)
}

func TestListIsPaged(t *testing.T) {
	w, s, c := seven(t)
	var ids []string
	for page := 1; page <= 3; page++ {
		e := c.list(fmt.Sprintf("/accounts?page=%d&limit=3", page))
		size := len(e.Data)
		for _, raw := range e.Data {
			id, _ := accountOf(raw)
			ids = append(ids, id)
		}
		e.Data = nil
		want := envelope{TotalResults: 7, Limit: 3, Page: page, TotalPages: 3, ResultFrom: 3*page - 2, ResultTo: 3*page - 2 + size}
		if page < 3 {
			want.Next = new(fmt.Sprintf("%s/accounts?limit=3&page=%d", s.URL, page+1))
		}
		if page > 1 {
			want.Previous = new(fmt.Sprintf("%s/accounts?limit=3&page=%d", s.URL, page-1))
		}
		if !reflect.DeepEqual(e, want) {
			t.Errorf("page %d: %+v", page, e)
		}
	}
	if want := w.Accounts(w.Clock().Now()); !reflect.DeepEqual(ids, want) {
		t.Errorf("ids %v, want %v", ids, want)
	}
}

func TestLimitsAreEchoed(t *testing.T) {
	_, _, c := seven(t)
	for path, want := range map[string]int{"/accounts": 10, "/accounts?limit=100": 100, "/accounts?limit=1000": 100} {
		if got := c.list(path).Limit; got != want {
			t.Errorf("%s: limit %d", path, got)
		}
	}
	for _, path := range []string{"/accounts?limit=0", "/accounts?page=-1", "/accounts?page=two"} {
		if a := c.get(path); a.status != 400 || !strings.Contains(string(a.body), `"errors":{`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestDetailIsAnEnvelopeOfOneWithoutNewerFields(t *testing.T) {
	w, s, c := seven(t)
	id := w.Accounts(start)[0]
	e := c.list("/accounts/" + id)
	account := e.Data[0]
	e.Data = nil
	if want := (envelope{TotalResults: 1, Limit: 10, Page: 1, TotalPages: 1, ResultFrom: 1, ResultTo: 2}); !reflect.DeepEqual(e, want) {
		t.Errorf("%+v", e)
	}
	at := s.Requests()[0].At
	if want, _ := w.StateAt(id, lobstrtest.DetailView, at); string(account) != string(want) {
		t.Errorf("%s\nwant %s", account, want)
	}
	if got := fieldNames(t, account); len(got) != 16 || got["lock_time"] {
		t.Errorf("fields: %v", got)
	}
	full, _ := w.StateAt(id, lobstrtest.ListView, at)
	if got := fieldNames(t, full); len(got) != 19 {
		t.Errorf("fields: %v", got)
	}
	w.Hide(lobstrtest.DetailView)
	if got := fieldNames(t, c.list("/accounts/" + id).Data[0]); len(got) != 19 {
		t.Errorf("fields: %v", got)
	}
	if a := c.get("/accounts/" + lobstrtest.ID("nobody")); a.status != 404 || string(a.body) != `{"detail":"Not found."}` {
		t.Errorf("nobody: %d %s", a.status, a.body)
	}
}

func fieldNames(t *testing.T, raw json.RawMessage) map[string]bool {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for name := range object {
		names[name] = true
	}
	return names
}

func TestKeysAreWorkspaces(t *testing.T) {
	w, s, c := seven(t)
	other := lobstrtest.NewWorld(w.Clock())
	other.Add(lobstrtest.Account{Username: "alone"})
	s.AddWorkspace("second", other)
	if n := c.list("/accounts").TotalResults; n != 7 {
		t.Errorf("first: %d", n)
	}
	c.token = "second"
	if n := c.list("/accounts").TotalResults; n != 1 {
		t.Errorf("second: %d", n)
	}
	s.Revoke("second")
	for _, token := range []string{"second", "", " " + lobstrtest.DefaultToken} {
		c.token = token
		if a := c.get("/accounts"); a.status != 401 || string(a.body) != `{"detail":"Invalid token."}` {
			t.Errorf("%q: %d %s", token, a.status, a.body)
		}
	}
	req, _ := http.NewRequest(http.MethodGet, s.URL+"/me", nil)
	req.Header.Set("Authorization", "Bearer "+lobstrtest.DefaultToken)
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != 401 {
		t.Errorf("bearer: %d", resp.StatusCode)
	}
}

func TestOtherRoutes(t *testing.T) {
	_, s, c := seven(t)
	if e := c.list("/account_types"); e.TotalResults != 5 {
		t.Errorf("%+v", e)
	}
	if a := c.get("/me"); a.status != 200 || !json.Valid(a.body) {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, path := range []string{"/accounts/", "/accounts/a/b", "/tasks"} {
		if a := c.get(path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if n := s.Count(lobstrtest.UnknownRoute); n != 3 {
		t.Errorf("%d unknown requests", n)
	}
}

func TestRequestsAreEvaluatedBetweenSentAndReceived(t *testing.T) {
	w, s, _ := seven(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			c := newClient(t, s)
			for range 25 {
				c.list("/accounts")
			}
		})
	}
	group.Wait()
	c := newClient(t, s)
	for range 20 {
		s.ResetRequests()
		sent := w.Clock().Now()
		a := c.get("/accounts")
		received, at := w.Clock().Now(), s.Requests()[0].At
		if !sent.Before(at) || !at.Before(received) {
			t.Fatalf("sent %s, evaluated %s, received %s", sent, at, received)
		}
		date, err := http.ParseTime(a.header.Get("Date"))
		if err != nil || !date.Equal(at.Truncate(time.Second)) {
			t.Fatalf("Date %s at %s", date, at)
		}
	}
}

func TestTheRateLimitRefusesUntilItSays(t *testing.T) {
	w, s, c := seven(t)
	s.SetRateLimit(lobstrtest.RateLimit{Budget: 3})
	for i := range 5 {
		a := c.get("/accounts")
		if refused := a.status == 429; refused != (i >= 3) || a.header.Get("X-RateLimit-Limit") != "3" ||
			a.header.Get("X-RateLimit-Remaining") != strconv.Itoa(max(0, 2-i)) {
			t.Errorf("request %d: %d %v", i, a.status, a.header)
		}
	}
	seconds, err := strconv.Atoi(c.get("/me").header.Get("Retry-After"))
	if err != nil || seconds < 59 || seconds > 61 {
		t.Fatalf("Retry-After: %d %v", seconds, err)
	}
	w.Clock().Advance(time.Duration(seconds) * time.Second)
	if a := c.get("/accounts"); a.status != 200 {
		t.Errorf("after the wait: %d", a.status)
	}
}

func TestInMemoryWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lobstrtest.NewWorld(lobstrtest.NewClock(start))
		w.Add(lobstrtest.Account{Username: "ada"})
		s := lobstrtest.NewInMemory(t, w)
		c := newClient(t, s)
		s.Inject(lobstrtest.FaultNamed("hang"), lobstrtest.When{Times: 1})
		began := time.Now()
		if a := c.get("/accounts"); a.err == nil || time.Since(began) != 5*time.Second {
			t.Errorf("hung for %s: %v", time.Since(began), a.err)
		}
		if n := c.list("/accounts").TotalResults; n != 1 {
			t.Errorf("%d accounts", n)
		}
	})
}
