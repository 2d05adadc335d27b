package page

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"

	"github.com/lobstrail/lobstrail/report"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed bars.css
	barsText string // what a page and a picture of its own have in common
	//go:embed page.js
	scriptText string
)

// mostEvents bounds the list of changes: a page is for reading. What is left out
// is said.
const mostEvents = 400

// mostRuns bounds the list of runs that were not complete.
const mostRuns = 50

var pageTemplate = template.Must(template.New("page").Funcs(functions).Parse(pageText))

// view is what the template is given.
type view struct {
	report.Picture
	Policy string
	Style  template.CSS
	Script template.JS
	scale  scale
	shapes *shapes
}

// WriteHTML writes the picture as one page. Whatever sections its report lacks are
// left out.
func WriteHTML(out io.Writer, p report.Picture) error {
	v := view{
		Picture: p, Policy: policy(), Style: template.CSS(barsText + styleText), Script: template.JS(scriptText),
		scale: newScale(p.Report.Since.Time, p.Report.Until.Time), shapes: newShapes(p),
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	if err := pageTemplate.Execute(buffered, v); err != nil {
		return err
	}
	return buffered.Flush()
}

// policy allows the page its own style and script, and icons as data.
func policy() string {
	return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '" + digest(scriptText) +
		"'; base-uri 'none'; form-action 'none'"
}

// digest is how a policy names an inline script.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
