package render

import (
	"bufio"
	"strings"
)

// Rows are kept until so many, or so many bytes of them, have come; they decide
// the widths of the columns. Later rows are cut (on a terminal) or stand out.
const (
	sampleRows  = 1000
	sampleBytes = 4 << 20
)

// tableRows writes the columns that have a title: two spaces between columns,
// titles in capitals, no lines, no space at the end of a line.
type tableRows struct {
	out     *bufio.Writer
	options Options
	columns []Column // those with a title
	at      []int    // their indexes in a row
	sample  [][]field
	bytes   int
	widths  []int   // nil as long as rows are kept
	fields  []field // of one row after the other
}

// field is a clean text ready to be put in its column.
type field struct {
	text  string
	width int
	code  string // colour, "" for none
	strip []Mark // of which the text is made; nil for any other text
}

func newTableRows(out *bufio.Writer, options Options, columns []Column) *tableRows {
	t := &tableRows{out: out, options: options, at: titled(columns)}
	for _, i := range t.at {
		t.columns = append(t.columns, columns[i])
	}
	t.fields = make([]field, len(t.at))
	return t
}

func (t *tableRows) row(_ any, cells []Cell) error {
	fields := t.fields
	if t.widths == nil { // they are kept
		fields = make([]field, len(t.at))
	}
	for i, at := range t.at {
		if strip := cells[at].strip; strip != nil {
			fields[i] = t.strip(strip)
			continue
		}
		fields[i] = t.field(cells[at].forPeople(t.options.Zone), t.options.colorOf(cells[at].health))
	}
	if t.widths != nil {
		return t.line(fields)
	}
	t.sample = append(t.sample, fields)
	for _, f := range fields {
		t.bytes += len(f.text)
	}
	if len(t.sample) < sampleRows && t.bytes < sampleBytes {
		return nil
	}
	return t.decide()
}

// field cuts a text to what a line can hold, so that what is kept is bounded.
func (t *tableRows) field(text, code string) field {
	text = Clean(text)
	if t.options.Width > 0 {
		text = truncate(text, t.options.Width)
	}
	return field{text: text, width: displayWidth(text), code: code}
}

// decide settles the widths and writes the titles and the rows kept.
func (t *tableRows) decide() error {
	titles := t.titles()
	natural := make([]int, len(titles))
	for _, fields := range append(t.sample, titles) {
		for i, f := range fields {
			natural[i] = max(natural[i], f.width)
		}
	}
	t.widths = fit(natural, t.columns, t.options.Width)
	err := t.line(titles)
	for _, fields := range t.sample {
		err = t.line(fields) // the error of a bufio.Writer stays
	}
	t.sample = nil
	return err
}

func (t *tableRows) titles() []field {
	titles := make([]field, len(t.columns))
	for i, column := range t.columns {
		titles[i] = t.field(strings.ToUpper(column.Title), t.options.bold())
	}
	return titles
}

const blanks = "                                "

// line writes one line. Spaces are held back until something follows them.
func (t *tableRows) line(fields []field) error {
	spaces, used := 0, 0
	for i, width := range t.widths {
		f := t.clip(fields[i], i, used)
		padding := max(width-f.width, 0)
		if t.columns[i].Right {
			spaces += padding
		}
		if f.text != "" {
			for ; spaces > 0; spaces -= min(spaces, len(blanks)) {
				t.out.WriteString(blanks[:min(spaces, len(blanks))])
			}
			t.out.WriteString(t.options.painted(f))
		}
		if !t.columns[i].Right {
			spaces += padding
		}
		spaces += gap
		used += width + gap
	}
	return t.out.WriteByte('\n')
}

// clip cuts a field to its column; the last column may use the rest of the line.
func (t *tableRows) clip(f field, column, used int) field {
	if t.options.Width == 0 {
		return f
	}
	limit := t.widths[column]
	if column == len(t.widths)-1 {
		limit = t.options.Width - used
	}
	if f.width > limit {
		f.text = truncate(f.text, limit)
		f.width = displayWidth(f.text)
	}
	return f
}

func (t *tableRows) end(footer string) error {
	if t.widths == nil && len(t.sample) > 0 {
		if err := t.decide(); err != nil {
			return err
		}
	}
	if footer == "" {
		return nil
	}
	if t.widths != nil {
		t.out.WriteByte('\n')
	}
	return writeParagraph(t.out, footer, t.options.Width)
}

// writeParagraph writes text that may have several lines, wrapped.
func writeParagraph(out *bufio.Writer, text string, width int) error {
	var err error
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		for _, part := range wrap(Clean(line), width) {
			_, err = out.WriteString(part + "\n") // the error of a bufio.Writer stays
		}
	}
	return err
}
