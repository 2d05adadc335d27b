package render

import (
	"fmt"
	"slices"
	"strings"
)

// Format names a way to write an answer.
type Format string

// The formats.
const (
	Table    Format = "table"    // for people: aligned columns
	JSON     Format = "json"     // a list of objects, or one object
	NDJSON   Format = "ndjson"   // one compact object a line
	CSV      Format = "csv"      // RFC 4180 with a header, lines end in LF
	Markdown Format = "markdown" // a table of GitHub flavored Markdown
)

// The formats of pictures, which hold no rows: this package does not write them.
const (
	HTML Format = "html" // one self-contained page
	SVG  Format = "svg"  // a timeline
)

// Slack is the format of a summary in Slack's mrkdwn, which this package does not write.
const Slack Format = "slack"

// Formats lists every format of rows, in the order of the documentation.
var Formats = []Format{Table, JSON, NDJSON, CSV, Markdown}

// ForPeople reports whether a format is meant to be read by people: such a
// format has titles and footers, and shows times in the zone of the reader.
func (f Format) ForPeople() bool { return f == Table || f == Markdown }

// Pictures reports whether a format is one of pictures.
func (f Format) Pictures() bool { return f == HTML || f == SVG }

// ParseFormat reads the name of a format, in any case. The error lists the
// choices.
func ParseFormat(s string) (Format, error) {
	format := Format(strings.ToLower(s))
	if slices.Contains(Formats, format) {
		return format, nil
	}
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = string(f)
	}
	return "", fmt.Errorf("unknown format %q: choose one of %s", s, strings.Join(names, ", "))
}

// Count writes a number with its noun: "1 account", "3 accounts".
func Count[N ~int | ~int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
