package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/store"
)

func TestHealthIsTheFirstRuleThatFits(t *testing.T) {
	tests := []struct {
		name, doc, resetsIn string
		want                store.Health
	}{
		{"200 as text", `{"status":"200"}`, "", store.Healthy},
		{"200 as a number", `{"status":200}`, "", store.Healthy},
		{"200 in another spelling", `{"status":2e2}`, "", store.Healthy},
		{"401 as text", `{"status":"401"}`, "", store.Expired},
		{"429 as a number", `{"status":429}`, "", store.Expired},
		{"expired cookies whatever the status", `{"status":"200","status_code_info":"cookies_expired"}`, "", store.Expired},
		{"expired cookies without a status", `{"status_code_info":"cookies_expired"}`, "", store.Expired},
		{"expired before locked", `{"status":"401","lock_time":4102444800}`, "", store.Expired},
		{"no status", `{}`, "", store.Unknown},
		{"null", `{"status":null}`, "", store.Unknown},
		{"no number", `{"status":"ok"}`, "", store.Unknown},
		{"a boolean", `{"status":true}`, "", store.Unknown},
		{"an object", `{"status":{"code":200}}`, "", store.Unknown},
		{"no status, and it works", `{"status_code_info":"synchronized"}`, "", store.Healthy},
		{"null, and it works", `{"status":null,"status_code_info":"synchronized"}`, "", store.Healthy},
		{"no number, and it works", `{"status":"ok","status_code_info":"synchronized"}`, "", store.Healthy},
		{"no status, and it is blocked", `{"status_code_info":"account_blocked"}`, "", store.Unknown},
		{"no status, works, before locked", `{"status_code_info":"synchronized","lock_time":4102444800}`, "", store.Healthy},
		{"a synchronisation begins", `{"status":"100","status_code_info":"synchronized"}`, "", store.Unknown},
		{"a synchronisation goes on", `{"status":120}`, "", store.Unknown},
		{"the last status of one", `{"status":"199"}`, "", store.Unknown},
		{"none of a synchronisation", `{"status":"99"}`, "", store.Failing},
		{"a synchronisation of expired cookies", `{"status":"100","status_code_info":"cookies_expired"}`, "", store.Expired},
		{"unknown before locked", `{"lock_time":4102444800}`, "", store.Unknown},
		{"another status", `{"status":"500"}`, "", store.Failing},
		{"a status between two", `{"status":200.5}`, "", store.Failing},
		{"an endless status", `{"status":1e99999999999999999999999}`, "", store.Failing},
		{"failing before locked", `{"status":"403","lock_time":4102444800}`, "", store.Failing},
		{"a live lock", `{"status":"200","lock_time":4102444800}`, "", store.Locked},
		{"a live lock as text", `{"status":"200","lock_time":"2100-01-01T00:00:00Z"}`, "", store.Locked},
		{"a lock that ends now", `{"status":"200","lock_time":` + fmt.Sprint(at.Unix()) + `}`, "", store.Healthy},
		{"a past lock", `{"status":"200","lock_time":` + past + `}`, "", store.Healthy},
		{"nonsense is no lock", `{"status":"200","lock_time":"soon"}`, "", store.Healthy},
		{"an endless lock is no time", `{"status":"200","lock_time":1e400}`, "", store.Healthy},
		{"counting down", `{"status":"200"}`, `1800`, store.Locked},
		{"counting down as text", `{"status":"200"}`, `"0.5"`, store.Locked},
		{"counted down", `{"status":"200"}`, `0`, store.Healthy},
		{"below zero", `{"status":"200"}`, `-1`, store.Healthy},
		{"not counting", `{"status":"200"}`, `null`, store.Healthy},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := list(test.doc)
			s.ResetsIn = json.RawMessage(test.resetsIn)
			facts, err := FactsOf(s)
			if err != nil {
				t.Fatal(err)
			}
			if facts.Health != test.want {
				t.Errorf("%s, want %s", facts.Health, test.want)
			}
		})
	}
}

func TestReadMergesTheEndpoints(t *testing.T) {
	s := both(`{"status":"200","username":"old","lock_time":4102444800,"squids":[{"id":"b"},{"hash_value":"a","name":"A"}]}`,
		`{"status":401,"username":"ann","type":"x-sync","status_code_info":7,"last_synchronization_time":"2024-12-16T10:28:43Z"}`, store.Detail)
	facts, err := FactsOf(s)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Facts{
		Username: "ann", Type: "x-sync", Status: "401", Info: "7", LastSync: "2024-12-16T10:28:43Z", Health: store.Expired,
		LockedUntil: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		Squids:      []store.Squid{{ID: "a", Name: "A"}, {ID: "b"}},
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
}

func TestReadOfAGoneAccount(t *testing.T) {
	facts, err := FactsOf(store.State{Gone: true})
	if err != nil || facts.Health != store.Gone {
		t.Errorf("%v, %v", facts, err)
	}
}

func TestDecimals(t *testing.T) {
	same := [][]string{
		{"1", "1.0", "1e0", "0.1e1", "10e-1", "100E-2"},
		{"0", "-0", "0.0", "0e99999999999999999999"},
		{"1e999999999", "10e999999998"},
		{"-12.5", "-1.25e1"},
		{"9007199254740993"}, {"9007199254740992"},
		{"1e99999999999999999999"}, {"1e99999999999999999998"},
	}
	for i, class := range same {
		for j, other := range same {
			for _, a := range class {
				for _, b := range other {
					if got := numberEqual(a, b); got != (i == j) {
						t.Errorf("%s and %s: %v", a, b, got)
					}
				}
			}
		}
	}
	for _, text := range []string{"", "-", "01", "+1", ".5", "1.", "1e", "1e+", "0x1", "1 ", "NaN", "1_0"} {
		if d, ok := parseDecimal(text); ok {
			t.Errorf("%q is no number: %v", text, d)
		}
	}
}

func TestDocumentsAreBounded(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 900) + "1" + strings.Repeat("}", 900)
	other := strings.Repeat(`{"a":`, 900) + "2" + strings.Repeat("}", 900)
	changes, err := Diff(list(fields(`"x":`+deep)), list(fields(`"x":`+other)))
	if err != nil || len(changes) != 1 || !strings.HasPrefix(changes[0].Path, "/x/a/a/") {
		t.Errorf("%v %v", changes, err)
	}
}
