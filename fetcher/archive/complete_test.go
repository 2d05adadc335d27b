package archive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

var complete = archive.Options{Complete: true}

// listOf is a list of accounts, each with its x.
func listOf(x string, accounts ...int) string {
	var all []string
	for _, n := range accounts {
		all = append(all, object(n, x))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// absences are the accounts that lists lacked: from and to, in seconds after the
// start.
const absences = `SELECT substr(a.hash, 1, 4), (x.since - 1767592800000) / 1000.0, (x.ended - 1767592800000) / 1000.0
	FROM absence x JOIN account a ON a.ws = x.ws AND a.id = x.account ORDER BY x.since, a.id`

type completeCase struct {
	items    []archive.Item
	absences string
	failures []string
	accept   bool
}

func completeCases() map[string]completeCase {
	at := func(second int, body string) archive.Item {
		return text(fmt.Sprint("list ", second), start.Add(time.Duration(second)*time.Second), body)
	}
	const confirm = "if the accounts were really deleted, confirm it with AcceptGone"
	four := at(0, listOf("1", 0, 1, 2, 3))
	return map[string]completeCase{
		"one is lacking":      {items: []archive.Item{four, at(1, listOf("1", 0, 1, 2))}, absences: "a003 1 <nil>\n"},
		"and comes back":      {items: []archive.Item{four, at(1, listOf("1", 0, 1, 2)), at(2, listOf("2", 3, 0, 1, 2))}, absences: "a003 1 2\n"},
		"and goes again":      {items: []archive.Item{four, at(1, listOf("1", 0, 1, 2)), at(2, listOf("1", 3, 0, 1, 2)), at(3, listOf("1", 0, 1, 2))}, absences: "a003 1 2\na003 3 <nil>\n"},
		"it stays away":       {items: []archive.Item{four, at(1, listOf("1", 0, 1, 2)), at(2, listOf("1", 0, 1))}, absences: "a003 1 <nil>\na002 2 <nil>\n"},
		"tied lists":          {items: []archive.Item{four, at(1, listOf("1", 0, 1, 2, 3)), at(1, listOf("1", 0, 1, 2)), at(1, listOf("1", 0, 1, 3))}, absences: "a003 1.001 1.002\na002 1.002 <nil>\n"},
		"two of three":        {items: []archive.Item{at(0, listOf("1", 0, 1, 2)), at(1, listOf("1", 0))}, absences: "a001 1 <nil>\na002 1 <nil>\n"},
		"nobody was known":    {items: []archive.Item{at(0, "[]"), at(1, listOf("1", 0)), at(2, listOf("1", 0, 1))}},
		"a mass":              {items: []archive.Item{four, at(1, listOf("1", 0)), at(2, listOf("1", 0, 1, 2))}, absences: "a003 2 <nil>\n", failures: []string{"list 1: nothing is concluded from what this list lacks: 3 of the 4 accounts known here at once; " + confirm}},
		"a mass, confirmed":   {items: []archive.Item{four, at(1, listOf("1", 0))}, absences: "a001 1 <nil>\na002 1 <nil>\na003 1 <nil>\n", accept: true},
		"strangers":           {items: []archive.Item{at(0, listOf("1", 0)), at(1, listOf("1", 5))}, failures: []string{"list 1: nothing is concluded from what this list lacks: it shows none of the 1 accounts known here; is it of another workspace? " + confirm}},
		"nobody":              {items: []archive.Item{at(0, listOf("1", 0)), at(1, "[]")}, failures: []string{"list 1: nothing is concluded from a list of nobody: " + confirm}},
		"nobody, confirmed":   {items: []archive.Item{at(0, listOf("1", 0)), at(1, "[]"), at(2, listOf("1", 0))}, absences: "a000 1 2\n", accept: true},
		"one that breaks off": {items: []archive.Item{four, at(1, "["+object(0, "1")+","), at(2, listOf("1", 0, 1, 2))}, absences: "a003 2 <nil>\n", failures: []string{"list 1: nothing is concluded from what this list lacks: it could not be read to its end", "list 1: it breaks off (at byte 49)"}},
		"one with a failure":  {items: []archive.Item{four, at(1, "["+object(0, "1")+",7]"), at(2, listOf("1", 0, 1, 2))}, absences: "a003 2 <nil>\n", failures: []string{"list 1: nothing is concluded from what this list lacks: it shows something that is no account", "list 1: the account is no JSON object"}},
		"one not understood":  {items: []archive.Item{four, at(1, `[{"id":"`+idOf(0)+`","squids":7}]`), at(2, listOf("1", 0, 1, 2))}, absences: "a003 2 <nil>\n", failures: []string{"list 1: squids: not a list"}},
		"one twice":           {items: []archive.Item{four, at(1, "["+object(0, "1")+","+object(1, "1")+","+object(0, "2")+"]")}, failures: []string{"list 1: nothing is concluded from what this list lacks: it shows an account twice, with different objects"}},
	}
}

// TestCompleteLists: what a complete list lacks is unlisted until a list has it
// again, unless the list is rather an error. Another time there is nothing to do.
func TestCompleteLists(t *testing.T) {
	for name, test := range completeCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, o := openStore(t), complete
			o.AcceptGone = test.accept
			done := importInto(t, s, sequence(test.items...), o)
			slices.Sort(done.messages)
			slices.Sort(test.failures)
			if diff := cmp.Diff(test.failures, done.messages) + cmp.Diff(test.absences, dump(t, s, absences)); diff != "" {
				t.Error(diff)
			}
			if done.Unlisted != strings.Count(test.absences, "\n") {
				t.Errorf("%+v", done.Result)
			}
			checkStore(t, s)
			again := importInto(t, s, sequence(test.items...), o)
			if diff := cmp.Diff(test.absences, dump(t, s, absences)); diff != "" || again.run.Captured() != 0 || again.Refused != 0 {
				t.Errorf("again: %s%+v", diff, again)
			}
			for _, message := range again.messages {
				if !slices.Contains(test.failures, message) {
					t.Errorf("again: %s", message)
				}
			}
			if err := s.Rederive(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			checkStore(t, s)
		})
	}
}

