package archive_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

const pastAdvice = ": history is only ever added at its end; give the past a workspace or a store of its own"

// TestWhatHasNoPlaceIsRefused: it is counted, and told of once for each reason.
func TestWhatHasNoPlaceIsRefused(t *testing.T) {
	s := openStore(t)
	fetchInto(t, s, start.Add(time.Minute), nil)
	fetchInto(t, s, start.Add(time.Hour), nil)
	before := dump(t, s, natural...)
	done := importInto(t, s, sequence(
		text("undated", time.Time{}, a), text("ancient", time.Unix(-1, 0), a),
		text("old", start, a), text("older", start.Add(-time.Second), a),
		text("there", start.Add(time.Minute), a),
		text("new", start.Add(time.Hour+time.Second), b), text("mixed up", start.Add(time.Hour+time.Millisecond), a),
		text("now", today, b), text("future", today.Add(time.Millisecond), a), text("far", today.AddDate(9, 0, 0), a),
	), archive.Options{})
	want := archive.Result{Items: 2, Refused: 8, Bytes: int64(6 * len(b)), Origins: map[archive.Origin]int{archive.Given: 2}}
	if diff := cmp.Diff(want, done.Result); diff != "" {
		t.Error(diff)
	}
	messages := []string{
		"1 refused, the store has another answer of the same instant, and later ones (there of 2026-01-05T06:01:00Z)" + pastAdvice,
		"3 refused, older than the newest snapshot (the first: old of 2026-01-05T06:00:00Z)" + pastAdvice,
		"2 refused, before 1970 (the first: undated of 0001-01-01T00:00:00Z): is the time meant?",
		"2 refused, in the future (the first: future of 2027-01-05T06:00:00Z): is the time meant, and the clock right?",
	}
	if diff := cmp.Diff(messages, done.messages); diff != "" || done.run.State != store.Incomplete {
		t.Error(diff, done.run.State)
	}
	if after := dump(t, s, natural...); before == after || !strings.Contains(after, idOf(1)) || strings.Contains(after, idOf(0)) {
		t.Error(after)
	}
}

// TestOutOfOrderIsNotThereAlready: what an import has just brought is no sign that
// it was there before, however fast it was stored.
func TestOutOfOrderIsNotThereAlready(t *testing.T) {
	items := sequence(text("first", hours(1), a), text("last", hours(2), a), text("other", hours(1), b))
	done := importInto(t, openStore(t), items, archive.Options{})
	if done.Skipped != 0 || done.Refused != 1 {
		t.Errorf("%+v", done)
	}
}

// TestTheNewestInstantIsReadAgain: it may have been stored in part, also when it
// lies between two milliseconds.
func TestTheNewestInstantIsReadAgain(t *testing.T) {
	for _, at := range []time.Time{start, start.Add(time.Nanosecond), start.Add(1500 * time.Microsecond)} {
		s := openStore(t)
		importInto(t, s, sequence(text("page 1", at, a)), archive.Options{})
		done := importInto(t, s, sequence(text("page 1", at, a), text("page 2", at, b)), archive.Options{})
		if done.run.Captured() != 1 || done.Skipped != 1 || len(done.outcome.Warnings) != 0 || done.Refused != 0 || done.run.State != store.Complete {
			t.Errorf("%s: %+v", at, done)
		}
		done = importInto(t, s, sequence(text("page 1", at, a), text("later", at.Add(time.Hour), a)), archive.Options{})
		done = importInto(t, s, sequence(text("page 1", at, a), text("page 2", at, b)), archive.Options{})
		if done.run.Captured() != 0 || done.Skipped != 2 || done.Refused != 0 {
			t.Errorf("%s: %+v", at, done)
		}
	}
}

