package render

import (
	"bufio"
	"io"
	"slices"
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
	decided bool // false as long as rows are kept
	layout  layout
	short   bool    // windows are written in their short form
	fields  []field // of one row after the other
	written int     // rows, of a stacked table
	// inReport: the report says at its end that columns were left out.
	inReport bool
}

// field is a clean text ready to be put in its column.
type field struct {
	text  string
	short string // of instants, what is written where there is little room; "" for other texts
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
	if !t.decided { // they are kept
		fields = make([]field, len(t.at))
	}
	for i, at := range t.at {
		fields[i] = t.fieldOf(cells[at])
	}
	if t.decided {
		return t.write(fields)
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

func (t *tableRows) fieldOf(cell Cell) field {
	if cell.strip != nil {
		return t.strip(cell.strip)
	}
	f := t.field(cell.forPeople(t.options.Zone), t.options.colorOf(cell.health))
	switch cell.kind {
	case timeKind:
		f.short = f.text
	case windowKind:
		f.short = shortWindow(cell.window, t.options.Zone)
	}
	return f
}

// mostLines is how many lines a long text may take in a stacked table.
const mostLines = 4

// field cuts a text to what can be shown, so that what is kept is bounded.
func (t *tableRows) field(text, code string) field {
	text = Clean(text)
	if t.options.Width > 0 {
		text = truncate(text, mostLines*t.options.Width)
	}
	return field{text: text, width: displayWidth(text), code: code}
}

// decide settles the layout and writes the titles and the rows kept. Windows are
// shortened only where the table would have to be stacked otherwise.
func (t *tableRows) decide() error {
	t.decided = true
	t.layout = fit(t.natural(), t.columns, t.options.Width)
	if t.layout.stacked {
		t.short = true
		if short := fit(t.natural(), t.columns, t.options.Width); !short.stacked {
			t.layout = short
		} else {
			t.short = false
		}
	}
	var err error
	if !t.layout.stacked {
		err = t.line(t.titles())
	}
	for _, fields := range t.sample {
		err = t.write(fields) // the error of a bufio.Writer stays
	}
	t.sample = nil
	return err
}

// natural are the widths that the titles and the rows kept would take.
func (t *tableRows) natural() []int {
	widths := make([]int, len(t.columns))
	for i, title := range t.titles() {
		widths[i] = title.width
	}
	for _, fields := range t.sample {
		for i, f := range fields {
			widths[i] = max(widths[i], t.form(f).width)
		}
	}
	return widths
}

// form is a field in the form in which it is written.
func (t *tableRows) form(f field) field {
	if t.short && f.short != "" {
		f.text, f.width = f.short, displayWidth(f.short)
	}
	return f
}

func (t *tableRows) titles() []field {
	titles := make([]field, len(t.columns))
	for i, column := range t.columns {
		titles[i] = t.field(strings.ToUpper(column.Title), t.options.bold())
	}
	return titles
}

func (t *tableRows) write(fields []field) error {
	if t.layout.stacked {
		return t.block(fields)
	}
	return t.line(fields)
}

// block writes a row as lines of a title and a value, a blank line before all blocks
// but the first. Empty values are left out, but for the first.
func (t *tableRows) block(fields []field) error {
	if t.written > 0 {
		t.out.WriteByte('\n')
	}
	t.written++
	names := 0
	for _, i := range t.layout.shown {
		names = max(names, displayWidth(Clean(t.columns[i].Title)))
	}
	names = t.options.titleWidth(names)
	for at, i := range t.layout.shown {
		if f := fields[i]; f.text != "" || at == 0 {
			writeTitled(t.out, t.options, names, t.columns[i].Title, f)
		}
	}
	_, err := t.out.WriteString("") // the error of a bufio.Writer stays
	return err
}

const blanks = "                                "

// line writes one line. Spaces are held back until something follows them. A field
// that may not be cut and is wider than its column, which only rows can have that
// came after the layout was decided, moves what follows to the right.
func (t *tableRows) line(fields []field) error {
	spaces, used, shift := 0, 0, 0
	for at, i := range t.layout.shown {
		f, width := t.form(fields[i]), t.layout.widths[at]
		room := max(width-shift, 1)
		if t.options.Width > 0 {
			f = clip(f, t.limit(at, room, used+shift))
			shift += max(f.width, room) - width
		}
		padding := max(room-f.width, 0)
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

// limit is how wide a field may be that begins after so many columns of the
// terminal: a flexible one as wide as its column, the last one and those that are
// not cut for their column as wide as the rest of the line.
func (t *tableRows) limit(at, room, used int) int {
	if at < len(t.layout.shown)-1 && t.columns[t.layout.shown[at]].Flexible > 0 {
		return room
	}
	return max(t.options.Width-used, 0)
}

// clip cuts a field to so many columns. An instant is never cut.
func clip(f field, limit int) field {
	if f.width > limit && f.short == "" {
		f.text = truncate(f.text, limit)
		f.width = displayWidth(f.text)
	}
	return f
}

func (t *tableRows) end(footer string) error {
	if !t.decided && len(t.sample) > 0 {
		if err := t.decide(); err != nil {
			return err
		}
	}
	if left := t.leftOut(); left != "" && !t.inReport {
		footer += "\n" + left
	}
	if footer == "" {
		return nil
	}
	if t.decided {
		t.out.WriteByte('\n')
	}
	return writeParagraph(t.out, footer, t.options.Width)
}

// leftOut says which columns there was no room for.
func (t *tableRows) leftOut() string {
	if !t.decided || len(t.layout.shown) == len(t.columns) {
		return ""
	}
	var titles []string
	for i, column := range t.columns {
		if !slices.Contains(t.layout.shown, i) {
			titles = append(titles, strings.ToUpper(column.Title))
		}
	}
	text := "Not shown here: " + strings.Join(titles, ", ")
	if t.options.Widen != "" {
		text += " (" + t.options.Widen + " shows all)"
	}
	return text + "."
}

// codeIndent begins a line of a paragraph that is to be copied as it is, such as a
// command. It is never wrapped or cut, and a code block in Markdown.
const codeIndent = "    "

// Paragraph writes text of one or several lines for people, wrapped where there is a
// terminal.
func Paragraph(out io.Writer, options Options, text string) error {
	options, err := options.checked()
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	writeParagraph(buffered, text, options.Width) // the error of a bufio.Writer stays
	return buffered.Flush()
}

// writeParagraph writes text that may have several lines, wrapped.
func writeParagraph(out *bufio.Writer, text string, width int) error {
	var err error
	for _, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		parts := []string{Clean(line)}
		if !strings.HasPrefix(line, codeIndent) {
			parts = wrap(Clean(strings.TrimSpace(line)), width)
		}
		for _, part := range parts {
			_, err = out.WriteString(part + "\n") // the error of a bufio.Writer stays
		}
	}
	return err
}