// TestAShorterListOfTheSameInstant is another list, though each of its accounts is on
// record.
func TestAShorterListOfTheSameInstant(t *testing.T) {
	s := openStore(t)
	long, short := text("long", start, listOf("1", 0, 1, 2, 3)), text("short", start, listOf("1", 0, 1, 2))
	importInto(t, s, sequence(long), complete)
	for range 2 {
		importInto(t, s, sequence(long, short), complete)
		if got := dump(t, s, absences); got != "a003 0.001 <nil>\n" {
			t.Error(got)
		}
	}
}

// spoiling is a run whose store does not understand an object that we do.
type spoiling struct{ store.RunWriter }

func (r *spoiling) AppendAll(ctx context.Context, responses []store.Response) (store.Appended, error) {
	for seen := range slices.Values(responses[0].Accounts) {
		if strings.Contains(string(seen.Raw), "spoil") {
			responses[0].Accounts[0].Raw, responses[0].Accounts[0].Digest = []byte(`{"id":"`+seen.ID+`","x":1,"x":1}`), nil
		}
	}
	return r.RunWriter.AppendAll(ctx, responses)
}

// TestNothingFollowsFromAListThatTheStoreDoesNotUnderstand.
func TestNothingFollowsFromAListThatTheStoreDoesNotUnderstand(t *testing.T) {
	s := openStore(t)
	writer := begin(t, s, store.ScopeImport)
	items := sequence(text("one", start, listOf("1", 0, 1, 2, 3)), text("two", start.Add(time.Second), "["+object(0, `"spoil"`)+","+listOf("1", 1, 2)[1:]),
		text("three", start.Add(2*time.Second), listOf("1", 0, 1, 2)))
	outcome, result, err := archive.Import(t.Context(), &spoiling{writer}, items, archive.Options{Now: clock, Complete: true}, nil)
	if got := dump(t, s, absences); err != nil || outcome.State != store.Incomplete || result.Unlisted != 1 || got != "a003 2 <nil>\n" {
		t.Errorf("%v %+v %+v %s", err, outcome, result, got)
	}
	if err := writer.Finish(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
	checkStore(t, s)
}

// TestAMassIsConfirmedLater, when the list is still the newest.
func TestAMassIsConfirmedLater(t *testing.T) {
	s := openStore(t)
	items := sequence(text("one", start, listOf("1", 0, 1, 2, 3)), text("two", start.Add(time.Second), listOf("1", 0)))
	for range 2 {
		if done := importInto(t, s, items, complete); len(done.messages) != 1 || done.Unlisted != 0 {
			t.Errorf("%+v", done)
		}
	}
	confirmed := complete
	confirmed.AcceptGone = true
	if done := importInto(t, s, items, confirmed); done.messages != nil || done.Unlisted != 3 || done.Skipped != 2 {
		t.Errorf("%+v", done)
	}
	checkStore(t, s)
}

// dying stores so many answers, and then fails, before or after the last is stored.
type dying struct {
	store.RunWriter
	left  int
	after bool
}

func (d *dying) AppendAll(ctx context.Context, responses []store.Response) (done store.Appended, err error) {
	if d.left--; d.left < 0 && !d.after {
		return done, errDisk
	}
	if done, err = d.RunWriter.AppendAll(ctx, responses); err == nil && d.left < 0 {
		err = errDisk
	}
	return done, err
}

// randomLists are complete lists, and the absences that follow from them.
func randomLists(rng *rand.Rand) (items []archive.Item, want []string) {
	at, known, away := start, map[int]bool{}, map[int]string{}
	for n := range 25 {
		shown := []int{0, 1, 2, 3}
		for account := range 5 {
			if rng.IntN(3) > 0 {
				shown = append(shown, 4+account)
			}
		}
		var objects []string
		for _, account := range shown {
			objects = append(objects, object(account, fmt.Sprint(rng.IntN(2))))
		}
		at = at.Add(time.Duration(1+rng.IntN(9)) * time.Second)
		items = append(items, text(fmt.Sprint("list ", n), at, "["+strings.Join(objects, ",")+"]"))
		now := at.Sub(start).Seconds()
		for account := range 9 {
			switch shows := slices.Contains(shown, account); {
			case shows && away[account] != "":
				want = append(want, fmt.Sprintf("%s %g\n", away[account], now))
				delete(away, account)
			case !shows && known[account] && away[account] == "":
				away[account] = fmt.Sprintf("%s %g", idOf(account)[:4], now)
			case shows:
				known[account] = true
			}
		}
	}
	for _, open := range away {
		want = append(want, open+" <nil>\n")
	}
	return items, want
}

// TestRandomCompleteLists: the absences are those of the lists, however often the
// import died; and they stay so when they are derived again, and when the store is
// pruned.
func TestRandomCompleteLists(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(20) {
		rng := rand.New(rand.NewPCG(seed, 0xc0))
		items, want := randomLists(rng)
		s := openStore(t)
		for range 6 {
			writer := begin(t, s, store.ScopeImport)
			rec := &dying{writer, rng.IntN(8), rng.IntN(2) == 0}
			_, _, err := archive.Import(t.Context(), rec, sequence(items...), archive.Options{Now: clock, Complete: true}, nil)
			if finished := writer.Finish(t.Context(), store.Outcome{State: store.Interrupted}); finished != nil || err != nil && !errors.Is(err, errDisk) {
				t.Fatal(err, finished)
			}
		}
		done := importInto(t, s, sequence(items...), complete)
		check := func(when string) {
			t.Helper()
			got := slices.Collect(strings.Lines(dump(t, s, absences)))
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" || done.run.State != store.Complete {
				t.Fatalf("seed %d (go test -seed %d), %s: %s%+v", seed, seed, when, diff, done)
			}
			checkStore(t, s)
		}
		check("imported")
		if err := s.Rederive(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		check("derived again")
		if _, err := s.Prune(t.Context(), "default", store.Keep{Daily: 1}, nil); err != nil {
			t.Fatal(err)
		}
		check("pruned")
	}
}
