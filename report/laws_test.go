package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lobstrail/lobstrail/store"
)

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func mustDiff(t failer, old, new store.State) []store.Change {
	t.Helper()
	changes, err := Diff(old, new)
	if err != nil {
		t.Fatalf("Diff: %v\n%s\n%s", err, old.List, new.List)
	}
	return changes
}

func TestLawsOfHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genNext(t, store.State{At: at})
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			next := genNext(t, s)
			checkStep(t, s, next)
			s = next
		}
	})
}

// checkStep holds the laws of two neighbouring states.
func checkStep(t failer, old, new store.State) {
	t.Helper()
	changes := mustDiff(t, old, new)
	if again := mustDiff(t, old, new); !slices.Equal(lines(changes), lines(again)) {
		t.Fatalf("two answers:\n%q\n%q", lines(changes), lines(again))
	}
	if self := mustDiff(t, new, new); len(self) > 0 {
		t.Fatalf("differs from itself: %q", lines(self))
	}
	if !slices.IsSortedFunc(changes, compareChanges) {
		t.Fatalf("not sorted: %q", lines(changes))
	}
	checkChanges(t, old, new, changes)
	checkApply(t, old, new, changes)
}

func checkChanges(t failer, old, new store.State, changes []store.Change) {
	t.Helper()
	before, _ := FactsOf(old)
	after, _ := FactsOf(new)
	seen := map[string]bool{}
	carried := before.Health == after.Health
	for _, c := range changes {
		if store.IsVolatile(c.Path) {
			t.Fatalf("names a volatile value: %s", line(c))
		}
		if key := string(c.Kind) + " " + c.Path; seen[key] {
			t.Fatalf("twice: %s", key)
		} else {
			seen[key] = true
		}
		if touchesHealth(c.Kind) {
			carried = true
			if c.HealthBefore != before.Health || c.HealthAfter != after.Health {
				t.Fatalf("wrong healths: %s", line(c))
			}
		}
	}
	counted := old.ResetsIn != nil && string(old.ResetsIn) != string(new.ResetsIn)
	if !carried && !counted {
		t.Fatalf("health went from %s to %s without a change that says so: %q", before.Health, after.Health, lines(changes))
	}
}

// checkApply holds that the changes make the new state of the old one.
func checkApply(t failer, old, new store.State, changes []store.Change) {
	t.Helper()
	merged, err := known(old)
	if err != nil {
		t.Fatalf("Merge: %v", err)
	}
	applied, err := applyChanges(merged, changes)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	known, err := known(new)
	if err != nil {
		t.Fatalf("Merge: %v", err)
	}
	now, own := documentOf(new, new.Latest), documentOf(old, new.Latest)
	got, want := decode(applied), decode(known)
	// What the document lacks has not changed.
	got = deepMerge(got, missing(decode(now), want))
	got = firstWords(got, own, decode(now))
	if diff := cmp.Diff(meaning(want, new.At), meaning(got, new.At)); diff != "" {
		t.Fatalf("%s\nold %s\nnew %s\nchanges %q", diff, merged, now, lines(changes))
	}
}

// documentOf is the latest document of a shape; nil for none.
func documentOf(s store.State, shape store.Source) json.RawMessage {
	switch shape {
	case store.Detail:
		return s.Detail
	case store.Import:
		return s.Reduced
	}
	return s.List
}

// missing is what of b a does not speak of at all.
func missing(a, b any) any {
	out := map[string]any{}
	x, ok := a.(map[string]any)
	y, also := b.(map[string]any)
	if !ok || !also {
		return out
	}
	for name, v := range y {
		if own, spoken := x[name]; !spoken {
			out[name] = v
		} else if below := missing(own, v).(map[string]any); len(below) > 0 {
			out[name] = below
		}
	}
	return out
}

// firstWords adds what an endpoint says for the first time: it was not known,
// and is no change. own is what it said before, nil if it never spoke.
func firstWords(got any, own json.RawMessage, now any) any {
	if own == nil {
		return deepMerge(got, now)
	}
	news := map[string]any{}
	for name, v := range now.(map[string]any) {
		if _, known := decode(own).(map[string]any)[name]; !known {
			news[name] = v
		}
	}
	return deepMerge(got, news)
}

func TestChangesInvert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := list(genDocument(t)), list(genDocument(t))
		there, back := mustDiff(t, a, b), mustDiff(t, b, a)
		var turned []store.Change
		for _, c := range there {
			c.Old, c.New = c.New, c.Old
			c.HealthBefore, c.HealthAfter = c.HealthAfter, c.HealthBefore
			c.Kind = inverse(c.Kind)
			turned = append(turned, c)
		}
		for i, c := range back {
			back[i].Kind = same(c.Kind)
		}
		if diff := cmp.Diff(sorted(turned), sorted(back)); diff != "" {
			t.Fatalf("%s\n%s\n%s", diff, a.List, b.List)
		}
	})
}