// TestWorkspacesHaveTheirOwnPast: what one has says nothing of another.
func TestWorkspacesHaveTheirOwnPast(t *testing.T) {
	s := openStore(t)
	fetchInto(t, s, start.Add(time.Hour), nil)
	other, err := s.Begin(t.Context(), "past", store.ScopeImport)
	if err != nil {
		t.Fatal(err)
	}
	_, result, err := archive.Import(t.Context(), other, sequence(text("f", start, a)), archive.Options{Now: clock}, nil)
	if err != nil || result.Items != 1 || result.Refused != 0 {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestAnErrorOfTheItemsKeepsWhatWasRead.
func TestAnErrorOfTheItemsKeepsWhatWasRead(t *testing.T) {
	s := openStore(t)
	writer := begin(t, s, store.ScopeImport)
	items := func(yield func(archive.Item, error) bool) {
		if yield(text("f", start, a), nil) {
			yield(archive.Item{}, errDisk)
		}
	}
	outcome, result, err := archive.Import(t.Context(), writer, items, archive.Options{Now: clock}, nil)
	if err != errDisk && err.Error() != errDisk.Error() || outcome.State != store.Failed || result.Items != 1 {
		t.Errorf("%v %+v %+v", err, outcome, result)
	}
	if got := stored(t, s); got != onlyA {
		t.Error(got)
	}
}

// TestSecretsAreWithheld: the value of a cookie, and the key, wherever they stand.
func TestSecretsAreWithheld(t *testing.T) {
	const token, cookie = "k3y-0123456789abcdef-CANARY", "c00kie-fedcba9876543210-CANARY"
	s := openStore(t)
	body := `{"data":[{"id":"` + idOf(0) + `","cookies":[{"name":"li_at","value":"` + cookie + `"}],"x":"` + token + `"}]}`
	later := strings.Replace(body, "li_at", "JSESSIONID", 1)
	o := byField
	o.Token = token
	done := importInto(t, s, sequence(text("f", start, body), text("g", start.Add(time.Hour), body), text("h", start.Add(2*time.Hour), later),
		text("i", start.Add(3*time.Hour), `{"id":"`+token+`"}`)), archive.Options{Token: token})
	importInto(t, s, sequence(text("j", start, `{"t":"`+token+`","data":[]}`), text("k", start, `{"t":"`+cookie+`","data":[]}`)), o)
	if got := stored(t, s); got != "a000 0 [withheld]\na000 3600 [withheld]\na000 7200 [withheld]\n" || done.run.Failed != 1 {
		t.Error(got, done.messages)
	}
	for _, secret := range []string{token, cookie, "CANARY"} {
		if holdsBytes(t, s, secret) {
			t.Errorf("%q is in the store", secret)
		}
	}
	if !holdsBytes(t, s, "[withheld]") {
		t.Error("the search finds nothing")
	}
}

// TestWhatShowsNobodyClosesNothing: what gave no snapshot is no reason to refuse
// older answers. What cannot be read is told each time.
func TestWhatShowsNobodyClosesNothing(t *testing.T) {
	s := openStore(t)
	locked := text("locked", hours(9), "")
	locked.Open = func() (io.ReadCloser, error) { return nil, errDisk }
	items := []archive.Item{text("empty", hours(6), "[]"), text("nothing", hours(7), ""), text("error", hours(8), "<html>"),
		text("refusal", hours(8), `{"detail":"Not found."}`), locked}
	failures := []string{"nothing: nothing in it", "error: neither an object nor a list begins here (at byte 0)", "refusal: the account has no id",
		"locked: the disk is full"}
	for range 2 {
		first := importInto(t, s, sequence(items...), archive.Options{})
		if diff := cmp.Diff(failures, first.messages); diff != "" || first.Failed != 3 || first.Skipped+first.Refused != 0 {
			t.Errorf("%s%+v", diff, first.Result)
		}
	}
	done := importInto(t, s, sequence(text("f", hours(4), a), text("log", hours(5), "[]\n[]\n"+b)), archive.Options{})
	if got := dump(t, s, "SELECT count(*) FROM response"); got != "2\n" || done.run.State != store.Complete {
		t.Errorf("%s responses, %+v", got, done)
	}
	dated := []archive.Item{text("log", start, `{"t":14000,"data":[]}`+withT(a, 18200))}
	importInto(t, s, sequence(dated...), byField)
	if again := importInto(t, s, sequence(dated...), byField); again.Skipped != 1 || again.Refused != 0 || again.run.State != store.Complete {
		t.Errorf("%+v", again)
	}
}
