package render

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options say how to write. The zero value is a table as wide as its content,
// without colours, with times in UTC.
type Options struct {
	// Format is one of [Formats]; "" is Table.
	Format Format
	// Width is how many columns the terminal has, and binds tables. 0 is no
	// terminal: nothing is cut or wrapped. Less than MinWidth counts as MinWidth.
	Width int
	// Widen is what shows the columns that a table had no room for, to be named in
	// its footer; "" names nothing.
	Widen string
	// Color allows colours in tables.
	Color bool
	// Zone is that of the people who read; nil is UTC.
	Zone *time.Location
}

// MinWidth is the narrowest terminal that is respected.
const MinWidth = 20

func (o Options) checked() (Options, error) {
	o.Format = cmp.Or(o.Format, Table)
	if !slices.Contains(Formats, o.Format) {
		_, err := ParseFormat(string(o.Format))
		return o, err
	}
	if o.Width < 0 {
		o.Width = 0
	}
	if o.Width > 0 {
		o.Width = max(o.Width, MinWidth)
	}
	return o, nil
}

// ErrClosed is returned for a row after Close.
var ErrClosed = errors.New("row after the end")

// Writer writes rows. It is for one goroutine.
type Writer struct {
	out     *bufio.Writer
	columns []Column
	rows    rows
	width   int
	valued  bool   // the format writes values and not cells
	blank   []Cell // stand in for cells that nobody reads
	lead    string // text above the first row
	group   *group // nil: rows are in no groups
	closed  bool
	err     error // the first; sticky
}

// rows is what a format does. After an error nothing more is called.
type rows interface {
	// row writes one row, or keeps it for later.
	row(value any, cells []Cell) error
	// end writes what was kept and what belongs at the end.
	end(footer string) error
}

// New begins an answer of many rows. Nothing is written before the first call of
// Row or Close, and all of it only when Close has returned nil.
func New(out io.Writer, options Options, columns ...Column) *Writer {
	options, err := options.checked()
	w := newWriter(bufio.NewWriterSize(out, 32<<10), options, columns)
	w.err = err
	return w
}

func newWriter(out *bufio.Writer, options Options, columns []Column) *Writer {
	w := &Writer{width: options.Width, out: out, columns: slices.Clone(columns), blank: make([]Cell, len(columns))}
	switch options.Format {
	case JSON:
		w.rows, w.valued = &jsonRows{out: out}, true
	case NDJSON:
		w.rows, w.valued = &ndjsonRows{out: out}, true
	case CSV:
		w.rows = newCSVRows(out, w.columns)
	case Markdown:
		w.rows = newMarkdownRows(out, options, w.columns)
	default:
		w.rows = newTableRows(out, options, w.columns)
	}
	return w
}

// Row writes one row: the value in JSON and NDJSON, the cells in all other
// formats. The value is anything encoding/json can encode, and is not kept. There
// must be a cell for each column, in their order.
func (w *Writer) Row(value any, cells ...Cell) error {
	if w.err == nil && w.closed {
		w.err = ErrClosed
	}
	if w.group != nil && w.err == nil {
		value, cells, w.err = w.group.begin(value, cells, w.valued)
	}
	if w.err == nil && len(cells) != len(w.columns) {
		panic(fmt.Sprintf("render: %d cells for %d columns", len(cells), len(w.columns)))
	}
	w.writeLead()
	if w.err == nil {
		w.err = w.rows.row(value, cells)
	}
	return w.err
}

// Lead sets a text for people that is written above the table, a blank line between.
// It must be called before the first row.
func (w *Writer) Lead(text string) { w.lead = text }

// writeLead writes the lead before anything else.
func (w *Writer) writeLead() {
	text := w.lead
	if w.lead = ""; text == "" || w.err != nil {
		return
	}
	switch w.rows.(type) {
	case *tableRows:
		w.err = writeParagraph(w.out, text, w.width)
	case *markdownRows:
		w.err = writeMarkdownParagraph(w.out, text)
	default:
		return
	}
	if w.err == nil {
		w.err = w.out.WriteByte('\n')
	}
}

// Lazy writes one row as Row does, and calls only the function whose result the format
// needs: in a long answer, making the other one takes as long as writing.
func (w *Writer) Lazy(value func() any, cells func() []Cell) error {
	if w.valued {
		return w.Row(value(), w.blank...)
	}
	return w.Row(nil, cells()...)
}

// Close ends the answer and returns the first error of all calls. The footer is
// for people: it is written below tables and Markdown, a blank line between, and
// alone when there was no row. It may have several lines, and "" is none. A
// second Close does nothing.
func (w *Writer) Close(footer string) error {
	if w.err != nil || w.closed {
		return w.err
	}
	w.closed = true
	if w.writeLead(); w.err != nil {
		return w.err
	}
	if w.err = w.rows.end(footer); w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}
