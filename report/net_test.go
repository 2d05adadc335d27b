package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

// hour is the instant so many hours after the beginning of a history.
func hour(hours int) time.Time { return at.Add(time.Duration(hours) * time.Hour) }

// stepOf are changes that were noticed at once, in the hour before the one given.
func stepOf(hours int, changes ...store.Change) []store.AccountChange {
	var step []store.AccountChange
	for _, c := range changes {
		step = append(step, store.AccountChange{
			Change: c, Window: store.Window{After: hour(hours - 1), Before: hour(hours)}, Run: int64(10 + hours),
		})
	}
	return step
}

func field(path, old, new string) store.Change {
	return store.Change{Kind: store.FieldChanged, Path: path, Old: rawOrNil(old), New: rawOrNil(new)}
}

func rawOrNil(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

func TestNetSpansTheChangesOfTheSameValue(t *testing.T) {
	net, err := Net(store.Pair{
		Account: "a", Username: "ada", Before: store.Healthy, After: store.Expired,
		Steps: [][]store.AccountChange{
			stepOf(2, store.Change{Kind: store.StatusChanged, Path: "/status", Old: rawOrNil(`"200"`), New: rawOrNil(`"500"`)}, field("/fixed", "1", "2")),
			stepOf(4, field("/note", "[1]", "[1,2]")),
			stepOf(5, field("/fixed", "2", "1"), field("/note/1", "2", "3")),
			stepOf(7, store.Change{Kind: store.StatusChanged, Path: "/status", Old: rawOrNil(`"500"`), New: rawOrNil(`"401"`)}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range net {
		if c.Account != "a" || c.Username != "ada" {
			t.Errorf("a difference of %s %s", c.Account, c.Username)
		}
		got = append(got, fmt.Sprint(line(c.Change), " ", c.Window.After.Sub(at), " ", c.Window.Before.Sub(at), " ", c.Run))
	}
	want := []string{
		`status /status "200"->"401" [healthy>expired] 1h0m0s 7h0m0s 17`,
		`field /note [1]->[1,3] 3h0m0s 5h0m0s 15`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNetOfPresence(t *testing.T) {
	appeared, gone, returned := store.Change{Kind: store.Appeared}, store.Change{Kind: store.WentGone}, store.Change{Kind: store.Returned}
	for _, test := range []struct {
		name          string
		before, after store.Health
		steps         []store.Change
		want          []string
	}{
		{"first sight", "", store.Healthy, []store.Change{appeared}, []string{"appeared  -->- [>healthy]"}},
		{"first sight and more", "", store.Healthy, []store.Change{appeared, field("/x", "1", "2")}, []string{"appeared  -->- [>healthy]"}},
		{"seen and gone", "", store.Gone, []store.Change{appeared, gone}, []string{"gone  -->- [>gone]"}},
		{"gone", store.Expired, store.Gone, []store.Change{field("/x", "1", "2"), gone}, []string{"gone  -->- [expired>gone]"}},
		{"back", store.Gone, store.Healthy, []store.Change{returned, field("/x", "1", "2")}, []string{"returned  -->- [gone>healthy]"}},
		{"back and gone again", store.Gone, store.Gone, []store.Change{returned, gone}, nil},
	} {
		pair := store.Pair{Before: test.before, After: test.after}
		for i, c := range test.steps {
			pair.Steps = append(pair.Steps, stepOf(i, c))
		}
		net, err := Net(pair)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range net {
			got = append(got, line(c.Change))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestNetOfSchemas(t *testing.T) {
	schema := func(path, old, new string) store.Change {
		return store.Change{Kind: store.SchemaChanged, Path: path, Old: rawOrNil(old), New: rawOrNil(new)}
	}
	net, err := Net(store.Pair{Before: store.Healthy, After: store.Healthy, Steps: [][]store.AccountChange{
		stepOf(1, schema("/back", "1", ""), schema("/new", "", "1"), schema("/part/a", "", "1"), schema("/type", "1", `"x"`)),
		stepOf(2, schema("/back", "", "1"), schema("/new", "1", "[]"), schema("/part", `{"a":1,"b":2}`, ""), schema("/type", `"x"`, "[]")),
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range net {
		got = append(got, line(c.Change))
	}
	if diff := cmp.Diff([]string{"schema /new -->[]", `schema /part {"b":2}->-`, "schema /type 1->[]"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestNetOfAMemberThatASquidLost: its name is not known, for nothing was said of it.
func TestNetOfAMemberThatASquidLost(t *testing.T) {
	net, err := Net(store.Pair{Before: store.Healthy, After: store.Healthy, Steps: [][]store.AccountChange{
		stepOf(1, field("/squids/s1/extra", "1", "")), stepOf(2, field("/note", "1", "2")),
	}})
	if err != nil || len(net) != 2 || line(net[1].Change) != "field /squids/s1/extra 1->-" {
		t.Error(net, err)
	}
}

// TestNetOfATypeThatANullHid: it came back, and the value is another one.
func TestNetOfATypeThatANullHid(t *testing.T) {
	net, err := Net(store.Pair{Before: store.Healthy, After: store.Healthy, Steps: [][]store.AccountChange{
		stepOf(1, store.Change{Kind: store.SchemaChanged, Path: "/x", Old: rawOrNil("[]"), New: rawOrNil("1")}),
		stepOf(2, field("/x", "1", "null")), stepOf(3, field("/x", "null", "[1,2]")),
	}})
	if err != nil || len(net) != 1 || line(net[0].Change) != "field /x []->[1,2]" {
		t.Error(net, err)
	}
}

func TestNetOfOneThatWasGoneComparesWhatWasKnown(t *testing.T) {
	net, err := Net(store.Pair{
		Before: store.Healthy, After: store.Healthy, Old: list(fields(`"x":1`)), New: list(fields(`"x":2`)),
		Steps: [][]store.AccountChange{stepOf(1, store.Change{Kind: store.WentGone}), stepOf(2, store.Change{Kind: store.Returned})},
	})
	if err != nil || len(net) != 1 || line(net[0].Change) != "field /x 1->2" || !net[0].Window.Before.Equal(hour(2)) {
		t.Error(net, err)
	}
}

// TestNetIsTheDifferenceOfTheStates holds the net of the changes of a random history of
// one endpoint to the difference of its first and last state, which knows nothing of
// what was in between. Changes of schema, which a null in between hides, are left out.
func TestNetIsTheDifferenceOfTheStates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		next := func(s store.State, doc json.RawMessage) store.State {
			next, err := s.Next(s.At.Add(time.Hour), store.List, doc)
			if err != nil {
				t.Fatalf("Next: %v", err)
			}
			return next
		}
		first := next(store.State{At: at}, everyField(t, genDocument(t)))
		last, pair := first, store.Pair{}
		for i := range rapid.IntRange(2, 6).Draw(t, "steps") {
			then := next(last, everyField(t, genDocument(t)))
			changes := mustDiff(t, last, then)
			if last = then; len(changes) > 0 {
				pair.Steps = append(pair.Steps, stepOf(i+2, changes...))
			}
		}
		if len(pair.Steps) < 2 {
			return
		}
		before, _ := FactsOf(first)
		after, _ := FactsOf(last)
		pair.Before, pair.After = before.Health, after.Health
		net, err := Net(pair)
		if err != nil {
			t.Fatal(err)
		}
		got, want := []string{}, []string{}
		for _, c := range net {
			if !bySchema(c.Change) {
				got = append(got, netLine(c.Change))
			}
		}
		for _, c := range mustDiff(t, first, last) {
			if !bySchema(c) {
				want = append(want, netLine(c))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\nfirst %s\nlast %s", diff, first.List, last.List)
		}
	})
}

// bySchema reports whether a change is one of schema, or left to it when the two values
// follow one another.
func bySchema(c store.Change) bool {
	container := func(raw json.RawMessage) byte {
		if len(raw) > 0 && (raw[0] == '{' || raw[0] == '[') {
			return raw[0]
		}
		return 0
	}
	return c.Kind == store.SchemaChanged || c.Kind == store.FieldChanged && container(c.Old) != container(c.New)
}

// netLine is line with values in one spelling.
func netLine(c store.Change) string {
	if c.Old, c.New = spelling(c.Old), spelling(c.New); c.Kind == store.CookiesChanged {
		c.Old, c.New = nil, nil // a set, in the order of whichever document told of it
	}
	if c.Kind == store.LimitChanged { // a setting of null is none
		c.Old, c.New = noneOfNull(c.Old), noneOfNull(c.New)
	}
	return line(c)
}

func noneOfNull(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func spelling(raw json.RawMessage) json.RawMessage {
	n, err := parseNode(raw)
	if err != nil {
		return nil
	}
	if at, ok := parseInstant(n); ok {
		return json.RawMessage(at.UTC().Format(time.RFC3339Nano))
	}
	var key strings.Builder
	writeKey(&key, n)
	return json.RawMessage(key.String())
}

// everyField is the document with null for each field that it lacks: what a document
// lacks concludes nothing, and what is newly known is no change.
func everyField(t *rapid.T, doc string) json.RawMessage {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(doc), &fields); err != nil {
		t.Fatalf("%v", err)
	}
	for _, name := range append(sortedNames(pools), "squids", "cookies", "params") {
		if fields[name] == nil {
			fields[name] = null
		}
	}
	whole, _ := json.Marshal(fields) // of what was JSON
	return whole
}