// inverse is the kind of the change back. A synchronisation is no more than a
// field there.
func inverse(k store.Kind) store.Kind {
	switch k {
	case store.LockBegan:
		return store.LockEnded
	case store.LockEnded:
		return store.LockBegan
	case store.SquidAssigned:
		return store.SquidUnassigned
	case store.SquidUnassigned:
		return store.SquidAssigned
	}
	return same(k)
}

func same(k store.Kind) store.Kind {
	if k == store.Synced {
		return store.FieldChanged
	}
	return k
}

// sorted are the lines of changes. A field that is missing unassigns no squid
// while a field that comes assigns them, so that squids are left out.
func sorted(changes []store.Change) []string {
	var all []string
	for _, c := range changes {
		if !strings.HasPrefix(c.Path, "/squids/") {
			all = append(all, line(c))
		}
	}
	slices.Sort(all)
	return all
}

// TestSpellingsMeanNothing rewrites a document: other order of members, squids
// and cookies, other volatile values.
func TestSpellingsMeanNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := genDocument(t)
		v := decode([]byte(doc)).(map[string]any)
		for _, name := range []string{"squids", "cookies"} {
			if entries, ok := v[name].([]any); ok && len(entries) > 0 {
				v[name] = rapid.Permutation(entries).Draw(t, name)
			}
		}
		v["resets_in"] = rapid.SampledFrom([]any{nil, 5, "x"}).Draw(t, "resets_in")
		if params, ok := v["params"].(map[string]any); ok {
			if user, ok := params["user"].(map[string]any); ok {
				if profiles, ok := user["profiles"].(map[string]any); ok {
					profiles["value"] = rapid.IntRange(0, 9).Draw(t, "value")
					delete(profiles, "timestamp")
				}
			}
		}
		again, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if changes := mustDiff(t, list(doc), list(string(again))); len(changes) > 0 {
			t.Fatalf("%q\n%s\n%s", lines(changes), doc, again)
		}
		if !meanTheSame(json.RawMessage(doc), again, at) {
			t.Fatal("not Equal")
		}
	})
}

func TestThereAndBackIsTwoChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := list(genDocument(t)), list(genDocument(t))
		if there, back := mustDiff(t, a, b), mustDiff(t, b, a); (len(there) == 0) != (len(back) == 0) {
			t.Fatalf("%q\n%q", lines(there), lines(back))
		}
	})
}

// FuzzDiff holds the laws on any two documents that can be read.
func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"status":"200","squids":[{"name":"A","hash_value":"a"}]}`), []byte(`{"status":401,"squids":[]}`), int64(0))
	f.Add([]byte(fields(`"params":{"user":{"p":{"max":1e99999999,"value":2}}}`)), []byte(fields(`"params":{"user":{"p":{"max":[1]}}}`)), int64(5))
	f.Add([]byte(fields(`"lock_time":1793538000`)), []byte(fields(`"lock_time":"2026-11-01T14:00:00Z"`)), int64(7200))
	f.Add([]byte(fields(`"x":[{"\ud800":1}],"cookies":[{"a":null}]`)), []byte(fields(`"x":[{}],"cookies":[-0,0.0]`)), int64(1))
	f.Fuzz(func(t *testing.T, a, b []byte, seconds int64) {
		old, new := list(string(a)), list(string(b))
		new.At = new.At.AddDate(0, 0, int(seconds%1000))
		changes, err := Diff(old, new)
		if err != nil {
			return
		}
		if self := mustDiff(t, new, new); len(self) > 0 {
			t.Fatalf("differs from itself: %q", lines(self))
		}
		for _, c := range changes {
			if store.IsVolatile(c.Path) || kindRank[c.Kind] == 0 {
				t.Fatalf("not of two neighbours: %s", line(c))
			}
		}
		merged, err := known(old)
		if err != nil {
			return // Diff reads no more of the older document than it needs
		}
		applied, err := applyChanges(merged, changes)
		if err != nil {
			t.Fatalf("Apply: %v", err)
		}
		left, err := Diff(store.State{At: new.At, List: applied}, new)
		if err != nil || len(left) > 0 {
			t.Fatalf("left after applying: %q %v\nchanges %q\napplied %s", lines(left), err, lines(changes), applied)
		}
	})
}
