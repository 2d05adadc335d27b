package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lobstrail/lobstrail/fetcher/archive"
	"github.com/lobstrail/lobstrail/store"
)

// inOrder are the snapshots by instant, in milliseconds after the start.
const inOrder = `SELECT substr(a.hash, 1, 4), r.at - 1767592800000, r.at - r.held_ms - 1767592800000, (
		SELECT f.value FROM fact f JOIN name n ON n.id = f.name
		WHERE f.account = a.id AND n.top = 'x' AND f.at <= r.at ORDER BY f.at DESC LIMIT 1
	)
	FROM response r
	JOIN shown s ON s.source = r.source AND s.slot = r.slot AND r.at BETWEEN s.first AND s.last
	JOIN account a ON a.id = s.account ORDER BY r.at, a.hash`

// tieCase is what is imported, run by run, at the start unless told otherwise, and
// what is stored of it: account, when it is stored, the instant it tells, object.
type tieCase struct {
	runs    [][]archive.Item
	kept    string
	skipped []int // in each run
	refused string
	warned  bool
}

func tieCases() map[string]tieCase {
	x, y, z := object(0, "1"), object(0, "2"), object(0, "3")
	at := func(texts ...string) (items []archive.Item) {
		for i, body := range texts {
			items = append(items, text(fmt.Sprint("item ", i), start, body))
		}
		return items
	}
	late := text("late", hours(1), object(5, "1"))
	return map[string]tieCase{
		"two answers of one instant": {runs: [][]archive.Item{at(x, y), at(x, y)},
			kept: "a000 0 0 1\na000 1 0 2\n", skipped: []int{0, 2}, warned: true},
		"and back": {runs: [][]archive.Item{at(x, y, x), at(x, y, x)},
			kept: "a000 0 0 1\na000 1 0 2\na000 2 0 1\n", skipped: []int{0, 3}, warned: true},
		"the same twice": {runs: [][]archive.Item{at(x, x, y, y), at(x, x, y, y)},
			kept: "a000 0 0 1\na000 1 0 2\n", skipped: []int{2, 4}, warned: true},
		"pages of one answer": {runs: [][]archive.Item{at(x, b), at(x, b), at(b, x)},
			kept: "a000 0 0 1\na001 1 0 2\n", skipped: []int{0, 2, 2}},
		"a whole answer is stored later": {runs: [][]archive.Item{at("["+x+","+b+"]", "["+b+","+y+"]")},
			kept: "a000 0 0 1\na001 0 0 2\na000 1 0 2\na001 1 0 2\n", skipped: []int{0}, warned: true},
		"two imports": {runs: [][]archive.Item{at(x), at(y), at(x), at(y), at(x, y)},
			kept: "a000 0 0 1\na000 1 0 2\n", skipped: []int{0, 0, 1, 1, 2}, warned: true},
		"going on within a tie": {runs: [][]archive.Item{at(x), at(x, y), at(x, y, x), at(x, y, x, z), append(at(x, y, x, z), late)},
			kept: "a000 0 0 1\na000 1 0 2\na000 2 0 1\na000 3 0 3\na005 3600000 3600000 1\n", skipped: []int{0, 1, 2, 3, 4}, warned: true},
		"spelled otherwise": {runs: [][]archive.Item{at(x), at(strings.Replace(x, ":", " : ", 1))}, kept: "a000 0 0 1\n", skipped: []int{0, 1}},
		"the next millisecond too": {runs: [][]archive.Item{append(at(x, y), text("next", start.Add(time.Millisecond), z)),
			append(at(x, y), text("next", start.Add(time.Millisecond), z))},
			kept: "a000 0 0 1\na000 1 0 2\na000 2 1 3\n", skipped: []int{0, 3}, warned: true},
		"another one, too late": {runs: [][]archive.Item{append(at(x), late), append(at(y), late), append(at(y), late), append(at(x), late)},
			kept: "a000 0 0 1\na005 3600000 3600000 1\n", skipped: []int{0, 1, 1, 2}, refused: "item 0 of 2026-01-05T06:00:00Z"},
		"another order, too late": {runs: [][]archive.Item{append(at(x, y), late), append(at(y, x), late)},
			kept: "a000 0 0 1\na000 1 0 2\na005 3600000 3600000 1\n", skipped: []int{0, 3}, warned: true},
		"what lies between was left out": {runs: [][]archive.Item{
			{text("one", start, x), text("two", hours(1), y), text("item", hours(2), y), text("end", hours(3), y)},
			{text("one", start, x), text("item", hours(2), x), text("end", hours(3), y)}},
			kept:    "a000 0 0 1\na000 3600000 3600000 2\na000 7200000 7200000 2\na000 10800000 10800000 2\n",
			skipped: []int{0, 2}, refused: "item of 2026-01-05T08:00:00Z"},
		"an older one between": {runs: [][]archive.Item{{late, text("old", start, x), text("late", hours(1), object(5, "2"))}},
			kept: "a005 3600000 3600000 1\na005 3600001 3600000 2\n", skipped: []int{0}, warned: true, refused: "old"},
		"another page, too late": {runs: [][]archive.Item{append(at(x), late), append(at(x, b), late)},
			kept: "a000 0 0 1\na005 3600000 3600000 1\n", skipped: []int{0, 2}, refused: "item 1 of 2026-01-05T06:00:00Z"},
	}
}

