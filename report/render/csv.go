package render

import (
	"bufio"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// csvRows writes the columns that have a key. Cells are cleaned (see [Clean]) and
// neutralised (see neutral). Lines end in LF.
type csvRows struct {
	out    *bufio.Writer
	keyed  []int // indexes of the columns that have a key
	header []string
	begun  bool
	record []string
	line   []byte
}

func newCSVRows(out *bufio.Writer, columns []Column) *csvRows {
	c := &csvRows{out: out}
	for i, column := range columns {
		if column.Key != "" {
			c.keyed = append(c.keyed, i)
			c.header = append(c.header, neutral(column.Key))
		}
	}
	return c
}

func (c *csvRows) row(_ any, cells []Cell) error {
	if err := c.begin(); err != nil {
		return err
	}
	c.record = c.record[:0]
	for _, at := range c.keyed {
		c.record = append(c.record, neutral(cells[at].forPrograms()))
	}
	return c.write(c.record)
}

func (c *csvRows) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	return c.write(c.header)
}

func (c *csvRows) write(record []string) error {
	c.line = c.line[:0]
	for i, field := range record {
		if i > 0 {
			c.line = append(c.line, ',')
		}
		c.line = appendField(c.line, field)
	}
	if len(record) == 1 && record[0] == "" { // a blank line, which readers skip
		c.line = append(c.line, `""`...)
	}
	_, err := c.out.Write(append(c.line, '\n'))
	return err
}

// appendField appends a clean field as encoding/csv writes it, several times as fast
// where it has quotes to double: documents are full of them.
func appendField(dst []byte, field string) []byte {
	first, _ := utf8.DecodeRuneInString(field)
	if field != `\.` && !unicode.IsSpace(first) && !strings.ContainsAny(field, ",\"\r\n") {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	for {
		before, after, found := strings.Cut(field, `"`)
		dst = append(dst, before...)
		if !found {
			return append(dst, '"')
		}
		dst, field = append(dst, `""`...), after
	}
}

func (c *csvRows) end(string) error { return c.begin() }

var plainNegative = regexp.MustCompile(`^-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// neutral cleans a cell and puts an apostrophe before what a spreadsheet would
// run as a formula. A cell that already has apostrophes before such text gets
// one more, so that taking one away gives back every cell:
//
//	=1+1   '=1+1
//	'=1+1  ''=1+1
//	-12.5  -12.5
func neutral(s string) string {
	s = Clean(s)
	if formula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// formula reports whether a spreadsheet may take a clean cell as a formula: it
// begins, after white space, with = + - @ or their full-width forms. A plain
// negative number is none. (A tab or carriage return at the beginning is
// dangerous too, but [Clean] leaves none.)
func formula(s string) bool {
	if plainNegative.MatchString(s) {
		return false
	}
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	first, _ := utf8.DecodeRuneInString(s)
	return s != "" && strings.ContainsRune("=+-@＝＋－＠", first)
}
