package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lobstrail/lobstrail/store"
)

// FuzzChoose: who is named in full is found, and what is found fits.
func FuzzChoose(f *testing.F) {
	f.Add("d3e97f2c:ada\nd3e9ffff:Ada Lovelace\n2372:bob", "d3e9")
	f.Add("a:\nb:\n", "")
	f.Add("0A:", "0a")
	f.Add("ABC:x\nABCD:y", "b")
	f.Add("ABC:x\nabd:ſ\nk:K", "s")
	f.Fuzz(func(t *testing.T, list, reference string) {
		if !utf8.ValidString(list) || !utf8.ValidString(reference) {
			t.Skip("a store has no such names")
		}
		var all []store.Name
		known := map[string]bool{}
		for line := range strings.SplitSeq(list, "\n") {
			id, name, _ := strings.Cut(line, ":")
			if id != "" && !known[strings.ToLower(id)] {
				known[strings.ToLower(id)] = true
				all = append(all, store.Name{ID: id, Name: name})
			}
		}
		for _, n := range all {
			if found, err := store.Choose(all, n.ID); err != nil || found != n {
				t.Errorf("%q finds %v, %v", n.ID, found, err)
			}
		}
		found, err := store.Choose(all, reference)
		switch failed := err.(type) {
		case nil:
			if !fits(found, reference) {
				t.Errorf("%q found %v", reference, found)
			}
		case *store.AmbiguousError:
			if len(failed.Candidates) < 2 || failed.Reference != reference {
				t.Errorf("%+v", failed)
			}
			for _, n := range failed.Candidates {
				if !fits(n, reference) {
					t.Errorf("%q could be %v", reference, n)
				}
			}
		default:
			for _, n := range all {
				if n.ID == reference || n.Name == reference || strings.Contains(n.Name, reference) {
					t.Errorf("%q did not find %v", reference, n)
				}
			}
		}
	})
}

func fits(n store.Name, reference string) bool {
	return n.ID == reference || strings.EqualFold(n.Name, reference) || strings.HasPrefix(strings.ToLower(n.ID), strings.ToLower(reference)) ||
		strings.Contains(strings.ToLower(n.Name), strings.ToLower(reference))
}
