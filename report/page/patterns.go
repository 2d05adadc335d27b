package page

import (
	"html/template"
	"strings"

	"github.com/lobstrail/lobstrail/store"
)

// patterns are the textures of bars: of healths, so that they can be told apart
// without colours, and the hatching of what is not certain.
func patterns() template.HTML {
	const (
		grid    = `<pattern id="pf" width="4" height="4" patternUnits="userSpaceOnUse"><path class="pf" d="M0 0h4v4H0z"/><path class="pb" d="M0 1h4M1 2.5v2"/></pattern>`
		dots    = `<pattern id="pu" width="4" height="4" patternUnits="userSpaceOnUse"><path class="pu" d="M1 1h2v2H1z"/></pattern>`
		hatches = `<pattern id="pw*" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="pw*" d="M1 0v5"/></pattern>`
	)
	var b strings.Builder
	b.WriteString(grid + dots)
	for _, h := range store.Healths[:len(store.Healths)-1] {
		b.WriteString(strings.ReplaceAll(hatches, "*", letterOf(h)))
	}
	b.WriteString(strings.ReplaceAll(hatches, "*", "a")) // of assignments
	return template.HTML(b.String())
}
