package sqlite_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lobstrail/lobstrail/store"
	"github.com/lobstrail/lobstrail/store/sqlite"
)

// alertTables hold the working state of those who watch.
var alertTables = []string{"alert_place", "alert", "message", "delivery", "silence", "cursor"}

// watchedStore is an open store with a row in each of these tables.
func watchedStore(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s := openStore(t, path, at(start))
	h := &smallHistory{t, s, start}
	same := smallObject(4, `,"status":"200","squids":[{"name":"S","hash_value":"s1"}]`)
	for range 4 {
		h.finish(h.begin("default", h.page(store.List, 1, same)))
	}
	watched(t, s)
	return s
}

// TestAlertsStay when the store is opened again, pruned, derived again and backed up.
func TestAlertsStay(t *testing.T) {
	path, copied := memoryPath(t), memoryPath(t)
	s := watchedStore(t, path)
	want := dump(t, path, allOf(alertTables))
	if strings.Count(want, "\n") < len(alertTables) {
		t.Fatalf("too little to compare:\n%s", want)
	}
	if done, err := s.Prune(t.Context(), "default", store.Keep{}, nil); err != nil || done.Thinned == 0 {
		t.Fatal(done, err)
	}
	_, err := s.Backup(t.Context(), copied, sqlite.BackupOptions{})
	if err := errors.Join(err, s.Rederive(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, copied} {
		if got := dump(t, file, allOf(alertTables)); got != want {
			t.Errorf("%s has\n%s\nwant\n%s", file, got, want)
		}
		healthy(t, file)
	}
	again := openStore(t, copied, at(start))
	if got := dump(t, copied, allOf(alertTables)); got != want {
		t.Errorf("opened again:\n%s\nwant\n%s", got, want)
	}
	// It goes on where it was: no number is given again, also when its row was deleted.
	for want := range int64(2) {
		id, err := again.AddSilence(t.Context(), "default", store.Silence{Type: "x", Reason: "r", From: start, Until: start})
		place, failed := again.AlertPlace(t.Context(), "default")
		delta := store.AlertDelta{From: place, To: place, Begin: []store.Alert{
			{Condition: store.Stale, FiredAt: start, EndedAt: start, Detail: []byte(`{}`)},
		}}
		failed = errors.Join(err, failed, again.SaveAlerts(t.Context(), "default", delta))
		alerts, err := store.Collect(again.Alerts(t.Context(), store.AlertQuery{Workspace: "default", Over: true}))
		if err = errors.Join(err, failed, again.ForgetAlerts(t.Context(), start.Add(2*time.Hour))); err != nil {
			t.Fatal(err)
		}
		if id != want+2 || alerts[len(alerts)-1].ID != want+3 {
			t.Errorf("round %d: silence %d, alerts %+v", want, id, alerts)
		}
	}
	if left := dump(t, copied, allOf(alertTables[1:5])); strings.TrimSpace(left) != "" {
		t.Errorf("what is over is still there:\n%s", left)
	}
	healthy(t, copied)
}

// TestAlertsNeedAWriterAndAWorkspace.
func TestAlertsNeedAWriterAndAWorkspace(t *testing.T) {
	path := memoryPath(t)
	s := watchedStore(t, path)
	reader, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	silence := store.Silence{Type: "x", Reason: "r", From: start, Until: start}
	for want, one := range map[error]*sqlite.Store{store.ErrReadOnly: reader, store.ErrNotFound: s} {
		_, added := one.AddSilence(t.Context(), "nobody", silence)
		for i, err := range []error{
			added, one.SaveAlerts(t.Context(), "nobody", store.AlertDelta{}), one.EndSilence(t.Context(), "nobody", 1, start),
			one.SaveCursor(t.Context(), "nobody", "c", 0),
			one.SaveDelivery(t.Context(), store.Delivery{Message: store.Message{Workspace: "nobody"}, State: store.Delivered, EndedAt: start}),
		} {
			if !errors.Is(err, want) {
				t.Errorf("function %d: %v, want %v", i, err, want)
			}
		}
	}
	if place, err := reader.AlertPlace(t.Context(), "nobody"); err != nil || place != (store.AlertPlace{}) {
		t.Errorf("%+v, %v", place, err)
	}
	healthy(t, path)
}

// TestForgedAlertsAreFound: a row that no store writes is named, whatever the schema
// would have refused.
func TestForgedAlertsAreFound(t *testing.T) {
	t.Parallel()
	path := memoryPath(t)
	fullStore(t, path)
	f := newForger(t, path)
	const copied = `INSERT INTO alert SELECT ws, 1, condition, account, squid, limit_name, after, before, run, polls, NULL, 0, silenced, 0, NULL, detail`
	for statement, want := range map[string]string{
		`UPDATE alert_place SET run = 99`:                              "alert_place place",
		`UPDATE alert_place SET run = -1`:                              "alert_place place",
		`UPDATE alert_place SET alerts = 1`:                            "alert 2",
		`DELETE FROM alert_place`:                                      "alert 1",
		`UPDATE alert SET condition = 'account_happy' WHERE id = 2`:    "alert 2",
		`UPDATE alert SET condition = '' WHERE id = 2`:                 "alert 2",
		`UPDATE alert SET account = '` + strings.Repeat("9", 32) + `'`: "alert 1",
		`UPDATE alert SET squid = 's9'`:                                "alert 1",
		`UPDATE alert SET run = 99 WHERE id = 2`:                       "alert 2",
		`UPDATE alert SET run = -1 WHERE id = 2`:                       "alert 2",
		`UPDATE alert SET polls = -1`:                                  "alert 1",
		`UPDATE alert SET told = 2 WHERE id = 1`:                       "alert",
		`UPDATE alert SET fired_at = NULL WHERE id = 1`:                "alert 1",
		`UPDATE alert SET before = after - 1 WHERE id = 1`:             "alert 1",
		`UPDATE alert SET detail = 'none' WHERE id = 2`:                "alert 2",
		`UPDATE alert SET detail = '[]' WHERE id = 2`:                  "alert 2",
		`UPDATE alert SET detail = '' WHERE id = 2`:                    "alert 2",
		`UPDATE alert SET ws = 7 WHERE id = 2`:                         "alert workspace 7",
		`UPDATE message SET id = ''`:                                   "message 1",
		`UPDATE message SET event = 'shouted'`:                         "message 1",
		`UPDATE message SET condition = 'account_happy'`:               "message 1",
		`UPDATE message SET condition = ''`:                            "message 1",
		`UPDATE message SET run = 99`:                                  "message 1",
		`UPDATE message SET accounts = '["nobody"]'`:                   "message 1",
		`UPDATE message SET accounts = 'none'`:                         "message 1",
		`UPDATE message SET accounts = '{"a": 1}'`:                     "message 1",
		`UPDATE message SET sinks = '["ops", "mail"]'`:                 "message 1",
		`UPDATE message SET sinks = '[]'`:                              "message 1",
		`UPDATE message SET sinks = 'none'`:                            "message 1",
		`UPDATE message SET body = 'none'`:                             "message 1",
		`UPDATE message SET body = '7'`:                                "message 1",
		`UPDATE message SET n = 2`:                                     "message 2",
		`INSERT INTO message SELECT ws, 7, 'm7', event, condition, run, at, accounts, sinks, body FROM message;
			INSERT INTO delivery SELECT ws, 7, sink, state, attempts, next_at, ended_at, error, pause, asked FROM delivery`: "message 7",
		`DELETE FROM message`:                                                    "delivery message 1, sink ops",
		`DELETE FROM delivery`:                                                   "message 1",
		`UPDATE delivery SET sink = 'mail'`:                                      "delivery message 1, sink mail",
		`UPDATE delivery SET message = 9`:                                        "delivery message 9, sink ops",
		`UPDATE delivery SET state = 'lost'`:                                     "delivery message 1, sink ops",
		`UPDATE delivery SET state = 'waiting'`:                                  "delivery message 1, sink ops",
		`UPDATE delivery SET ended_at = NULL`:                                    "delivery message 1, sink ops",
		`UPDATE delivery SET next_at = 1`:                                        "delivery message 1, sink ops",
		`UPDATE delivery SET attempts = -1`:                                      "delivery message 1, sink ops",
		`UPDATE delivery SET pause = 1`:                                          "delivery message 1, sink ops",
		`UPDATE silence SET account = 'nobody'`:                                  "silence 1",
		`UPDATE silence SET squid = 's1'`:                                        "silence 1",
		`UPDATE silence SET account = ''`:                                        "silence 1",
		`UPDATE silence SET account = '', squid = 's9'`:                          "silence 1",
		`UPDATE silence SET reason = ' '`:                                        "silence 1",
		`UPDATE silence SET until_at = from_at - 1`:                              "silence 1",
		`UPDATE silence SET id = 2`:                                              "silence 2",
		`UPDATE cursor SET run = 99`:                                             "cursor script",
		`UPDATE cursor SET run = -1`:                                             "cursor script",
		`UPDATE cursor SET consumer = ''`:                                        "cursor",
		`DELETE FROM cursor`:                                                     "cursor cursors",
		`INSERT INTO cursor (ws, consumer, run) VALUES (1, 'other', 1)`:          "cursor cursors",
		`INSERT INTO cursor (ws, consumer, run) VALUES (9, 'other', 1)`:          "cursor workspace 9",
		`DELETE FROM alert WHERE id = 1; ` + copied + ` FROM alert WHERE id = 2`: "", // a pending alert is one of a store
	} {
		if !f.forge(statement) {
			t.Errorf("nothing changed: %s", statement)
		}
		findings := f.found()
		named := slices.ContainsFunc(findings, func(f store.Finding) bool {
			table, row, _ := strings.Cut(want, " ")
			return f.Table == table && (f.Row == row || strings.HasPrefix(f.Row, row+" ") || strings.HasPrefix(f.Row, row+","))
		})
		if named != (want != "") || want == "" && len(findings) > 0 {
			t.Errorf("%s\nfound %v, want %s", statement, findings, want)
		}
	}
}

// TestRedactErasesAlerts: nothing of the person is left in the working state, and what is
// about others stays.
func TestRedactErasesAlerts(t *testing.T) {
	path := memoryPath(t)
	s := redactLab(t, path)
	detail := []byte(`{"down":[{"account":"` + person + `","username":"Zo\u00eb-Quillfeather0"}]}`)
	squid := []byte(`{"down":["` + person + `"],"squids":[{"name":"S"}]}`)
	message := func(id, body string, accounts ...string) store.Message {
		return store.Message{ID: id, Workspace: "default", Event: "fired", Condition: store.AccountExpired, Run: 1, At: start,
			Accounts: accounts, Sinks: []string{"a", "b"}, Body: []byte(body)}
	}
	waiting, over := message("m1", `{"text":"about Zo\u00eb-Quillfeather0"}`, person, ada), message("m2", `{"name":"quillfeather4"}`)
	others := message("m3", `{"text":"ada `+person+`"}`, ada)
	both := message("m4", `{"summary":"2 accounts expired","items":[{"account":"`+person+`","username":"quillfeather4"},{"account":"`+ada+`","n":1.50}]}`, ada, person)
	named := message("m5", `{"summary":"quillfeather4","items":[{"account":"`+person+`"},{"account":"`+ada+`"}]}`, ada, person)
	silence := store.Silence{Reason: "ask Quillfeather4", Squid: "s1", From: start, Until: start.Add(time.Hour)}
	_, failed := s.AddSilence(t.Context(), "default", silence)
	silence.Squid, silence.Account = "", person
	_, err := s.AddSilence(t.Context(), "default", silence)
	err = errors.Join(failed, err, s.SaveAlerts(t.Context(), "default", store.AlertDelta{
		To: store.AlertPlace{Run: 1, At: start}, Messages: []store.Message{waiting, over, others, both, named},
		Begin: []store.Alert{
			{Condition: store.AccountExpired, Account: person, Run: 1, FiredAt: start, Detail: detail},
			{Condition: store.SquidWithoutAccount, Squid: "s1", Run: 1, FiredAt: start, Detail: detail},
			{Condition: store.SquidOnLastAccount, Squid: "s1", Run: 1, FiredAt: start, Detail: squid},
			{Condition: store.AccountExpired, Account: ada, Run: 1, FiredAt: start, Detail: []byte(`{"text":"ada"}`)},
		},
	}))
	for _, sink := range []string{"a", "b"} {
		err = errors.Join(err, s.SaveDelivery(t.Context(), store.Delivery{Message: over, Sink: sink, State: store.Delivered, EndedAt: start}))
	}
	err = errors.Join(err, s.SaveDelivery(t.Context(), store.Delivery{
		Message: waiting, Sink: "b", State: store.Waiting, Attempts: 1, NextAt: start, Error: "refused: Quillfeather4", Pause: true,
	}))
	err = errors.Join(err, s.SaveDelivery(t.Context(), store.Delivery{
		Message: others, Sink: "b", State: store.Waiting, Attempts: 1, NextAt: start, Error: "after that of Quillfeather4",
	}))
	if err != nil {
		t.Fatal(err)
	}
	healthy(t, path)
	if _, err := s.Redact(t.Context(), "default", person); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, path, "redacted")
	healthy(t, path)
	for query, want := range map[string]string{
		`SELECT id, account, squid, detail FROM alert`: `[2  s1 {} 3  s1 ` + string(squid) + ` 4 ` + ada + `  {"text":"ada"}]`,
		`SELECT id, squid, reason FROM silence`:        `[1 s1 redacted]`,
		`SELECT id, accounts, body FROM message ORDER BY id`: `[m1 [] {} m2 [] {} m3 ["` + ada + `"] ` + string(others.Body) +
			` m4 ["` + ada + `"] {"summary":"2 accounts expired","items":[{"account":"` + ada + `","n":1.50}]} m5 [] {}]`,
		`SELECT message, sink, state FROM delivery`:                   `[1 a dropped 1 b dropped 2 a delivered 2 b delivered 3 a waiting 3 b waiting 4 a waiting 4 b waiting 5 a dropped 5 b dropped]`,
		`SELECT count(*) FROM delivery WHERE error = 'redacted'`:      `[5]`,
		`SELECT count(*) FROM delivery WHERE pause = 1`:               `[0]`,
		`SELECT account, username, state FROM alerts WHERE alert = 4`: `[` + ada + ` ada open]`,
	} {
		if got := fmt.Sprint(rowsOf(t, path, query)); got != want {
			t.Errorf("%s:\n%s, want\n%s", query, got, want)
		}
	}
}

// TestSilenceEndsWithinItself, also when the clock went back.
func TestSilenceEndsWithinItself(t *testing.T) {
	path := memoryPath(t)
	s := watchedStore(t, path)
	silence := store.Silence{Type: "x", Reason: "r", From: start, Until: start.Add(time.Hour)}
	id, err := s.AddSilence(t.Context(), "default", silence)
	if err := errors.Join(err, s.EndSilence(t.Context(), "default", id, start.Add(-time.Hour))); err != nil {
		t.Fatal(err)
	}
	silences, err := s.Silences(t.Context(), "default", time.Time{})
	if last := silences[len(silences)-1]; err != nil || last.ID != id || !last.Until.Equal(start) {
		t.Errorf("%+v, %v", silences, err)
	}
	if err := s.EndSilence(t.Context(), "default", id, start); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it ended twice: %v", err)
	}
	healthy(t, path)
}