// TestTies: answers of one instant are stored in their order, or refused each time.
func TestTies(t *testing.T) {
	for name, test := range tieCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t)
			warned := false
			for i, items := range test.runs {
				done := importInto(t, s, sequence(items...), archive.Options{})
				if done.Skipped != test.skipped[i] {
					t.Errorf("run %d: %d skipped, want %d", i, done.Skipped, test.skipped[i])
				}
				for _, message := range done.messages {
					if test.refused == "" || !strings.Contains(message, "("+test.refused+")") && !strings.Contains(message, "(the first: "+test.refused+" ") {
						t.Errorf("run %d: %s", i, message)
					}
				}
				if complete := done.run.State == store.Complete; complete != (done.Refused == 0) || complete != (done.messages == nil) {
					t.Errorf("run %d: %+v", i, done)
				}
				warned = warned || len(done.outcome.Warnings) > 0
			}
			if diff := cmp.Diff(test.kept, dump(t, s, inOrder)); diff != "" {
				t.Error(diff)
			}
			if warned != test.warned {
				t.Errorf("warned: %v", warned)
			}
			checkStore(t, s)
		})
	}
}

// checkStore verifies the whole store.
func checkStore(t testing.TB, s store.Store) {
	t.Helper()
	_, err := s.Verify(t.Context(), store.VerifyOptions{}, func(f store.Finding) { t.Errorf("verify: %+v", f) })
	if err != nil {
		t.Error(err)
	}
}

// TestDaysAsInstants: a field that tells days ties the answers of a day.
func TestDaysAsInstants(t *testing.T) {
	o := archive.Options{Field: "day", ParseTime: func(text string) (time.Time, error) { return time.Parse(time.DateOnly, text) }}
	var log strings.Builder
	for i, day := range []string{"2026-01-06", "2026-01-06", "2026-01-06", "2026-01-07", "2026-01-07"} {
		fmt.Fprintf(&log, `{"day":%q,"data":[{"id":%q,"x":%d}]}`+"\n", day, idOf(0), i)
	}
	s := openStore(t)
	for run := range 2 {
		done := importInto(t, s, sequence(text("log", start, log.String())), o)
		if done.run.State != store.Complete || done.Skipped != 5*run {
			t.Errorf("%+v", done)
		}
	}
	const day = 24 * 3600 * 1000
	want := ""
	for i, at := range [][2]int{{18 * 3600000, 0}, {18*3600000 + 1, 1}, {18*3600000 + 2, 2}, {18*3600000 + day, 0}, {18*3600000 + day + 1, 1}} {
		want += fmt.Sprintln("a000", at[0], at[0]-at[1], i)
	}
	if diff := cmp.Diff(want, dump(t, s, inOrder)); diff != "" {
		t.Error(diff)
	}
}

// randomTies are answers of few instants, of few accounts in few states.
func randomTies(rng *rand.Rand) (items []archive.Item) {
	at := start
	for i := range 12 {
		at = at.Add(time.Duration(rng.IntN(3)/2) * time.Duration(1+rng.IntN(2)*999) * time.Millisecond)
		var objects []string
		for account := range 3 {
			if rng.IntN(3) > 0 {
				objects = append(objects, object(account, fmt.Sprint(rng.IntN(2))))
			}
		}
		items = append(items, text(fmt.Sprint("item ", i), at, "["+strings.Join(objects, ",")+"]"))
	}
	return items
}

// cut stores so many responses, and then fails.
type cut struct {
	store.RunWriter
	left int
}

func (c *cut) AppendAll(ctx context.Context, responses []store.Response) (done store.Appended, err error) {
	if c.left < len(responses) {
		for _, r := range responses[:c.left] {
			if _, err := c.RunWriter.Append(ctx, r); err != nil {
				return done, err
			}
		}
		return done, errDisk
	}
	c.left -= len(responses)
	return c.RunWriter.AppendAll(ctx, responses)
}

