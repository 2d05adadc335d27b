package render

import (
	"bufio"
	"io"
	"strings"
)

// Pair is one property of a single object. Without a title it is left out for
// people, without a key it is left out of CSV.
type Pair struct {
	Title string
	Key   string
	Value Cell
}

// Object writes a single object: the value in JSON (indented) and NDJSON (one
// line), the pairs in all other formats. A table is a line for each pair, long
// values wrapped; CSV and Markdown have two columns.
func Object(out io.Writer, options Options, value any, pairs ...Pair) error {
	options, err := options.checked()
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	if err := writeObject(buffered, options, value, pairs); err != nil {
		return err
	}
	return buffered.Flush()
}

func writeObject(out *bufio.Writer, options Options, value any, pairs []Pair) error {
	switch options.Format {
	case JSON:
		return writeIndented(out, value)
	case NDJSON:
		return (&ndjsonRows{out: out}).row(value, nil)
	case CSV, Markdown:
		return writePairRows(out, options, pairs)
	}
	writePairs(out, options, pairs)
	return nil // the error of a bufio.Writer stays, and Flush returns it
}

// writePairRows writes pairs as rows of two columns.
func writePairRows(out *bufio.Writer, options Options, pairs []Pair) error {
	w := newWriter(out, options, []Column{{Title: "Field", Key: "key"}, {Title: "Value", Key: "value"}})
	for _, pair := range pairs {
		name := pair.Key
		if options.Format.ForPeople() {
			name = pair.Title
		}
		if name == "" {
			continue
		}
		if err := w.Row(nil, TextCell(name), pair.Value); err != nil {
			return err
		}
	}
	return w.Close("")
}

// writePairs writes pairs as aligned lines.
func writePairs(out *bufio.Writer, options Options, pairs []Pair) {
	names := 0
	for _, pair := range pairs {
		names = max(names, displayWidth(Clean(pair.Title)))
	}
	names = options.titleWidth(names)
	for _, pair := range pairs {
		if pair.Title != "" {
			writePair(out, options, names, pair)
		}
	}
}

// titleWidth is how wide titles may be that stand beside their values.
func (o Options) titleWidth(widest int) int {
	if o.Width == 0 {
		return widest
	}
	return min(widest, o.Width/2-gap)
}

// writePair writes a name in so many columns, and its value beside it.
func writePair(out *bufio.Writer, options Options, names int, pair Pair) {
	f := field{text: Clean(pair.Value.forPeople(options.Zone)), code: options.colorOf(pair.Value.health)}
	writeTitled(out, options, names, pair.Title, f)
}

// writeTitled writes a title in so many columns, and a text beside it, wrapped.
func writeTitled(out *bufio.Writer, options Options, names int, title string, f field) {
	title, room := Clean(title), 0
	if options.Width > 0 {
		title, room = truncate(title, names), options.Width-names-gap
	}
	indent := strings.Repeat(" ", names+gap-displayWidth(title))
	out.WriteString(paint(title, options.bold()))
	if f.strip != nil {
		out.WriteString(indent + options.painted(clip(f, room)) + "\n")
		return
	}
	for i, line := range wrap(f.text, room) {
		if line != "" {
			out.WriteString(indent + paint(line, f.code))
		}
		if i == 0 || line != "" {
			out.WriteByte('\n')
		}
		indent = strings.Repeat(" ", names+gap)
	}
}
