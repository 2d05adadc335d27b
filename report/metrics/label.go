package metrics

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lobstrail/lobstrail/report/render"
	"github.com/lobstrail/lobstrail/store"
)

const (
	mostRunes = 100 // of a label that the API or a user chose
	mostTypes = 50  // that have series of their own: there are a few dozen in truth
)

// clean makes a text fit for a label: valid UTF-8, no control characters, not long.
func clean(text string) string {
	runes := []rune(render.Clean(text))
	return string(runes[:min(len(runes), mostRunes)])
}

// unique makes labels of texts that differ. Two series with the same labels would be an
// error of all metrics.
type unique map[string]bool

func (u unique) of(text string) string {
	label := clean(text)
	for n := 2; u[label]; n++ {
		label = fmt.Sprintf("%s (%d)", clean(text), n)
	}
	u[label] = true
	return label
}

// types are the account types that have series of their own.
type types map[string]bool

// countTypes chooses the types that most accounts have.
func countTypes(accounts []store.AccountState) types {
	counts := map[string]int{}
	for _, account := range accounts {
		counts[clean(account.Facts.Type)]++
	}
	names := slices.Collect(maps.Keys(counts))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	chosen := types{}
	for _, name := range names[:min(len(names), mostTypes)] {
		chosen[name] = true
	}
	return chosen
}

// label is the label of a type.
func (t types) label(name string) string {
	switch name = clean(name); {
	case name == "":
		return "none"
	case !t[name]:
		return "other"
	}
	return name
}
