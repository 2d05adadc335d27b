package render

import (
	"bufio"
	"fmt"
	"io"
)

// Report writes several tables below each other, each with a title. It is for one
// goroutine.
type Report struct {
	out     *bufio.Writer
	options Options
	section *Writer // the last one
	begun   bool
	leftOut bool  // a table had no room for a column
	err     error // the first outside a section; sticky
}

// NewReport begins a report. Only the formats for people can hold one (see
// [Format.ForPeople]); for another an error is returned that says so.
func NewReport(out io.Writer, options Options) (*Report, error) {
	options, err := options.checked()
	if err != nil {
		return nil, err
	}
	if !options.Format.ForPeople() {
		return nil, fmt.Errorf("format %s cannot hold several tables: choose one section, or %s or %s",
			options.Format, Table, Markdown)
	}
	return &Report{out: bufio.NewWriterSize(out, 32<<10), options: options}, nil
}

// Paragraph writes text of one or several lines.
func (r *Report) Paragraph(text string) error {
	if r.part(); r.err != nil {
		return r.err
	}
	if r.options.Format == Markdown {
		r.err = writeMarkdownParagraph(r.out, text)
	} else {
		r.err = writeParagraph(r.out, text, r.options.Width)
	}
	return r.err
}

// Section begins a section; the one before must have been closed. Errors are
// those of the writer returned, and of Close. A section without rows is its title
// and the footer given to its Close, which should say so.
func (r *Report) Section(title string, columns ...Column) *Writer {
	if r.part(); r.err == nil {
		r.err = r.heading(title)
	}
	r.section = newWriter(r.out, r.options, columns)
	r.section.err = r.err
	if table, ok := r.section.rows.(*tableRows); ok {
		table.inReport = true
	}
	return r.section
}

// Close ends the report with a footer ("": none) and returns the first error of
// all calls, those of the sections included.
func (r *Report) Close(footer string) error {
	r.finish()
	if r.leftOut && r.options.Widen != "" {
		footer += "\nSome columns are not shown here (" + r.options.Widen + " shows all)."
	}
	if footer != "" {
		r.Paragraph(footer)
	}
	if r.finish(); r.err == nil {
		r.err = r.out.Flush()
	}
	return r.err
}

// part ends what came before, and writes a blank line between it and what
// follows.
func (r *Report) part() {
	r.finish()
	if r.begun && r.err == nil {
		r.err = r.out.WriteByte('\n')
	}
	r.begun = true
}

// finish takes over the error of the last section.
func (r *Report) finish() {
	if r.section == nil {
		return
	}
	if r.section.err == nil && !r.section.closed {
		panic("render: the section before is not closed")
	}
	if table, ok := r.section.rows.(*tableRows); ok && table.leftOut() != "" {
		r.leftOut = true
	}
	r.err = r.section.err
	r.section = nil
}

func (r *Report) heading(title string) error {
	if r.options.Format == Markdown {
		_, err := r.out.WriteString("## " + markdownText(title) + "\n\n")
		return err
	}
	title = Clean(title)
	if r.options.Width > 0 {
		title = truncate(title, r.options.Width)
	}
	_, err := r.out.WriteString(paint(title, r.options.bold()) + "\n")
	return err
}
