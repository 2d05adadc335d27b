package main

import (
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// TestToldBy finds the deliveries of the messages that tell of an alert.
func TestToldBy(t *testing.T) {
	fired := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	delivery := func(condition store.Condition, at time.Time, body string, accounts ...string) store.Delivery {
		return store.Delivery{Message: store.Message{Condition: condition, At: at, Body: []byte(body), Accounts: accounts}}
	}
	account := store.Alert{Condition: store.AccountExpired, Account: "a", FiredAt: fired}
	pending, ended := account, account
	pending.FiredAt, ended.EndedAt = time.Time{}, fired.Add(time.Hour)
	squid := store.Alert{Condition: store.SquidWithoutAccount, Squid: "s1", FiredAt: fired}
	stale := store.Alert{Condition: store.Stale, FiredAt: fired}
	for name, test := range map[string]struct {
		alert    store.Alert
		delivery store.Delivery
		told     bool
	}{
		"it fires":                {account, delivery(store.AccountExpired, fired, `{}`, "b", "a"), true},
		"a reminder":              {account, delivery(store.AccountExpired, fired.Add(48*time.Hour), `{}`, "a"), true},
		"another account":         {account, delivery(store.AccountExpired, fired, `{}`, "b"), false},
		"another condition":       {account, delivery(store.AccountFailing, fired, `{}`, "a"), false},
		"before it fired":         {account, delivery(store.AccountExpired, fired.Add(-time.Second), `{}`, "a"), false},
		"it is pending":           {pending, delivery(store.AccountExpired, fired, `{}`, "a"), false},
		"its recovery":            {ended, delivery(store.AccountExpired, ended.EndedAt, `{}`, "a"), true},
		"the next one":            {ended, delivery(store.AccountExpired, ended.EndedAt.Add(time.Second), `{}`, "a"), false},
		"its squid":               {squid, delivery(store.SquidWithoutAccount, fired, `{"id":"s1"}`, "b"), true},
		"another squid":           {squid, delivery(store.SquidWithoutAccount, fired, `{"id":"s2"}`, "b"), false},
		"of the whole workspace":  {stale, delivery(store.Stale, fired, `{}`), true},
		"a test is about nothing": {stale, delivery("", fired, `{}`), false},
	} {
		if got := len(toldBy(test.alert, []store.Delivery{test.delivery})); got == 1 != test.told {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// TestDeliveriesText has the newest delivery of each sink.
func TestDeliveriesText(t *testing.T) {
	for want, deliveries := range map[string][]report.AlertDeliveryJSON{
		"":            {},
		"a delivered": {{Sink: "a", State: store.Waiting, Attempts: 1, Error: "HTTP 500"}, {Sink: "a", State: store.Delivered, Attempts: 2}},
		"a waiting":   {{Sink: "a", State: store.Waiting}},
		"b dropped; a waiting after 1 attempt: HTTP 500": {
			{Sink: "b", State: store.Dropped}, {Sink: "a", State: store.Waiting, Attempts: 1, Error: "HTTP 500"},
		},
	} {
		if got := deliveriesText(deliveries); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
