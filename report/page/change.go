package page

import (
	"slices"
	"strings"

	"github.com/lobstrail/lobstrail/report"
	"github.com/lobstrail/lobstrail/store"
)

// kindsOf are the kinds of changes of an event, once each.
func kindsOf(e report.Event) string {
	var kinds []string
	for _, c := range e.Changes {
		if !slices.Contains(kinds, string(c.Kind)) {
			kinds = append(kinds, string(c.Kind))
		}
	}
	return strings.Join(kinds, " ")
}

// changeLabel names what changed: the field where that says more than the kind.
func changeLabel(c report.ChangeJSON) string {
	path := strings.TrimPrefix(c.Path, "/")
	switch c.Kind {
	case store.StatusChanged: // "status", "info" and "description"
		return clip(strings.TrimPrefix(path, "status_code_"), nameWidth)
	case store.FieldChanged:
		return clip(path, nameWidth)
	case store.LimitChanged: // "searches max" rather than "params/user/searches/max"
		return "limit " + clip(strings.ReplaceAll(strings.TrimPrefix(path, "params/user/"), "/", " "), nameWidth)
	case store.SchemaChanged:
		return "schema " + clip(path, nameWidth)
	}
	return clip(strings.ReplaceAll(string(c.Kind), "_", " "), nameWidth)
}

// changeText says what became of it.
func changeText(c report.ChangeJSON) string {
	switch c.Kind {
	case store.Appeared:
		return healthText(c.HealthAfter)
	case store.WentGone, store.Returned:
		return "was " + healthText(c.HealthBefore) + ", is " + healthText(c.HealthAfter)
	case store.SquidAssigned:
		return valueText(c.New)
	case store.SquidUnassigned:
		return valueText(c.Old)
	}
	return valueText(c.Old) + " → " + valueText(c.New)
}

func healthText(h *report.Text) string {
	if h == nil || *h == "" {
		return "–"
	}
	return clip(string(*h), nameWidth)
}