// TestRandomTiesGoOn: an import that dies anywhere among tied answers goes on, and
// in the end it is as if it had not died; another time there is nothing to do.
func TestRandomTiesGoOn(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(40) {
		rng := rand.New(rand.NewPCG(seed, 0x7e))
		items := randomTies(rng)
		steady, disturbed := openStore(t), openStore(t)
		importInto(t, steady, sequence(items...), archive.Options{})
		for range 4 {
			writer := begin(t, disturbed, store.ScopeImport)
			_, _, err := archive.Import(t.Context(), &cut{writer, rng.IntN(5)}, sequence(items...), archive.Options{Now: clock}, nil)
			if err := writer.Finish(t.Context(), store.Outcome{State: store.Interrupted}); err != nil {
				t.Fatal(err)
			}
			if err != nil && !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
		}
		done := importInto(t, disturbed, sequence(items...), archive.Options{})
		if !sameHistory(t, steady, disturbed) || done.run.State != store.Complete {
			t.Fatalf("seed %d (go test -seed %d): %+v", seed, seed, done)
		}
		again := importInto(t, disturbed, sequence(items...), archive.Options{})
		if again.run.Captured() != 0 || again.run.State != store.Complete || again.Refused != 0 {
			t.Fatalf("seed %d: again: %+v", seed, again)
		}
		checkStore(t, disturbed)
		want, got := truth(items), lastStates(t, disturbed)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// truth is what the answers say of each account, one after the other, but for
// what an account's answer before said too.
func truth(items []archive.Item) map[string][]string {
	said := map[string][]string{}
	for _, item := range items {
		in, _ := item.Open()
		body, _ := io.ReadAll(in)
		for account := range 3 {
			for _, x := range []string{"0", "1"} {
				all := said[idOf(account)]
				if strings.Contains(string(body), object(account, x)) && (len(all) == 0 || all[len(all)-1] != x) {
					said[idOf(account)] = append(all, x)
				}
			}
		}
	}
	return said
}

func lastStates(t testing.TB, s store.Store) map[string][]string {
	t.Helper()
	said := map[string][]string{}
	for line := range strings.Lines(dump(t, s, `SELECT account, json_extract(document, '$.x') FROM account_versions ORDER BY account, version`)) {
		fields := strings.Fields(line)
		said[fields[0]] = append(said[fields[0]], fields[1])
	}
	return said
}

// TestPartsOfAPast: whatever part of a past is imported again, it is there already;
// an answer that was changed is refused; and so it stays when the store was pruned
// and an account redacted, of which it cannot tell any longer.
func TestPartsOfAPast(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(8) {
		p := newPast(2000+seed, time.Millisecond)
		s := openStore(t)
		var items []archive.Item
		var shown [][]json.RawMessage
		for i, at := range p.looks {
			objects := p.shown(at)
			if len(objects) > 0 {
				items = append(items, text(fmt.Sprint("look ", i), at, string(p.page(objects))))
				shown = append(shown, objects)
			}
		}
		importInto(t, s, sequence(items...), archive.Options{})
		parts := func() (part []archive.Item) {
			for _, item := range items {
				if p.IntN(3) > 0 {
					part = append(part, item)
				}
			}
			return part
		}
		for range 3 {
			part := parts()
			if done := importInto(t, s, sequence(part...), archive.Options{}); done.Skipped != len(part) || done.run.State != store.Complete {
				t.Fatalf("seed %d: %d of %+v", seed, len(part), done)
			}
		}
		n := p.IntN(len(items) - 1)
		object := shown[n][p.IntN(len(shown[n]))]
		changed := text("changed", items[n].At, strings.TrimSuffix(string(object), "}")+`,"new":1}`)
		if done := importInto(t, s, sequence(changed), archive.Options{}); done.Refused != 1 || done.run.Captured() != 0 {
			t.Fatalf("seed %d: %+v", seed, done)
		}
		if _, err := s.Redact(t.Context(), "default", idIn(t, shown[0][0])); err != nil {
			t.Fatal(err)
		}
		if done := importInto(t, s, sequence(items...), complete); done.Skipped != len(items) || done.run.State != store.Complete {
			t.Fatalf("seed %d: redacted: %+v", seed, done)
		}
		if _, err := s.Prune(t.Context(), "default", store.Keep{Daily: 1}, nil); err != nil {
			t.Fatal(err)
		}
		part := parts()
		if done := importInto(t, s, sequence(part...), archive.Options{}); done.Skipped != len(part) || done.run.State != store.Complete {
			t.Fatalf("seed %d: pruned: %d of %+v", seed, len(part), done)
		}
	}
}

func idIn(t testing.TB, object json.RawMessage) string {
	t.Helper()
	var account struct{ ID string }
	if err := json.Unmarshal(object, &account); err != nil {
		t.Fatal(err)
	}
	return account.ID
}
